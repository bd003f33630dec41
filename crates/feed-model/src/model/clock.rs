//! Time, relative to now.
//!
//! Every instant is kept as an age in ticks, so that two states that differ only in when they happen are one. Ages from
//! [`Clock::age_max`] on are one age: all of them are older than anything may be that is still believed.

use counterfoil_domain::revocation::{CONTESTED_FOR, STALE_AFTER};
use std::time::Duration;

/// Ticks ago.
pub(super) type Age = u8;

/// "Now", as production code sees it. Far enough from zero that no age reaches it.
pub(super) const NOW: Duration = Duration::from_hours(1_000);

/// The step of time and what follows from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    tick: Duration,
}

impl Clock {
    pub(super) fn new(tick: Duration) -> Self {
        Self { tick }
    }

    /// Ticks in a duration, rounded down.
    pub(super) fn ticks(self, duration: Duration) -> Age {
        Age::try_from(duration.as_millis() / self.tick.as_millis().max(1)).unwrap_or(Age::MAX)
    }

    pub(super) fn duration(self, ticks: Age) -> Duration {
        self.tick * u32::from(ticks)
    }

    pub(super) fn instant(self, age: Age) -> Duration {
        NOW.saturating_sub(self.duration(age))
    }

    /// The age of an instant. What lies ahead has no age.
    pub(super) fn age(self, instant: Duration) -> Age {
        self.ticks(NOW.saturating_sub(instant))
    }

    /// The oldest proof that is still as good as any.
    pub(super) fn stale_after(self) -> Age {
        self.ticks(STALE_AFTER)
    }

    /// How long a contradiction is remembered.
    pub(super) fn contested_for(self) -> Age {
        self.ticks(CONTESTED_FOR)
    }

    /// The age of everything that is older than what counts.
    pub(super) fn age_max(self) -> Age {
        self.stale_after() + 1
    }

    /// As far behind as a node is told to be. Older than any place that was reached: who is behind for long is behind
    /// everything.
    pub(super) fn copy_max(self) -> Age {
        self.age_max() + 2
    }

    /// The same age one tick later.
    pub(super) fn older(self, age: Age) -> Age {
        age.saturating_add(1).min(self.age_max())
    }
}
