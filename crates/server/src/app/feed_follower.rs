//! Keeps this process's revocations up to date with the store's feed.
//!
//! What this process revokes is applied at once ([`App::apply_committed`](super::App)); this task brings what other
//! processes on the same store have revoked, such as the command line's `session end`, and keeps the log from which
//! verifiers elsewhere are answered.

use super::{App, feed::Tail};
use counterfoil_domain::{
    revocation::{Anomaly, FeedEntry, Next},
    store::StoreError,
};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often the feed is read.
pub const FEED_POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The most entries read at a time.
const PAGE_ENTRIES_MAX: usize = 1_000;

impl App {
    /// Follows the feed until it is dropped: four times a second, and whenever something was written here. A failing store is
    /// logged once and tried again.
    pub(super) async fn keep_following(&self) {
        let mut poll = interval(FEED_POLL_INTERVAL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tokio::select! {
                // Often enough that a slewing clock is not taken for one that was set.
                _ = poll.tick() => drop(self.look_at_clocks(self.0.parts.clock.now())),
                () = self.0.feed.wake.notified() => {}
            }
            self.note_upkeep(&self.follow_feed().await, &mut failing);
        }
    }

    /// Tells the follower that there is something to read: a hint. Where it is lost the timer brings it.
    pub(super) fn wake_follower(&self) {
        if self.settings().feed_wake_ups {
            self.0.feed.wake.notify_one();
        }
    }

    /// Reads the feed up to its head and applies it. The first call makes the guard answer.
    ///
    /// # Errors
    /// The store's. What had been applied stays applied.
    pub async fn follow_feed(&self) -> Result<(), StoreError> {
        let (revocations, log) = (&self.0.parts.revocations, &self.0.feed.log);
        let _reading = self.0.feed.reading.lock().await;
        loop {
            let asked_at = self.0.parts.clock.monotonic();
            let page = self.store().feed_after(revocations.applied().position.seq, PAGE_ENTRIES_MAX).await?;
            // Before they count as applied: whoever has applied the feed up to a place has the keys of that place.
            self.load_keys_told_of(&page.entries).await?;
            match revocations.read(&page, asked_at, self.0.parts.clock.monotonic()) {
                Next::Wait => {
                    log.follow(&page.entries, Some(asked_at));
                    return Ok(());
                }
                Next::ReadOn => log.follow(&page.entries, None),
                Next::LoadSnapshot(anomaly) => {
                    if anomaly != Anomaly::Cold {
                        let (anomaly, applied) = (anomaly.as_str(), revocations.applied());
                        tracing::error!(anomaly, ?applied, head = ?page.head, "the feed is not the one it was: reading it anew");
                    }
                    return self.load_feed().await;
                }
                Next::Disregard(anomaly) => {
                    tracing::error!(anomaly = anomaly.as_str(), head = ?page.head, "the store is older than what was read of it");
                    return Ok(());
                }
            }
        }
    }

    /// Reads every living entry. What is known stays known: entries are only ever added, and each goes when its own time
    /// comes.
    async fn load_feed(&self) -> Result<(), StoreError> {
        let revocations = &self.0.parts.revocations;
        let asked_at = self.0.parts.clock.monotonic();
        let (mut head, mut after, mut tail) = (None, 0, Tail::default());
        loop {
            let page = self.store().feed_after(after, PAGE_ENTRIES_MAX).await?;
            self.load_keys_told_of(&page.entries).await?;
            revocations.apply(page.entries.iter().map(|entry: &FeedEntry| &entry.draft));
            // Entries that are written meanwhile may come or not; the next reading brings them.
            let head = *head.get_or_insert(page.head);
            let last = page.entries.last().filter(|_| page.entries.len() == PAGE_ENTRIES_MAX);
            let next = last.map(|last| last.head.position.seq);
            page.entries.into_iter().for_each(|entry| tail.push(entry));
            let Some(seq) = next else {
                // Its place first: whoever finds it in the log may ask what is in memory.
                if revocations.take_snapshot(head, asked_at, self.0.parts.clock.monotonic()) {
                    self.0.feed.log.begin(head, tail, asked_at);
                }
                return Ok(());
            };
            after = seq;
        }
    }
}
