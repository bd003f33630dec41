//! Loading the keys at start, and making the first ones.

use super::{KeyRing, MasterKey, MasterKeyError, master::write_durably};
use base64_simd::URL_SAFE_NO_PAD;
use counterfoil_domain::{
    entropy::{Entropy, random_bytes},
    key::{KeyState, KeyUse, StoredKey},
    rotation::{RefreshKey, RefreshKeyId, RefreshKeys},
    secret::SecretKey,
    store::{Store, StoreError},
    time::UnixMillis,
};
use counterfoil_jwt::{Algorithm, KeyId, KeySet, PublicJwkSet, SigningKey};
use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};
use zeroize::Zeroizing;

/// Stored with refresh keys in place of a JOSE algorithm.
const REFRESH_ALGORITHM: &str = "HMAC-SHA-256";
/// The id of the first refresh key.
const FIRST_REFRESH_KEY: &str = "1";

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The master key is missing, unusable, or of another store.
    #[error(transparent)]
    Master(#[from] MasterKeyError),
    /// There are keys in the store and no master key beside it.
    #[error("the master key {0} is missing, and without it the stored keys cannot be opened: put the file back")]
    MasterMissing(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key or secret that the token core refuses.
    #[error("{what}: {source}")]
    Refused {
        /// Which key it was.
        what: String,
        /// Why.
        #[source]
        source: counterfoil_jwt::Error,
    },
    /// The configured algorithm is unknown.
    #[error("option `signing.algorithm`: {0:?} is not one of {known}", known = known_algorithms())]
    UnknownAlgorithm(String),
    /// The file with the shared secret cannot be used.
    #[error("option `signing.secret_file`: {0}")]
    SecretFile(String),
    /// A stored key that cannot be read although its seal is good.
    #[error("the stored key `{0}` cannot be read")]
    Unreadable(String),
}

fn known_algorithms() -> String {
    Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ")
}

/// Opens the stored keys with the master key in `folder`, making whatever is missing: a first start makes the master
/// key, a signing key of `algorithm` and a refresh key; a changed algorithm makes a new signing key, and the one before
/// it stays good for the tokens it signed.
///
/// # Errors
/// [`KeyError`], written for the operator.
pub async fn open_key_ring(
    store: &dyn Store,
    folder: &Path,
    algorithm: &str,
    secret_file: Option<&Path>,
    now: UnixMillis,
    entropy: &dyn Entropy,
) -> Result<KeyRing, KeyError> {
    let algorithm: Algorithm = algorithm.parse().map_err(|_| KeyError::UnknownAlgorithm(algorithm.to_owned()))?;
    let mut stored = store.keys().await?;
    let master = match MasterKey::load(folder)? {
        Some(master) => master,
        None if stored.is_empty() => MasterKey::create(folder, entropy)?,
        None => return Err(KeyError::MasterMissing(folder.join(super::MASTER_KEY_FILE).display().to_string())),
    };
    let missing = missing_keys(&stored, &master, algorithm, secret_file, now, entropy)?;
    if !missing.is_empty() {
        // Over those with the same id: a key that steps down is written with its new state.
        stored.retain(|key| !missing.iter().any(|new| (&new.kid, new.key_use) == (&key.kid, key.key_use)));
        stored.extend(missing.iter().cloned());
        store.put_keys(missing).await?;
    }
    assemble(&stored, &master)
}

fn missing_keys(
    stored: &[StoredKey],
    master: &MasterKey,
    algorithm: Algorithm,
    secret_file: Option<&Path>,
    now: UnixMillis,
    entropy: &dyn Entropy,
) -> Result<Vec<StoredKey>, KeyError> {
    let mut missing = Vec::new();
    if !stored.iter().any(|key| key.key_use == KeyUse::RefreshTag) {
        let secret = SecretKey::generate(entropy);
        missing.push(StoredKey {
            kid: FIRST_REFRESH_KEY.to_owned(),
            key_use: KeyUse::RefreshTag,
            algorithm: REFRESH_ALGORITHM.to_owned(),
            state: KeyState::Active,
            sealed: master.seal(secret.expose(), FIRST_REFRESH_KEY, KeyUse::RefreshTag, REFRESH_ALGORITHM)?,
            created_at: now,
        });
    }
    let wanted = wanted_signing_key(algorithm, secret_file, entropy)?;
    let is_signing = |key: &&StoredKey| key.key_use == KeyUse::Sign;
    let is_wanted = |key: &StoredKey| match &wanted {
        WantedKey::Any => key.algorithm == algorithm.name(),
        WantedKey::This { kid, .. } => key.kid == *kid,
    };
    let active = stored.iter().filter(is_signing).find(|key| key.state == KeyState::Active);
    if active.is_some_and(is_wanted) {
        return Ok(missing);
    }
    // Its tokens are good until they end: it signs no more, and still verifies. Not so a shared secret: whoever has it can
    // sign, and replacing it is how an operator takes that away. Its people refresh once.
    let is_shared = |key: &StoredKey| key.algorithm.parse::<Algorithm>().is_ok_and(Algorithm::is_symmetric);
    missing.extend(active.map(|key| {
        let state = if is_shared(key) { KeyState::Retired } else { KeyState::Retiring };
        StoredKey { state, ..key.clone() }
    }));
    if let Some(earlier) = stored.iter().filter(is_signing).find(|key| is_wanted(key)) {
        missing.push(StoredKey { state: KeyState::Active, ..earlier.clone() });
    } else {
        missing.push(make_signing_key(wanted, master, algorithm, now)?);
    }
    Ok(missing)
}

/// Which signing key the configuration asks for.
enum WantedKey {
    /// Any of the algorithm.
    Any,
    /// The one with this secret.
    This { kid: String, key: Box<SigningKey> },
}

fn wanted_signing_key(
    algorithm: Algorithm,
    secret_file: Option<&Path>,
    entropy: &dyn Entropy,
) -> Result<WantedKey, KeyError> {
    let Some(path) = secret_file else {
        return Ok(WantedKey::Any);
    };
    needs_a_shared_secret(algorithm)?;
    let secret = match read_secret(path)? {
        Some(secret) => secret,
        None => make_secret(path, entropy)?,
    };
    let key = Box::new(shared_key(&secret, algorithm, path)?);
    Ok(WantedKey::This { kid: secret_key_id(&secret), key })
}

/// Judges `signing.secret_file` as [`open_key_ring`] would, and makes nothing: a file that is missing is good, since it
/// would be made.
///
/// # Errors
/// [`KeyError`], written for the operator.
pub fn check_secret_file(algorithm: &str, secret_file: Option<&Path>) -> Result<(), KeyError> {
    let algorithm: Algorithm = algorithm.parse().map_err(|_| KeyError::UnknownAlgorithm(algorithm.to_owned()))?;
    if let Some(path) = secret_file {
        needs_a_shared_secret(algorithm)?;
        if let Some(secret) = read_secret(path)? {
            shared_key(&secret, algorithm, path)?;
        }
    }
    Ok(())
}

fn needs_a_shared_secret(algorithm: Algorithm) -> Result<(), KeyError> {
    if algorithm.is_symmetric() {
        return Ok(());
    }
    Err(KeyError::SecretFile(format!("{} signs with a key pair and needs no shared secret", algorithm.name())))
}

fn shared_key(secret: &[u8], algorithm: Algorithm, path: &Path) -> Result<SigningKey, KeyError> {
    let refused = |source| KeyError::Refused { what: format!("the secret in {}", path.display()), source };
    SigningKey::from_secret(secret, algorithm).map_err(refused)
}

fn make_signing_key(
    wanted: WantedKey,
    master: &MasterKey,
    algorithm: Algorithm,
    now: UnixMillis,
) -> Result<StoredKey, KeyError> {
    let refused = |source| KeyError::Refused { what: format!("a new {} key", algorithm.name()), source };
    let (kid, key) = match wanted {
        WantedKey::This { kid, key } => (kid, *key),
        WantedKey::Any => {
            let key = SigningKey::generate(algorithm).map_err(refused)?;
            let kid = key.public_jwk().map(|jwk| jwk.thumbprint());
            let private = key.to_private_jwk().map_err(refused)?;
            (kid.unwrap_or_else(|| secret_key_id(private.as_bytes())), key)
        }
    };
    let key = key.with_key_id(KeyId::new(kid.as_str()).map_err(refused)?);
    let private = key.to_private_jwk().map_err(refused)?;
    Ok(StoredKey {
        sealed: master.seal(private.as_bytes(), &kid, KeyUse::Sign, algorithm.name())?,
        kid,
        key_use: KeyUse::Sign,
        algorithm: algorithm.name().to_owned(),
        state: KeyState::Active,
        created_at: now,
    })
}

/// The id of a shared secret: a keyed hash under the secret itself, which tells no more than any token signed with it
/// does. (A thumbprint, RFC 7638 §7, would let a weak secret be guessed faster than the tokens do.)
fn secret_key_id(secret: &[u8]) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    let tag = aws_lc_rs::hmac::sign(&key, b"counterfoil key id");
    URL_SAFE_NO_PAD.encode_to_string(tag.as_ref().first_chunk::<16>().copied().unwrap_or_default())
}

/// The secret in the file, or none if there is no such file.
fn read_secret(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(secret_file_failed(path, &error)),
    };
    let mode = fs::metadata(path).map_err(|error| secret_file_failed(path, &error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(secret_file_failed(path, &"others can read it, and sign with it: run `chmod 600` on it"));
    }
    let secret = URL_SAFE_NO_PAD.decode_to_vec(text.trim_end());
    let secret = secret.map_err(|_| secret_file_failed(path, &"expected base64url text"))?;
    Ok(Some(Zeroizing::new(secret)))
}

fn make_secret(path: &Path, entropy: &dyn Entropy) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let secret = Zeroizing::new(random_bytes::<64>(entropy));
    let text = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode_to_string(secret.as_slice())));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    write_durably(folder, path, text.as_bytes()).map_err(|error| secret_file_failed(path, &error))?;
    tracing::info!(file = %path.display(), "made a shared secret for signing");
    Ok(Zeroizing::new(secret.to_vec()))
}

fn secret_file_failed(path: &Path, error: &dyn std::fmt::Display) -> KeyError {
    KeyError::SecretFile(format!("{}: {error}", path.display()))
}

fn assemble(stored: &[StoredKey], master: &MasterKey) -> Result<KeyRing, KeyError> {
    let mut signing = None;
    let mut verifying = KeySet::default();
    let mut published = PublicJwkSet::default();
    let mut refresh_active = None;
    let mut refresh_older = Vec::new();
    for key in stored.iter().filter(|key| key.state != KeyState::Retired) {
        let unreadable = || KeyError::Unreadable(key.kid.clone());
        let secret = master.open(key)?;
        match key.key_use {
            KeyUse::RefreshTag => {
                let id = RefreshKeyId(key.kid.parse().map_err(|_| unreadable())?);
                let secret = <[u8; 32]>::try_from(secret.as_slice()).map_err(|_| unreadable())?;
                let refresh_key = RefreshKey::new(id, &SecretKey::from_bytes(secret));
                if key.state == KeyState::Active {
                    refresh_active = Some(refresh_key);
                } else {
                    refresh_older.push(refresh_key);
                }
            }
            KeyUse::Sign => {
                let refused = |source| KeyError::Refused { what: format!("the stored key `{}`", key.kid), source };
                let private = std::str::from_utf8(&secret).map_err(|_| unreadable())?;
                let algorithm: Algorithm = key.algorithm.parse().map_err(|_| unreadable())?;
                let signing_key = SigningKey::from_jwk(private, Some(algorithm)).map_err(refused)?;
                published.add(signing_key.verifying_key());
                verifying.add(signing_key.verifying_key().clone()).map_err(refused)?;
                if key.state == KeyState::Active {
                    signing = Some(signing_key);
                }
            }
        }
    }
    Ok(KeyRing {
        signing: signing.ok_or_else(|| KeyError::Unreadable("signing".to_owned()))?,
        verifying,
        jwks: serde_json::to_string(&published).map_err(|_| KeyError::Unreadable("JWK Set".to_owned()))?,
        refresh: RefreshKeys::new(
            refresh_active.ok_or_else(|| KeyError::Unreadable("refresh".to_owned()))?,
            refresh_older,
        ),
    })
}
