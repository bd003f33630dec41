//! Programs that are known by name and secret: the verifiers that follow the revocation feed.

use crate::{
    event::{Event, EventKind, Occasion},
    id::AccountId,
    opaque::SecretDigest,
    time::UnixMillis,
};
use std::{fmt, str::FromStr};

/// The most clients of a store. Their list is read whole.
pub const CLIENTS_MAX: usize = 1_000;
/// The longest name of a client or of a verifier.
const NAME_BYTES_MAX: usize = 64;

/// A text that names no client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client's name has 1 to {NAME_BYTES_MAX} letters of ASCII, digits, `.`, `_` or `-`")]
pub struct InvalidClientId;

/// A text that names no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a verifier's name has 1 to {NAME_BYTES_MAX} letters of ASCII, digits, `.`, `_`, `:` or `-`")]
pub struct InvalidVerifierName;

fn is_name(text: &str, also: impl Fn(u8) -> bool) -> bool {
    let in_a_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') || also(byte);
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(in_a_name)
}

/// The name of a client: the one that the operator chose, and the `client_id` that it presents. It has no colon, which in
/// the `Authorization` header ends it (RFC 7617 §2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(String);

impl ClientId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = InvalidClientId;

    fn from_str(text: &str) -> Result<Self, InvalidClientId> {
        if is_name(text, |_| false) { Ok(Self(text.to_owned())) } else { Err(InvalidClientId) }
    }
}

/// What a process that follows the feed calls itself, such as `orders-1:8443`. Many may share one client.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VerifierName(String);

impl VerifierName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VerifierName {
    type Err = InvalidVerifierName;

    fn from_str(text: &str) -> Result<Self, InvalidVerifierName> {
        if is_name(text, |byte| byte == b':') { Ok(Self(text.to_owned())) } else { Err(InvalidVerifierName) }
    }
}

impl fmt::Display for VerifierName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a client may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClientKind {
    /// It checks tokens: it may follow the feed, ask about single tokens, and read the server's figures.
    Verifier,
}

impl ClientKind {
    /// Every kind there is.
    pub const ALL: [Self; 1] = [Self::Verifier];

    /// The word used in stores and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verifier => "verifier",
        }
    }

    /// The kind that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A client as a store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// Its name.
    pub id: ClientId,
    /// What it may do.
    pub kind: ClientKind,
    /// The digest of its secret.
    pub secret: SecretDigest,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl Client {
    /// The line that tells of its making or of its end. It is no account's.
    pub fn event(&self, kind: EventKind, occasion: &Occasion<'_>) -> Event {
        occasion.event_with(kind, AccountId::NOBODY, None, self.id.as_str())
    }
}

/// Whether a client was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreatedClient {
    /// It was.
    Created,
    /// There is one of this name.
    NameTaken,
    /// There are [`CLIENTS_MAX`] already.
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["orders", "orders-1.eu", "A_b", &"x".repeat(64)] {
            assert_eq!(name.parse::<ClientId>().unwrap().to_string(), name);
            assert_eq!(name.parse::<VerifierName>().unwrap().to_string(), name);
        }
        for name in ["", "a b", "a/b", "é", "a\n", "a%20b", &"x".repeat(65)] {
            assert_eq!(name.parse::<ClientId>(), Err(InvalidClientId), "{name:?}");
            assert_eq!(name.parse::<VerifierName>(), Err(InvalidVerifierName), "{name:?}");
        }
        assert!("orders:8443".parse::<ClientId>().is_err() && "orders:8443".parse::<VerifierName>().is_ok());
        for kind in ClientKind::ALL {
            assert_eq!(ClientKind::from_word(kind.as_str()), Some(kind));
        }
    }
}
