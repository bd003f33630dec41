//! The master key: 32 random bytes in a file that only its owner can read. It seals every other key.

use crate::data_folder::NO_LINK;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64_simd::URL_SAFE_NO_PAD;
use counterfoil_domain::{
    entropy::Entropy,
    key::{KeyUse, StoredKey},
    secret::SecretKey,
};
use rustix::io::Errno;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The master key's file in the data folder.
pub const MASTER_KEY_FILE: &str = "master.key";

const SEAL_VERSION: u8 = 1;
/// Which part of a key is sealed, so that neither can take the other's place.
const SECRET_PART: &str = "counterfoil-key";
const PUBLIC_PART: &str = "counterfoil-public-key";
const NONCE_BYTES: usize = 12;

/// Why there is no usable master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file could not be read or written.
    #[error("the master key {path} cannot be used: {source}")]
    Io {
        /// Which file.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A symbolic link is in its place.
    #[error("the master key {0} is a symbolic link, which is not followed: put the file itself there")]
    Link(String),
    /// Others can read the file.
    #[error("the master key {0} can be read by others: run `chmod 600 {0}`")]
    ReadableByOthers(String),
    /// The file is no master key.
    #[error("{0} is not a master key: expected 43 characters of base64url; put the right file back")]
    NotAKey(String),
    /// A key could not be opened with it.
    #[error(
        "the master key does not fit the stored keys (key `{kid}` does not open): put the master key of this store back"
    )]
    DoesNotFit {
        /// The key that does not open.
        kid: String,
    },
    /// Sealing failed.
    #[error("a key could not be sealed")]
    CannotSeal,
}

/// The key that seals the others.
pub struct MasterKey(RandomizedNonceKey);

impl MasterKey {
    /// The master key in `folder`; `None` if there is none.
    ///
    /// # Errors
    /// [`MasterKeyError`] when the file cannot be read, is open to others, or holds something else.
    pub fn load(folder: &Path) -> Result<Option<Self>, MasterKeyError> {
        let path = folder.join(MASTER_KEY_FILE);
        let mut file = match OpenOptions::new().read(true).custom_flags(NO_LINK).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                return Err(MasterKeyError::Link(path.display().to_string()));
            }
            Err(source) => return Err(io_error(&path, source)),
        };
        let mode = file.metadata().map_err(|source| io_error(&path, source))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::ReadableByOthers(path.display().to_string()));
        }
        let mut text = Zeroizing::new(String::new());
        (&mut file).take(1024).read_to_string(&mut text).map_err(|source| io_error(&path, source))?;
        let not_a_key = || MasterKeyError::NotAKey(path.display().to_string());
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode_to_vec(text.trim_end()).map_err(|_| not_a_key())?);
        let key = SecretKey::from_bytes(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| not_a_key())?);
        Self::new(&key).map(Some)
    }

    /// Makes a master key in `folder`, with mode 0600, and makes sure that it is on disk before anything is sealed.
    ///
    /// # Errors
    /// [`MasterKeyError::Io`]; an existing file is never written over.
    pub fn create(folder: &Path, entropy: &dyn Entropy) -> Result<Self, MasterKeyError> {
        let path = folder.join(MASTER_KEY_FILE);
        let key = SecretKey::generate(entropy);
        let text = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode_to_string(key.expose())));
        write_durably(folder, &path, text.as_bytes()).map_err(|source| io_error(&path, source))?;
        Self::new(&key)
    }

    fn new(key: &SecretKey) -> Result<Self, MasterKeyError> {
        RandomizedNonceKey::new(&AES_256_GCM, key.expose()).map(Self).map_err(|_| MasterKeyError::CannotSeal)
    }

    /// Seals the secret part of a key. What the key is for is sealed in, so that no sealed key can take another's place.
    ///
    /// # Errors
    /// [`MasterKeyError::CannotSeal`], which the primitive gives for absurd lengths only.
    pub fn seal(&self, secret: &[u8], kid: &str, key_use: KeyUse, algorithm: &str) -> Result<Vec<u8>, MasterKeyError> {
        self.seal_as(SECRET_PART, secret, kid, key_use, algorithm)
    }

    /// Seals the public part of a key pair that signs access tokens. It is no secret; sealed, nobody can put another there.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn seal_public(&self, public: &[u8], kid: &str, algorithm: &str) -> Result<Vec<u8>, MasterKeyError> {
        self.seal_as(PUBLIC_PART, public, kid, KeyUse::Sign, algorithm)
    }

    fn seal_as(
        &self,
        part: &str,
        bytes: &[u8],
        kid: &str,
        key_use: KeyUse,
        algorithm: &str,
    ) -> Result<Vec<u8>, MasterKeyError> {
        let mut sealed = Zeroizing::new(bytes.to_vec());
        let aad = associated_data(part, kid, key_use, algorithm);
        let nonce =
            self.0.seal_in_place_append_tag(Aad::from(aad), &mut *sealed).map_err(|_| MasterKeyError::CannotSeal)?;
        Ok([&[SEAL_VERSION][..], nonce.as_ref(), &sealed].concat())
    }

    /// Opens a stored key: its secret part.
    ///
    /// # Errors
    /// [`MasterKeyError::DoesNotFit`]: another master key sealed it, or it was altered.
    pub fn open(&self, stored: &StoredKey) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        self.open_as(SECRET_PART, &stored.sealed, stored)
    }

    /// Opens the public part of a stored key.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_public(&self, stored: &StoredKey) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        self.open_as(PUBLIC_PART, &stored.sealed_public, stored)
    }

    fn open_as(&self, part: &str, sealed: &[u8], stored: &StoredKey) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        let does_not_fit = || MasterKeyError::DoesNotFit { kid: stored.kid.clone() };
        let (version, rest) = sealed.split_first().ok_or_else(does_not_fit)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(does_not_fit)?;
        let aad = associated_data(part, &stored.kid, stored.key_use, &stored.algorithm);
        let mut opened = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let secret_bytes = self
            .0
            .open_in_place(nonce, Aad::from(aad), &mut opened)
            .ok()
            .filter(|_| *version == SEAL_VERSION)
            .map(|secret| secret.len())
            .ok_or_else(does_not_fit)?;
        opened.truncate(secret_bytes);
        Ok(opened)
    }
}

fn associated_data(part: &str, kid: &str, key_use: KeyUse, algorithm: &str) -> Vec<u8> {
    // None of the parts can hold a zero byte, so the joined text is unambiguous.
    [part, key_use.as_str(), algorithm, kid].join("\0").into_bytes()
}

fn io_error(path: &Path, source: io::Error) -> MasterKeyError {
    MasterKeyError::Io { path: path.display().to_string(), source }
}

/// Writes a new file with mode 0600 so that after a crash it is there whole or not at all.
pub(crate) fn write_durably(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary: PathBuf = path.with_extension("new");
    // Left by a crash, or laid there by somebody: in neither case a place for a key. A link is removed, not followed.
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // A hard link fails if the name is taken, where a rename would replace the file.
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    linked?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::OsEntropy;
    use counterfoil_domain::{key::KeyState, time::UnixMillis};

    fn stored(master: &MasterKey, kid: &str) -> StoredKey {
        let sealed = master.seal(b"secret", kid, KeyUse::Sign, "EdDSA").unwrap();
        StoredKey {
            kid: kid.to_owned(),
            key_use: KeyUse::Sign,
            algorithm: "EdDSA".to_owned(),
            state: KeyState::Active,
            state_since: UnixMillis::from_millis(0),
            sealed,
            sealed_public: master.seal_public(b"public", kid, "EdDSA").unwrap(),
            created_at: UnixMillis::from_millis(0),
            announced: None,
            token_lifetime: None,
            cache_lifetime: None,
        }
    }

    #[test]
    fn the_file_is_private_and_opens_what_it_sealed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(MasterKey::load(folder.path()).unwrap().is_none());
        let made = MasterKey::create(folder.path(), &OsEntropy).unwrap();
        let path = folder.path().join(MASTER_KEY_FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
        let loaded = MasterKey::load(folder.path()).unwrap().unwrap();
        assert_eq!(&**loaded.open(&stored(&made, "a")).unwrap(), b"secret");
    }

    #[test]
    fn an_existing_master_key_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::create(folder.path(), &OsEntropy).unwrap();
        let before = std::fs::read(folder.path().join(MASTER_KEY_FILE)).unwrap();
        assert!(MasterKey::create(folder.path(), &OsEntropy).is_err());
        assert_eq!(std::fs::read(folder.path().join(MASTER_KEY_FILE)).unwrap(), before);
    }

    #[test]
    fn a_link_in_its_place_is_refused() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        MasterKey::create(elsewhere.path(), &OsEntropy).unwrap();
        let target = elsewhere.path().join(MASTER_KEY_FILE);
        std::os::unix::fs::symlink(target, folder.path().join(MASTER_KEY_FILE)).unwrap();
        assert!(matches!(MasterKey::load(folder.path()), Err(MasterKeyError::Link(_))));
    }

    #[test]
    fn a_link_laid_in_its_way_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("elsewhere");
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join("master.new")).unwrap();
        MasterKey::create(folder.path(), &OsEntropy).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"");
        assert_eq!(std::fs::metadata(folder.path().join(MASTER_KEY_FILE)).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn other_master_keys_and_moved_or_altered_keys_do_not_open() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let one = MasterKey::create(one.path(), &OsEntropy).unwrap();
        let other = MasterKey::create(other.path(), &OsEntropy).unwrap();
        assert!(matches!(other.open(&stored(&one, "a")), Err(MasterKeyError::DoesNotFit { kid }) if kid == "a"));
        let moved = StoredKey { kid: "b".into(), ..stored(&one, "a") };
        assert!(one.open(&moved).is_err());
        for position in 0..stored(&one, "a").sealed.len() {
            let mut altered = stored(&one, "a");
            altered.sealed[position] ^= 1;
            assert!(one.open(&altered).is_err(), "byte {position}");
        }
        assert!(one.open(&StoredKey { sealed: Vec::new(), ..stored(&one, "a") }).is_err());
        let key = stored(&one, "a");
        assert_eq!(&**one.open_public(&key).unwrap(), b"public");
        let swapped = StoredKey { sealed: key.sealed_public.clone(), sealed_public: key.sealed.clone(), ..key.clone() };
        assert!(one.open(&swapped).is_err() && one.open_public(&swapped).is_err(), "neither takes the other's place");
        assert!(other.open_public(&key).is_err());
    }

    #[test]
    fn unusable_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MASTER_KEY_FILE);
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for text in ["", "abc", &"A".repeat(44), "not base64url at all, is it? 012345678901234"] {
            std::fs::write(&path, text).unwrap();
            mode(0o600);
            assert!(matches!(MasterKey::load(folder.path()), Err(MasterKeyError::NotAKey(_))), "{text}");
        }
        std::fs::write(&path, "A".repeat(43)).unwrap();
        assert!(MasterKey::load(folder.path()).unwrap().is_some());
        mode(0o640);
        assert!(matches!(MasterKey::load(folder.path()), Err(MasterKeyError::ReadableByOthers(_))));
    }
}
