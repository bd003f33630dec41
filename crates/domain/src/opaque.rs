//! Opaque secrets: what a client holds that says nothing by itself, and whose digest finds a session.
//!
//! A prefix, and base64url of 32 random bytes and a checksum of 4. 256 random bits cannot be guessed (ASVS 7.2.3 asks for
//! 128), so a fast digest is enough to keep them by: a stolen database opens no session. The prefix lets secret scanners
//! find leaked ones, and the checksum lets them be sure without asking anybody; it also spares the store the look-up of
//! what was mistyped. It proves nothing: whoever makes up a secret can make up its checksum.

use crate::entropy::{Entropy, random_bytes};
use aws_lc_rs::{
    constant_time,
    digest::{self, SHA256},
};
use base64_simd::URL_SAFE_NO_PAD;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SECRET_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 4;
/// 36 bytes are exactly 48 characters: there are no unused bits, so every secret has one spelling (RFC 4648 §3.5).
const TEXT_BYTES: usize = SECRET_BYTES + CHECKSUM_BYTES;

/// What an opaque secret is for. Each kind has a prefix and digests of its own, so that one can never stand for another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SecretKind {
    /// The id of a cookie session.
    SessionId,
    /// A personal access token.
    PersonalToken,
    /// The secret of a client, by which it says who it is.
    ClientSecret,
}

impl SecretKind {
    /// What every text of the kind begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::SessionId => "cfs_",
            Self::PersonalToken => "cfp_",
            Self::ClientSecret => "cfk_",
        }
    }
}

/// A text that is no secret of its kind: another prefix or length, not canonical base64url, or mistyped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not what it should be: mistyped, cut off, or of another kind")]
pub struct MalformedSecret;

/// A secret of 256 random bits.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct OpaqueSecret {
    #[zeroize(skip)]
    kind: SecretKind,
    bytes: [u8; SECRET_BYTES],
}

impl OpaqueSecret {
    /// A fresh one.
    pub fn generate(kind: SecretKind, entropy: &dyn Entropy) -> Self {
        Self { kind, bytes: random_bytes(entropy) }
    }

    /// The text that the client keeps. It is the secret.
    pub fn expose_text(&self) -> String {
        let mut bytes = Zeroizing::new([0; TEXT_BYTES]);
        for (to, from) in bytes.iter_mut().zip(self.bytes.iter().chain(&self.checksum())) {
            *to = *from;
        }
        let prefix = self.kind.prefix();
        let mut text = String::with_capacity(prefix.len() + URL_SAFE_NO_PAD.encoded_length(TEXT_BYTES));
        text.push_str(prefix);
        URL_SAFE_NO_PAD.encode_append(*bytes, &mut text);
        text
    }

    /// Reads a presented text. No store is asked.
    ///
    /// # Errors
    /// [`MalformedSecret`].
    pub fn parse(kind: SecretKind, text: &str) -> Result<Self, MalformedSecret> {
        let encoded = text.strip_prefix(kind.prefix()).ok_or(MalformedSecret)?;
        if encoded.len() != URL_SAFE_NO_PAD.encoded_length(TEXT_BYTES) {
            return Err(MalformedSecret);
        }
        let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode_to_vec(encoded).map_err(|_| MalformedSecret)?);
        let (bytes, checksum) = decoded.split_first_chunk::<SECRET_BYTES>().ok_or(MalformedSecret)?;
        let secret = Self { kind, bytes: *bytes };
        // No secret compare: the checksum can be computed by anybody who has the text.
        if checksum == secret.checksum() { Ok(secret) } else { Err(MalformedSecret) }
    }

    /// What a store keeps, and finds the session by.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest(self.hash(b"digest"))
    }

    fn checksum(&self) -> [u8; CHECKSUM_BYTES] {
        self.hash(b"checksum").first_chunk().copied().unwrap_or_default()
    }

    /// SHA-256 (`prefix ‖ purpose ‖ secret`): the two purposes tell nothing of each other.
    fn hash(&self, purpose: &[u8]) -> [u8; 32] {
        let mut hash = digest::Context::new(&SHA256);
        for part in [self.kind.prefix().as_bytes(), purpose, &self.bytes] {
            hash.update(part);
        }
        hash.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }
}

/// The digest of an [`OpaqueSecret`]. No secret: nothing that opens a session can be made from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// A digest as a store kept it.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Whether both are of one secret. It takes the same time wherever they differ: how much of a guess was right is not to
    /// be told.
    pub fn is_of_same_secret(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// The bytes, for a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SecretKind::{ClientSecret, PersonalToken, SessionId};

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn text(kind: SecretKind, byte: u8) -> String {
        OpaqueSecret::generate(kind, &Fixed(byte)).expose_text()
    }

    #[test]
    fn a_text_is_read_back_to_the_same_digest() {
        for kind in [SessionId, PersonalToken, ClientSecret] {
            let secret = OpaqueSecret::generate(kind, &Fixed(7));
            let read = OpaqueSecret::parse(kind, &secret.expose_text()).unwrap();
            assert_eq!(read.digest(), secret.digest());
            assert_eq!(read.expose_text(), secret.expose_text());
            assert_ne!(secret.digest(), OpaqueSecret::generate(kind, &Fixed(8)).digest());
            assert!(secret.digest().is_of_same_secret(&read.digest()));
            assert!(!secret.digest().is_of_same_secret(&OpaqueSecret::generate(kind, &Fixed(8)).digest()));
        }
        let same_bytes = [SessionId, PersonalToken].map(|kind| OpaqueSecret::generate(kind, &Fixed(7)).digest());
        assert_ne!(same_bytes[0], same_bytes[1], "a session's id is no personal token");
    }

    /// What a secret scanner is told to look for, kept by others: it must never change.
    #[test]
    fn the_text_is_what_it_was_published_as() {
        let text = text(PersonalToken, 0);
        assert_eq!(text, PUBLISHED);
        assert_eq!(text.len(), 52);
    }
    const PUBLISHED: &str = "cfp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADNKsY_";

    #[test]
    fn every_mistyped_character_is_noticed() {
        let text = text(PersonalToken, 7);
        for place in 0..text.len() {
            for other in ['A', 'b', '_', ' ', '='] {
                let mut mistyped = text.clone();
                mistyped.replace_range(place..=place, &other.to_string());
                if mistyped != text {
                    assert!(OpaqueSecret::parse(PersonalToken, &mistyped).is_err(), "{mistyped}");
                }
            }
        }
        for other in [&text[..51], &format!("{text}A"), &text[4..], "", "cfp_", "cfp_é"] {
            assert!(OpaqueSecret::parse(PersonalToken, other).is_err(), "{other}");
        }
        assert!(OpaqueSecret::parse(SessionId, &text).is_err());
    }
}
