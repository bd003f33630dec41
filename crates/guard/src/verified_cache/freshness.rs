//! When something that was looked up must be looked up again: not before it has changed.

use std::sync::atomic::Ordering;

use super::sync::AtomicU64;

/// Counts the changes of something shared. Whoever changes it counts *after* the change can be seen, and before saying
/// that it is done.
#[derive(Default)]
pub(crate) struct Changes(AtomicU64);

impl Changes {
    /// How many there were. Read it before looking anything up.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// One more.
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// The count at which a look-up last came out well.
pub(crate) struct GoodAt(AtomicU64);

impl GoodAt {
    /// Looked up when there were `count` changes, or later.
    pub(crate) fn new(count: u64) -> Self {
        Self(AtomicU64::new(count))
    }

    /// Whether it is still good: nothing has changed, or `looks_good` says so.
    ///
    /// Holds for what, once bad, stays bad. A look-up may see more changes than were counted; then the next caller looks
    /// again in vain, which costs a look-up and nothing else. The same when a slow thread writes an older count over a
    /// newer one.
    pub(crate) fn is_still_good(&self, changes: &Changes, looks_good: impl FnOnce() -> bool) -> bool {
        let count = changes.count();
        if self.0.load(Ordering::Relaxed) == count {
            return true;
        }
        let good = looks_good();
        if good {
            self.0.store(count, Ordering::Relaxed);
        }
        good
    }
}
