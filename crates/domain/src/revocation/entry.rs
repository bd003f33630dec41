//! One entry of the feed.

use crate::{
    account::AccountGeneration,
    entropy::Entropy,
    id::{AccountId, FeedEntryId, SessionId, TokenId},
    time::UnixMillis,
};
use aws_lc_rs::digest;
use std::{fmt, time::Duration};

/// What is revoked. A verifier refuses a token to which any of them applies.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Revocation {
    /// Tokens of this session.
    Session(SessionId),
    /// Tokens of this account minted in an earlier generation.
    Subject {
        /// Whose tokens.
        account: AccountId,
        /// The first generation that is still good.
        minimum_generation: AccountGeneration,
    },
    /// Break-glass: every token of an issuer or signing key minted at or before the cutoff.
    Issuer {
        /// The issuer, or the `kid` of one of its keys.
        key: String,
        /// Tokens minted at or before this instant are refused.
        cutoff: UnixMillis,
    },
    /// One token.
    Token(TokenId),
    /// Refuses nothing: tells verifiers to load the key set anew.
    Keys {
        /// Rises with every change of the key set.
        version: i64,
    },
}

/// Columns that are no revocation this version knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the feed holds an entry of kind `{kind}` that this version cannot read")]
pub struct UnknownRevocation {
    /// The kind found.
    pub kind: String,
}

impl Revocation {
    /// The three columns `(kind, key, argument)` in which stores and the wire carry an entry.
    pub fn to_columns(&self) -> (&'static str, String, i64) {
        match self {
            Self::Session(session) => ("session", session.to_string(), 0),
            Self::Subject { account, minimum_generation } => {
                ("subject", account.to_string(), minimum_generation.as_raw())
            }
            Self::Issuer { key, cutoff } => ("issuer", key.clone(), cutoff.as_millis()),
            Self::Token(token) => ("token", token.to_string(), 0),
            Self::Keys { version } => ("keys", String::new(), *version),
        }
    }

    /// Reads the columns back.
    ///
    /// # Errors
    /// [`UnknownRevocation`] when the kind is unknown or its key does not parse: never skip an entry quietly, since it
    /// may be the one that signs somebody out.
    pub fn from_columns(kind: &str, key: &str, argument: i64) -> Result<Self, UnknownRevocation> {
        let unknown = || UnknownRevocation { kind: kind.to_owned() };
        match kind {
            "session" => key.parse().map(Self::Session).map_err(|_| unknown()),
            "subject" => {
                let account = key.parse().map_err(|_| unknown())?;
                Ok(Self::Subject { account, minimum_generation: AccountGeneration::from_raw(argument) })
            }
            "issuer" => Ok(Self::Issuer { key: key.to_owned(), cutoff: UnixMillis::from_millis(argument) }),
            "token" => key.parse().map(Self::Token).map_err(|_| unknown()),
            "keys" => Ok(Self::Keys { version: argument }),
            _ => Err(unknown()),
        }
    }
}

/// Which life of the store an entry belongs to: a failover or a restored backup starts a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Epoch(pub i64);

impl Epoch {
    /// The life that begins after this one, at `now`. It is the instant itself, so that a copy of the store that begins one
    /// of its own at another time has another; and later than this one, whatever the clock says.
    #[must_use]
    pub fn next(self, now: UnixMillis) -> Self {
        Self(now.as_millis().max(self.0.saturating_add(1)))
    }
}

/// A place in the feed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FeedPosition {
    /// The life of the store.
    pub epoch: Epoch,
    /// Counts the entries of all epochs, without gaps; 0 before the first.
    pub seq: i64,
}

/// A hash over an entry and every entry before it: equal positions with unequal chains mean that two stores claim to be
/// one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Chain(pub [u8; 16]);

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The newest place in the feed, with its chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct FeedHead {
    /// Where the feed stands.
    pub position: FeedPosition,
    /// The chain up to there.
    pub chain: Chain,
}

/// An entry that a rule wants written, before the store gave it its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevocationDraft {
    /// The entry's own id: it survives failovers, so that adding a lost entry again is harmless.
    pub id: FeedEntryId,
    /// When the revocation happened.
    pub at: UnixMillis,
    /// When the last token that it could refuse has ended.
    pub drop_at: UnixMillis,
    /// What is revoked.
    pub revocation: Revocation,
}

impl RevocationDraft {
    /// An entry of `now`. It is kept for `longest_token_lifetime`, the longest an access token can live including the
    /// verifiers' leeway, and a minute more.
    pub fn new(
        revocation: Revocation,
        now: UnixMillis,
        longest_token_lifetime: Duration,
        entropy: &dyn Entropy,
    ) -> Self {
        let drop_at = now.plus(longest_token_lifetime).plus(Duration::from_mins(1));
        Self { id: FeedEntryId::generate(now, entropy), at: now, drop_at, revocation }
    }
}

/// One entry of the feed, in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedEntry {
    /// Its place and the chain up to it.
    pub head: FeedHead,
    /// What it says.
    pub draft: RevocationDraft,
}

impl FeedEntry {
    /// Gives `draft` the place after `previous`. Stores call this inside the transaction of the change.
    pub fn seal(previous: &FeedHead, draft: RevocationDraft) -> Self {
        let position = FeedPosition { epoch: previous.position.epoch, seq: previous.position.seq.saturating_add(1) };
        let chain = chain(previous.chain, position, &draft);
        Self { head: FeedHead { position, chain }, draft }
    }

    /// Whether this entry follows `previous` without gap or contradiction.
    pub fn follows(&self, previous: &FeedHead) -> bool {
        Self::seal(previous, self.draft.clone()).head == self.head
    }
}

fn chain(previous: Chain, position: FeedPosition, draft: &RevocationDraft) -> Chain {
    let (kind, key, argument) = draft.revocation.to_columns();
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(b"cf-feed");
    hash.update(&previous.0);
    for number in [position.epoch.0, position.seq, draft.at.as_millis(), draft.drop_at.as_millis(), argument] {
        hash.update(&number.to_be_bytes());
    }
    hash.update(draft.id.as_bytes());
    // The kind needs no length: a zero byte ends it, and the key is the rest.
    hash.update(kind.as_bytes());
    hash.update(&[0]);
    hash.update(key.as_bytes());
    hash.finish().as_ref().first_chunk().copied().map_or(Chain::default(), Chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }

    fn every_kind() -> Vec<Revocation> {
        vec![
            Revocation::Session(SessionId::from_bytes([1; 16])),
            Revocation::Subject {
                account: AccountId::from_bytes([2; 16]),
                minimum_generation: AccountGeneration::from_raw(3),
            },
            Revocation::Issuer { key: "https://auth.example.com".into(), cutoff: UnixMillis::from_millis(4) },
            Revocation::Token(TokenId::from_bytes([5; 16])),
            Revocation::Keys { version: 6 },
        ]
    }

    #[test]
    fn columns_carry_every_kind() {
        for revocation in every_kind() {
            let (kind, key, argument) = revocation.to_columns();
            assert_eq!(Revocation::from_columns(kind, &key, argument), Ok(revocation));
        }
        assert!(Revocation::from_columns("planet", "", 0).is_err());
        assert!(Revocation::from_columns("session", "not an id", 0).is_err());
    }

    #[test]
    fn the_chain_notices_any_change() {
        let mut head = FeedHead::default();
        let mut entries = Vec::new();
        for revocation in every_kind() {
            let lifetime = Duration::from_mins(30);
            let entry =
                FeedEntry::seal(&head, RevocationDraft::new(revocation, UnixMillis::from_millis(9), lifetime, &Fixed));
            assert!(entry.follows(&head));
            head = entry.head;
            entries.push(entry);
        }
        assert_eq!(head.position.seq, 5);
        assert!(!entries[1].follows(&FeedHead::default()), "an entry was left out");
        assert!(!entries[2].follows(&entries[0].head), "an entry was left out");
        let mut altered = entries[0].clone();
        altered.draft.at = UnixMillis::from_millis(10);
        assert!(!altered.follows(&FeedHead::default()));
    }
}
