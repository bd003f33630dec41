//! Keeps this process's revocations up to date with the store's feed.
//!
//! What this process revokes is applied at once ([`App::apply_committed`](super::App)); this task brings what other
//! processes on the same store have revoked, such as the command line's `session end`.

use super::App;
use counterfoil_domain::{
    revocation::{Anomaly, FeedEntry, Next},
    store::StoreError,
};
use std::time::Duration;

/// How often the feed is read.
pub const FEED_POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The most entries read at a time.
const PAGE_ENTRIES_MAX: usize = 1_000;

impl App {
    /// Reads the feed up to its head and applies it. The first call makes the guard answer.
    ///
    /// # Errors
    /// The store's. What had been applied stays applied.
    pub async fn follow_feed(&self) -> Result<(), StoreError> {
        let revocations = &self.0.parts.revocations;
        loop {
            let asked_at = self.0.parts.clock.monotonic();
            let page = self.store().feed_after(revocations.applied().position.seq, PAGE_ENTRIES_MAX).await?;
            match revocations.read(&page, asked_at, self.0.parts.clock.monotonic()) {
                Next::Wait => return Ok(()),
                Next::ReadOn => {}
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
        let (mut head, mut after) = (None, 0);
        loop {
            let page = self.store().feed_after(after, PAGE_ENTRIES_MAX).await?;
            revocations.apply(page.entries.iter().map(|entry: &FeedEntry| &entry.draft));
            // Entries that are written meanwhile may come or not; the next reading brings them.
            let head = *head.get_or_insert(page.head);
            match page.entries.last() {
                Some(last) if page.entries.len() == PAGE_ENTRIES_MAX => after = last.head.position.seq,
                _ => {
                    revocations.take_snapshot(head, asked_at, self.0.parts.clock.monotonic());
                    return Ok(());
                }
            }
        }
    }
}
