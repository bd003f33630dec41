//! The five numbers a session keeps about its refresh tokens.

use crate::time::UnixMillis;
use std::time::Duration;

/// The place of a refresh token in its session: a hybrid clock (physical milliseconds, pushed forward where they would
/// repeat; Kulkarni et al., "Logical Physical Clocks", 2014). It never repeats or goes back within a session, whatever
/// the wall clock does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Serial(i64);

impl Serial {
    /// A serial as a store or a token kept it.
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    /// The number, to store it or to put it into a token.
    pub const fn as_raw(self) -> i64 {
        self.0
    }

    /// The instant the serial was minted at. It may be ahead of the wall clock where serials came in quick succession
    /// or the clock went back.
    pub const fn minted_at(self) -> UnixMillis {
        UnixMillis::from_millis(self.0)
    }

    const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The rotation part of a session's row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rotation {
    /// The last serial presented.
    pub head: Serial,
    /// When `head` was first presented, as the serial minted then: at once a time and a fence between generations.
    pub head_at: Serial,
    /// The newest successor of `head`.
    pub child: Serial,
    /// When `child` was last handed out.
    pub given: UnixMillis,
    /// The head before this one.
    pub prev: Serial,
}

impl Rotation {
    /// The row of a session opened at `now`: its first token is `child`, and nothing has been presented yet.
    pub fn open(now: UnixMillis) -> Self {
        let first = Serial(now.as_millis().max(1));
        Self { head: Serial(0), head_at: first, child: first, given: now, prev: Serial(-1) }
    }

    /// A serial above every serial of this session that can exist: above what the row knows, above `presented` (which a
    /// failover may have made newer than the row), and not behind the clock.
    pub(super) fn mint(&self, now: UnixMillis, presented: Serial) -> Serial {
        Serial(now.as_millis()).max(self.child.next()).max(self.head_at.next()).max(presented.next())
    }
}

/// Serials whose writes may have been lost when a standby without the newest log was promoted, or a backup restored.
///
/// From one second before the last heartbeat found in the promoted store until the new epoch's start plus the retry
/// window. There is none unless the store's epoch changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LossWindow {
    /// First instant whose writes may be missing.
    pub from: UnixMillis,
    /// Last instant at which a client may still come with a token from a lost write.
    pub until: UnixMillis,
}

impl LossWindow {
    /// The window after a promotion: `last_heartbeat` is the newest found in the promoted store, `epoch_start` is the
    /// new primary's clock, which may be behind the old one's.
    pub fn after_promotion(last_heartbeat: UnixMillis, epoch_start: UnixMillis, retry_window: Duration) -> Self {
        Self {
            from: last_heartbeat.minus(Duration::from_secs(1)),
            until: epoch_start.max(last_heartbeat).plus(retry_window),
        }
    }

    /// Whether the window is still open: what is presented now may stem from before.
    pub fn is_open(&self, now: UnixMillis) -> bool {
        now <= self.until
    }

    /// A window over both.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        Self { from: self.from.min(other.from), until: self.until.max(other.until) }
    }

    /// Whether a serial was minted inside the window.
    pub fn contains(&self, serial: Serial) -> bool {
        self.from <= serial.minted_at() && serial.minted_at() <= self.until
    }
}
