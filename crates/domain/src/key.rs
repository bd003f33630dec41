//! Keys as a store keeps them: sealed, with what everybody may know beside.

use crate::time::UnixMillis;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyUse {
    /// Signs access tokens.
    Sign,
    /// Tags refresh tokens.
    RefreshTag,
}

/// Where a key is in its life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KeyState {
    /// Published, and not used yet: verifiers learn it before they need it.
    Upcoming,
    /// Makes new tokens.
    Active,
    /// Makes none; its tokens are still good.
    Retiring,
    /// Its last token has ended.
    Retired,
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word used in stores and answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value that `word` names.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
words!(KeyUse { Sign = "sign", RefreshTag = "refresh_tag" });
words!(KeyState { Upcoming = "upcoming", Active = "active", Retiring = "retiring", Retired = "retired" });

/// A key as it is stored. The secret part is sealed under the master key, which no store ever sees.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The key's id: the `kid` of tokens (RFC 7515 §4.1.4), or the number of a refresh key.
    pub kid: String,
    /// What it is for.
    pub key_use: KeyUse,
    /// The algorithm's JOSE name, such as `EdDSA`.
    pub algorithm: String,
    /// Where it is in its life.
    pub state: KeyState,
    /// The secret part, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: UnixMillis,
}
