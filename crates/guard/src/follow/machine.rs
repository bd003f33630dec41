//! The machine's clocks and randomness. The one place of this crate where they are read.

use counterfoil_domain::{
    entropy::Entropy,
    time::{Clock, UnixMillis},
};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Counts while the machine sleeps, as that of Linux does not otherwise: a laptop that wakes up knows that it knows nothing
/// since. On the others the plain one does.
#[cfg(any(target_os = "linux", target_os = "android"))]
const COUNTS_IN_SLEEP: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const COUNTS_IN_SLEEP: ClockId = ClockId::Monotonic;

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place where the real clock is read")]
    fn now(&self) -> UnixMillis {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        let time = clock_gettime(COUNTS_IN_SLEEP);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineEntropy;

impl Entropy for MachineEntropy {
    /// Here it spreads reconnections and tells processes apart: nothing is secret by it, so a failure is no reason to stop.
    #[expect(clippy::disallowed_methods, reason = "this is the place where real randomness is drawn")]
    fn fill(&self, bytes: &mut [u8]) {
        let _ = getrandom::fill(bytes);
    }
}
