//! Keeps this process's revocations up to date with the store's feed.
//!
//! What this process revokes is applied at once ([`App::apply_committed`](super::App)); this task brings what other
//! processes on the same store have revoked, such as the command line's `session end`.

use super::App;
use counterfoil_domain::{
    revocation::{FeedEntry, FeedHead},
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
        let mut applied = revocations.applied();
        loop {
            let page = self.store().feed_after(applied.position.seq, PAGE_ENTRIES_MAX).await?;
            if is_another_history(&applied, &page.head) {
                // A restored backup, or another store in this one's place. What is known stays known: entries are only
                // ever added, and each goes when its own time comes. Read everything from the beginning.
                tracing::error!(?applied, head = ?page.head, "the feed has another history than before: reading it anew");
                applied = FeedHead::default();
                revocations.advance_to(applied);
                continue;
            }
            revocations.apply(&page.entries);
            for entry in &page.entries {
                if breaks_chain(&applied, entry) {
                    let seq = entry.head.position.seq;
                    tracing::error!(
                        seq,
                        "the feed's chain is broken: two servers write to copies of one store; stop one"
                    );
                }
                applied = entry.head;
            }
            let more = page.entries.len() == PAGE_ENTRIES_MAX;
            if !more {
                applied = page.head;
            }
            revocations.advance_to(applied);
            if !more {
                return Ok(());
            }
        }
    }
}

/// Whether an entry contradicts the one before it. The first that is read has none before it (a feed begins in an epoch
/// of its own, and entries past their time are pruned from the front), and neither has one behind a pruned gap.
fn breaks_chain(applied: &FeedHead, entry: &FeedEntry) -> bool {
    let (before, seq) = (applied.position.seq, entry.head.position.seq);
    before > 0 && seq == before.saturating_add(1) && !entry.follows(applied)
}

/// Whether the store has less than what was applied, or something else at the same place.
fn is_another_history(applied: &FeedHead, head: &FeedHead) -> bool {
    let (before, now) = (applied.position, head.position);
    // Before anything has been applied every history is new.
    before.seq > 0 && (now.seq < before.seq || (now.seq == before.seq && applied.chain != head.chain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_domain::{
        id::FeedEntryId,
        revocation::{Chain, Epoch, FeedPosition, Revocation, RevocationDraft},
        time::UnixMillis,
    };

    fn head(seq: i64, chain: u8) -> FeedHead {
        FeedHead { position: FeedPosition { epoch: Epoch(1), seq }, chain: Chain([chain; 16]) }
    }

    #[test]
    fn only_a_contradiction_breaks_the_chain() {
        let entry_after = |before: FeedHead| {
            let (id, at) = (FeedEntryId::from_bytes([1; 16]), UnixMillis::from_millis(1));
            FeedEntry::seal(
                &before,
                RevocationDraft { id, at, drop_at: at, revocation: Revocation::Keys { version: 1 } },
            )
        };
        assert!(
            !breaks_chain(&FeedHead::default(), &entry_after(head(0, 0))),
            "the first of a feed, read after a start"
        );
        assert!(!breaks_chain(&head(5, 1), &entry_after(head(5, 1))));
        assert!(!breaks_chain(&head(5, 1), &entry_after(head(8, 1))), "behind a pruned gap");
        assert!(breaks_chain(&head(5, 1), &entry_after(head(5, 2))));
    }

    #[test]
    fn less_or_other_than_before_is_another_history() {
        assert!(!is_another_history(&head(5, 1), &head(5, 1)));
        assert!(!is_another_history(&head(5, 1), &head(9, 2)));
        assert!(is_another_history(&head(5, 1), &head(5, 2)));
        assert!(is_another_history(&head(5, 1), &head(4, 1)));
        assert!(!is_another_history(&FeedHead::default(), &head(0, 7)), "else a cold start would never end");
    }
}
