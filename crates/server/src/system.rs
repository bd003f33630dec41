//! The one real clock and the one real source of randomness. Only startup hands them out.

use counterfoil_domain::{entropy::Entropy, time::Clock, time::UnixMillis};
use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// When the process first looked at the clock that nobody can set.
#[expect(clippy::disallowed_methods, reason = "this is the place where the real clock is read")]
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place where the real clock is read")]
    fn now(&self) -> UnixMillis {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        STARTED.elapsed()
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the place where real randomness is drawn")]
    #[expect(
        clippy::expect_used,
        reason = "without randomness nothing may go on: a predictable key is worse than a crash"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives no randomness");
    }
}
