//! Keys as a store keeps them: sealed, with what everybody may know beside.

use crate::{revocation::FeedPosition, time::UnixMillis};
use std::time::Duration;

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
    /// Since when.
    pub state_since: UnixMillis,
    /// The secret part, sealed. Empty once the key is retired: then nobody needs it any more.
    pub sealed: Vec<u8>,
    /// The public part of a key pair, sealed as well: whoever could write to the store would else put a key of his own there.
    /// It outlives the secret part, for telling whose an ended token was. Empty for a shared secret, and for a key that was
    /// given up.
    pub sealed_public: Vec<u8>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// The place in the feed of the entry that tells verifiers to learn it; `None` for one that signed from its first moment.
    pub announced: Option<FeedPosition>,
    /// The longest life that the tokens it signs were given; `None` while it has signed none, and for a key that a release
    /// stored which did not know.
    pub token_lifetime: Option<Duration>,
    /// The longest that others were told they may keep the public keys while it was the active one; `None` as above.
    pub cache_lifetime: Option<Duration>,
}

impl StoredKey {
    /// Whether whoever verifies with it can sign with it too: it is never published (RFC 7518 §3.2).
    pub fn is_shared_secret(&self) -> bool {
        self.algorithm.starts_with("HS")
    }

    /// Whether tokens that it signed are good.
    pub fn verifies(&self) -> bool {
        self.key_use == KeyUse::Sign && self.state != KeyState::Retired
    }

    /// In another state from `now` on. What is retired loses its secret part.
    #[must_use]
    pub(super) fn moved_to(&self, state: KeyState, now: UnixMillis) -> Self {
        let sealed = if state == KeyState::Retired { Vec::new() } else { self.sealed.clone() };
        Self { state, state_since: now, sealed, ..self.clone() }
    }
}
