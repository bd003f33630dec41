//! The server's side of the revocation feed: what verifiers elsewhere are answered, and what is known of them.
//!
//! One task reads the store ([`super::App::keep_following`]) and keeps the newest entries in a [`log`](log::FeedLog);
//! every poll is answered from there. So a thousand verifiers cost the store what one does, and go on polling while it
//! does not answer (then what they hear is told to be old).

mod figures;
mod log;
mod poll;
mod receipt;
mod rewound;
mod snapshot;
mod state;
mod verifiers;

pub use figures::{Figure, FigureKind};
pub use poll::{FeedAnswer, FeedQuestion, POLL_WAIT_MAX};
pub use receipt::{RECEIPT_WAIT_MAX, SignOutOf};
pub use snapshot::{SNAPSHOT_TIME_MAX, SnapshotPlace};
pub use verifiers::ACCEPTS_FOR_MAX;

pub(super) use figures::FeedFigures;
pub(super) use log::{FeedLog, Tail};

use counterfoil_domain::time::Clock;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, Semaphore};
use verifiers::Verifiers;

/// The most polls without a name that are held at a time. Those with a name are bounded by how many verifiers are known.
const NAMELESS_HELD_MAX: usize = 1_000;
/// The most snapshots that are written at a time.
const SNAPSHOTS_MAX: usize = 4;

/// All of it.
pub(super) struct Feed {
    /// The newest entries.
    pub(super) log: FeedLog,
    /// Held by whoever reads the store's feed: two readings at once would see each other's as gaps.
    pub(super) reading: tokio::sync::Mutex<()>,
    /// Tells the follower that there is something to read.
    pub(super) wake: Notify,
    /// What is counted.
    pub(super) figures: FeedFigures,
    verifiers: Verifiers,
    nameless: Arc<Semaphore>,
    snapshots: Arc<Semaphore>,
    /// When the last epoch was begun here, by the clock that nobody can set.
    epoch_begun_at: Mutex<Option<Duration>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            log: FeedLog::default(),
            reading: tokio::sync::Mutex::default(),
            wake: Notify::new(),
            figures: FeedFigures::default(),
            verifiers: Verifiers::default(),
            nameless: Arc::new(Semaphore::new(NAMELESS_HELD_MAX)),
            snapshots: Arc::new(Semaphore::new(SNAPSHOTS_MAX)),
            epoch_begun_at: Mutex::default(),
        }
    }
}

impl Feed {
    /// Forgets verifiers that can accept nothing any more.
    pub(super) fn forget_verifiers(&self, clock: &dyn Clock) {
        self.verifiers.forget_dead(clock.monotonic());
    }
}
