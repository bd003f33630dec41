//! Instants and clocks. An instant is milliseconds since the Unix epoch, in a type of its own, so that seconds,
//! milliseconds and serials cannot be mistaken for one another.

use std::time::Duration;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Arithmetic saturates: a clock that jumps to an end of time makes sessions end, never makes the process panic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant `seconds` seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Later than every instant that comes: the end of what has no end.
    pub const NEVER: Self = Self(i64::MAX);

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: a `NumericDate` (RFC 7519 §2) of an instant in the past.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The instant `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this instant is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Where "now" comes from. Only startup makes a real one; tests and simulations pass their own.
pub trait Clock: Send + Sync {
    /// The current wall-clock instant. It may jump: rules that use it must stay safe when it does.
    fn now(&self) -> UnixMillis;

    /// Time since some fixed moment, by a clock that nobody can set. A clock that is never set may give its own time, as
    /// it does unless told otherwise.
    fn monotonic(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.now().as_millis()).unwrap_or(0))
    }

    /// Both at once. A clock that knows one by the other reads the machine's only once.
    fn read(&self) -> (UnixMillis, Duration) {
        (self.now(), self.monotonic())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_and_never_goes_negative_in_since() {
        let late = UnixMillis::from_millis(i64::MAX);
        assert_eq!(late.plus(Duration::from_secs(1)), late);
        assert_eq!(UnixMillis::from_seconds(1).since(UnixMillis::from_seconds(2)), Duration::ZERO);
        assert_eq!(UnixMillis::from_millis(-1).as_seconds(), -1);
        assert_eq!(UnixMillis::from_seconds(10).minus(Duration::from_millis(1)).as_millis(), 9_999);
    }
}
