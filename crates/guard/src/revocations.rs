//! The revocations that a verifier holds in memory, shared between those who read the feed and those who verify.

use counterfoil_domain::{
    revocation::{FeedEntry, FeedHead, Ledger, Presented, Refusal},
    time::UnixMillis,
};
use parking_lot::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// A ledger that one task keeps up to date and every request reads.
///
/// It begins cold: until the feed has been read once nothing is accepted, since a token that was revoked a minute ago
/// would look good.
#[derive(Default)]
pub struct Revocations {
    ledger: RwLock<Ledger>,
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
        let mut ledger = self.ledger.write();
        for entry in entries {
            ledger.apply(entry);
        }
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

    pub(crate) fn refusal(&self, presented: &Presented<'_>) -> Option<Refusal> {
        self.ledger.read().refusal(presented)
    }
}
