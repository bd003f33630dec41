//! The revocations that a verifier holds in memory, shared between those who read the feed and those who verify.

use crate::verified_cache::freshness::Changes;
use counterfoil_domain::{
    revocation::{
        FeedEntry, FeedHead, FeedPosition, Follower, Freshness, Ledger, Next, Presented, Refusal, RevocationDraft,
    },
    store::FeedPage,
    time::UnixMillis,
};
use parking_lot::{Mutex, RwLock};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::sync::watch;

/// How many entries are applied before those who wait to read get their turn.
const ENTRIES_PER_LOCK: usize = 256;

/// A ledger that one task keeps up to date and every request reads.
///
/// It begins cold: until the feed has been read once nothing is accepted, since a token that was revoked a minute ago
/// would look good.
pub struct Revocations {
    ledger: RwLock<Ledger>,
    changes: Changes,
    follower: Mutex<Follower>,
    /// How far the feed is applied, for those who wait for a place.
    reached: watch::Sender<FeedPosition>,
    loaded: AtomicBool,
}

impl Default for Revocations {
    fn default() -> Self {
        let reached = watch::Sender::new(FeedPosition::default());
        Self {
            ledger: RwLock::default(),
            changes: Changes::default(),
            follower: Mutex::default(),
            reached,
            loaded: AtomicBool::default(),
        }
    }
}

impl Revocations {
    /// A cold one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies entries, in any order, as often as they come. It does not move the place that [`Self::applied`] tells.
    pub fn apply<'e>(&self, entries: impl IntoIterator<Item = &'e RevocationDraft>) {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_none() {
            return;
        }
        while entries.peek().is_some() {
            let mut ledger = self.ledger.write();
            entries.by_ref().take(ENTRIES_PER_LOCK).for_each(|entry| ledger.apply(entry));
        }
        self.changes.add_one();
    }

    /// Applies a page that was read after [`Self::applied`], and tells what to do next ([`Follower::read`]). `now` is when the
    /// answer is read, by the same clock.
    pub fn read(&self, page: &FeedPage, proven_until: Duration, now: Duration) -> Next {
        self.apply(page.entries.iter().map(|entry: &FeedEntry| &entry.draft));
        let next = self.follower.lock().read(page, proven_until, now);
        self.tell_place();
        next
    }

    /// Takes the place of a snapshot whose every entry was applied; from the first time on the guard answers. `false` if
    /// it is not to be believed ([`Follower::take_snapshot`]).
    pub fn take_snapshot(&self, head: FeedHead, proven_until: Duration, now: Duration) -> bool {
        let taken = self.follower.lock().take_snapshot(head, proven_until, now);
        if taken {
            self.loaded.store(true, Ordering::Release);
            self.tell_place();
        }
        taken
    }

    /// How far the feed has been applied.
    pub fn applied(&self) -> FeedHead {
        self.follower.lock().applied()
    }

    /// How fresh what is held is at `monotonic`, by the clock that the feed is followed with.
    pub fn freshness(&self, monotonic: Duration) -> Freshness {
        self.follower.lock().freshness(monotonic)
    }

    /// Until when everything is known, by the same clock.
    pub fn proven_until(&self) -> Option<Duration> {
        self.follower.lock().proven_until()
    }

    /// Waits until the feed is applied up to `position`, or that of a later life of the store.
    pub async fn reach(&self, position: FeedPosition) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.reached.subscribe().wait_for(|reached| *reached >= position).await;
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

    fn tell_place(&self) {
        let applied = self.follower.lock().applied().position;
        self.reached.send_if_modified(|reached| std::mem::replace(reached, applied) != applied);
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
