//! Typed keys: each is bound to one algorithm when it is loaded, and cannot be used for another afterwards.
//!
//! Most of what ever went wrong with JWTs went wrong because a key was bytes and the token said what to do with them. Here
//! a [`SigningKey`] or [`VerifyingKey`] knows its [`Algorithm`](crate::Algorithm); a token that names another is refused
//! before any cryptography, and a public key has no way to become an HMAC secret (RFC 8725 §2.1, §3.1).

mod ec;
mod ed25519;
mod ed25519_point;
mod hmac;
mod public;
mod rsa;
mod signing;
mod to_pem;
mod verifying;
mod well_known;

use std::fmt;

use serde::{Serialize, Serializer};

pub use self::public::{PublicJwk, PublicJwkSet};
pub use self::signing::SigningKey;
pub use self::to_pem::{PrivatePem, PublicPem};
pub use self::verifying::VerifyingKey;
pub(crate) use self::verifying::decode_member;
use crate::Error;

/// A key's name (`kid`, RFC 7515 §4.1.4): it picks a key and proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Longest key id, in bytes.
    pub const MAX_BYTES: usize = 256;

    /// Takes any text that is not empty, not longer than [`KeyId::MAX_BYTES`] and free of control characters.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, Error> {
        let text = text.into();
        if text.is_empty() || text.len() > Self::MAX_BYTES || text.chars().any(char::is_control) {
            return Err(Error::KeyMalformed("a key id has 1 to 256 bytes and no control characters"));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for KeyId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
