//! Noticing that somebody set the clock.
//!
//! A wall clock that jumps ahead makes everything under way look old: a retry seconds after its first attempt is judged
//! as hours late, gets a sibling, and two tabs of one honest client part. The rule cannot see that by itself, so whoever
//! runs it compares the wall clock with one that nobody can set, and treats a jump as a failover is treated: by opening a
//! [`LossWindow`]. A clock that goes back needs nothing: ages become zero, and serials rise by their fence.

use super::LossWindow;
use crate::time::UnixMillis;
use std::time::Duration;

/// A difference smaller than this between two looks is drift or slewing, and far below the retry window.
const JUMP_MIN: Duration = Duration::from_millis(JUMP_MIN_MILLIS);
const JUMP_MIN_MILLIS: u64 = 1_000;

/// What was seen of the two clocks so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClockJumps {
    /// Wall clock less monotonic clock at the last look, in milliseconds.
    offset_millis: Option<i64>,
    window: Option<LossWindow>,
    /// The monotonic clock at the first look, or at the last one that saw a jump.
    steady_since: Option<Duration>,
}

impl ClockJumps {
    /// Looks at both clocks, and gives the loss window that a jump has opened, if one is still open. Look at least every
    /// few minutes, so that slewing is not taken for a jump.
    pub fn observe(&mut self, wall: UnixMillis, monotonic: Duration, retry_window: Duration) -> Option<LossWindow> {
        let offset = wall.minus(monotonic).as_millis();
        let is_jump = |before: i64| before.abs_diff(offset) >= JUMP_MIN_MILLIS;
        if self.offset_millis.is_none_or(is_jump) {
            self.steady_since = Some(monotonic);
        }
        if let Some(before) = self.offset_millis.replace(offset) {
            let jump = UnixMillis::from_millis(offset).since(UnixMillis::from_millis(before));
            if jump >= JUMP_MIN {
                let opened = LossWindow { from: wall.minus(jump), until: wall.plus(retry_window) };
                self.window = Some(self.window.map_or(opened, |window| window.joined(&opened)));
            }
        }
        self.window = self.window.filter(|window| window.is_open(wall));
        self.window
    }

    /// Whether that which is kept for `kept_for` and ends at a time of its own, such as a revocation, may be forgotten when
    /// that time has come: only once the wall clock has been seen to go steadily for as long, neither set ahead nor back.
    ///
    /// A clock that is wrong for a while makes the time come early, be it that it was written down or looked at then.
    pub fn may_forget(&self, monotonic: Duration, kept_for: Duration) -> bool {
        self.steady_for(monotonic) >= kept_for
    }

    /// For how long the wall clock has been seen to go steadily, neither set ahead nor back.
    pub fn steady_for(&self, monotonic: Duration) -> Duration {
        self.steady_since.map_or(Duration::ZERO, |since| monotonic.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const G: Duration = Duration::from_secs(15);

    fn at(seconds: i64) -> UnixMillis {
        UnixMillis::from_seconds(seconds)
    }

    fn uptime(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_jump_ahead_opens_a_window_that_closes_by_itself() {
        let mut jumps = ClockJumps::default();
        assert_eq!(jumps.observe(at(1_000), uptime(10), G), None);
        assert_eq!(jumps.observe(at(1_060), uptime(70), G), None);
        let window = LossWindow { from: at(1_061), until: at(4_661 + 15) };
        assert_eq!(jumps.observe(at(4_661), uptime(71), G), Some(window));
        assert_eq!(jumps.observe(at(4_676), uptime(86), G), Some(window));
        assert_eq!(jumps.observe(at(4_677), uptime(87), G), None);
    }

    #[test]
    fn slewing_and_going_back_open_none() {
        let mut jumps = ClockJumps::default();
        for step in 0..100 {
            // Half a second gained in each look.
            let wall = UnixMillis::from_millis(1_000_000 + step * 1_500);
            assert_eq!(jumps.observe(wall, uptime(u64::try_from(step).unwrap()), G), None);
        }
        assert_eq!(jumps.observe(at(5), uptime(200), G), None);
    }

    #[test]
    fn steady_means_neither_ahead_nor_back() {
        let mut jumps = ClockJumps::default();
        assert_eq!(jumps.steady_for(uptime(99)), Duration::ZERO, "before the first look");
        let mut look = |wall, monotonic| {
            jumps.observe(at(wall), uptime(monotonic), G);
            jumps.steady_for(uptime(monotonic)).as_secs()
        };
        assert_eq!([look(1_000, 10), look(1_050, 60)], [0, 50]);
        assert_eq!([look(9_000, 61), look(9_030, 91)], [0, 30], "set ahead");
        assert_eq!([look(2_000, 92), look(2_008, 100)], [0, 8], "set back");
        assert!(!jumps.may_forget(uptime(151), Duration::from_mins(1)));
        assert!(jumps.may_forget(uptime(152), Duration::from_mins(1)));
    }

    #[test]
    fn two_jumps_make_one_window() {
        let mut jumps = ClockJumps::default();
        jumps.observe(at(1_000), uptime(0), G);
        jumps.observe(at(2_000), uptime(1), G);
        let joined = LossWindow { from: at(1_001), until: at(3_000 + 15) };
        assert_eq!(jumps.observe(at(3_000), uptime(2), G), Some(joined));
    }
}
