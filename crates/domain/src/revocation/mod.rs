//! Revocation: the entries of the feed, and the ledger that every verifier holds in memory.
//!
//! A request is verified with the key and nothing else; the few tokens that must not be good any more are named in a
//! short feed ([`FeedEntry`]) that every verifier applies to its [`Ledger`]. An entry is written in the transaction of
//! the change that it tells of, and dropped when the last token that it could refuse has ended anyway.

mod asker;
mod entry;
mod follower;
mod ledger;

pub use asker::{AfterRewind, BETWEEN_EPOCHS, after_rewind, judge_place};
pub use entry::{Chain, Epoch, FeedEntry, FeedHead, FeedPosition, Revocation, RevocationDraft, UnknownRevocation};
pub use follower::{Anomaly, CONTESTED_FOR, FRESH_FOR, Follower, Freshness, Next, STALE_AFTER, proven_until};
pub use ledger::{LEDGER_ENTRIES_MAX, Ledger, Presented, Refusal};
