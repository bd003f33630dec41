//! Every kind of id has its own type, so that a session can never be looked up by an account's id.
//!
//! Ids are UUIDs of version 7 (RFC 9562 §5.7): they sort by creation, which keeps B-trees compact, and carry 74 random
//! bits. None of them is a secret: what opens a session is always keyed or random on top of it.

use crate::{
    entropy::{Entropy, random_bytes},
    time::UnixMillis,
};
use std::{fmt, str::FromStr};
use uuid::{Builder, Uuid};

/// Text that is not a UUID in hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct ParseIdError;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, made at `now` with fresh randomness.
            pub fn generate(now: UnixMillis, entropy: &dyn Entropy) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(Builder::from_unix_timestamp_millis(millis, &random_bytes(entropy)).into_uuid())
            }

            /// The id with these 16 bytes, as a store or a token kept them.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes of this id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Parses the one canonical text form: lower-case, hyphenated. Another spelling of the same id is refused,
            /// so that equal ids are always equal texts.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let id = Self(Uuid::try_parse(text).map_err(|_| ParseIdError)?);
                let mut canonical = Uuid::encode_buffer();
                if id.0.hyphenated().encode_lower(&mut canonical) == text { Ok(id) } else { Err(ParseIdError) }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut canonical = Uuid::encode_buffer();
                serializer.serialize_str(self.0.hyphenated().encode_lower(&mut canonical))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an id in canonical UUID form")
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

id_type! {
    /// Whose account: the `sub` claim of every token that speaks about a person.
    AccountId
}
impl AccountId {
    /// In whose name the audit log tells of what concerns no one account.
    pub const NOBODY: Self = Self::from_bytes([0; 16]);
}
id_type! {
    /// One signed-in browser or device: the `sid` claim, and part of every refresh token.
    SessionId
}
id_type! {
    /// One line of the audit log.
    EventId
}
id_type! {
    /// One entry of the revocation feed; the same entry keeps it through failovers, which makes re-adding it harmless.
    FeedEntryId
}
id_type! {
    /// One access token: the `jti` claim (RFC 7519 §4.1.7).
    TokenId
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xab);
        }
    }

    #[test]
    fn ids_sort_by_creation_and_survive_text() {
        let earlier = SessionId::generate(UnixMillis::from_millis(1_000), &Fixed);
        let later = SessionId::generate(UnixMillis::from_millis(2_000), &Fixed);
        assert!(earlier < later);
        assert_eq!(later.to_string().parse(), Ok(later));
        assert_eq!(SessionId::from_bytes(*later.as_bytes()), later);
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let id = AccountId::generate(UnixMillis::from_millis(5), &Fixed).to_string();
        assert!(id.parse::<AccountId>().is_ok());
        for other in [id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"), format!("{id} "), String::new()] {
            assert_eq!(other.parse::<AccountId>(), Err(ParseIdError), "{other}");
        }
    }
}
