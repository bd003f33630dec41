//! Counting what the writer does: group commit is a promise about numbers, so tests and operators can see them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What the writer has done since the store was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SqliteStatistics {
    /// Calls that were answered, whatever the answer.
    pub calls: u64,
    /// Transactions made durable. Calls that change nothing need none.
    pub commits: u64,
    /// The most calls answered by one transaction.
    pub largest_batch: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    calls: AtomicU64,
    commits: AtomicU64,
    largest_batch: AtomicU64,
}

impl Counters {
    pub(crate) fn batch(&self, calls: usize) {
        let calls = u64::try_from(calls).unwrap_or(u64::MAX);
        self.calls.fetch_add(calls, Relaxed);
        self.largest_batch.fetch_max(calls, Relaxed);
    }

    pub(crate) fn commit(&self) {
        self.commits.fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self) -> SqliteStatistics {
        SqliteStatistics {
            calls: self.calls.load(Relaxed),
            commits: self.commits.load(Relaxed),
            largest_batch: self.largest_batch.load(Relaxed),
        }
    }
}
