//! The revocations that a verifier holds in memory, shared between those who read the feed and those who verify.

use crate::verified_cache::freshness::Changes;
use counterfoil_domain::{
    revocation::{FeedEntry, FeedHead, Ledger, Presented, Refusal},
    time::UnixMillis,
};
use parking_lot::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many entries are applied before those who wait to read get their turn.
const ENTRIES_PER_LOCK: usize = 256;

/// A ledger that one task keeps up to date and every request reads.
///
/// It begins cold: until the feed has been read once nothing is accepted, since a token that was revoked a minute ago
/// would look good.
#[derive(Default)]
pub struct Revocations {
    ledger: RwLock<Ledger>,
    changes: Changes,
    applied: RwLock<FeedHead>,
    loaded: AtomicBool,
}

impl Revocations {
    /// A cold one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies entries, in any order, as often as they come. It does not move the place that [`Self::applied`] tells.
    pub fn apply(&self, entries: &[FeedEntry]) {
        if entries.is_empty() {
            return;
        }
        for some in entries.chunks(ENTRIES_PER_LOCK) {
            let mut ledger = self.ledger.write();
            for entry in some {
                ledger.apply(entry);
            }
        }
        self.changes.add_one();
    }

    /// Says that everything up to `head` has been applied. After the first time the guard answers.
    pub fn advance_to(&self, head: FeedHead) {
        *self.applied.write() = head;
        self.loaded.store(true, Ordering::Release);
    }

    /// How far the feed has been applied.
    pub fn applied(&self) -> FeedHead {
        *self.applied.read()
    }

    /// Whether the feed has been read once.
    pub fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// Forgets what cannot matter any more.
    pub fn prune(&self, now: UnixMillis) {
        self.ledger.write().prune(now);
    }

    /// How many entries are held.
    pub fn len(&self) -> usize {
        self.ledger.read().len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts the times that entries were applied: a token that was not revoked at one count needs no looking up until
    /// the next.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(crate) fn refusal(&self, presented: &Presented<'_>) -> Option<Refusal> {
        self.ledger.read().refusal(presented)
    }
}
