//! Secrets have their own types: no `Debug`, no `Display`, no `Serialize`, wiped on drop. What a type cannot do, a log
//! line cannot do by accident.

use crate::entropy::Entropy;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Thirty-two secret bytes: a key for HMAC or for sealing other keys.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// A key of these bytes. The caller wipes its own copy.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Self([0; 32]);
        entropy.fill(&mut key.0);
        key
    }

    /// The bytes, for the primitive that needs them. Do not copy them elsewhere.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A password as a person typed it, before any rule was applied.
///
/// It exists between the request and the hash and nowhere else.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PasswordText(String);

impl PasswordText {
    /// Takes the text over; it is wiped when this value is dropped.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the rules and the hash.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for PasswordText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}
