//! The server's clock, kept on the machine's monotonic one.
//!
//! Tokens are minted by the server's clock and end by it. A service whose own clock is two minutes off, or is set in the
//! middle of the day, would refuse good tokens or take ended ones; so it asks its own clock only how much time has passed.

use counterfoil_domain::time::{Clock, UnixMillis};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// An answer that was longer on its way says too little of what the server's clock shows now.
const TRANSIT_MAX: Duration = Duration::from_secs(1);
/// Nothing was learnt yet.
const UNKNOWN: i64 = i64::MIN;

/// What the server's clock showed in an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// What it showed when the answer went out.
    pub(crate) now: UnixMillis,
    /// When the question went out, by the machine's monotonic clock.
    pub(crate) sent_at: Duration,
    /// When the answer came.
    pub(crate) received_at: Duration,
    /// How long the server had held the question.
    pub(crate) held: Duration,
}

/// What the server's clock shows.
pub(crate) struct ServerClock {
    machine: Arc<dyn Clock>,
    /// The server's clock less the machine's monotonic one.
    offset_ms: AtomicI64,
}

impl ServerClock {
    pub(crate) fn new(machine: Arc<dyn Clock>) -> Self {
        Self { machine, offset_ms: AtomicI64::new(UNKNOWN) }
    }

    /// Learns from an answer that is believed. Half of the way is taken to be the way back (RFC 5905 §8 does the same).
    pub(crate) fn learn(&self, Shown { now, sent_at, received_at, held }: Shown) {
        let in_transit = received_at.saturating_sub(sent_at).saturating_sub(held);
        if in_transit > TRANSIT_MAX && self.offset_ms.load(Ordering::Relaxed) != UNKNOWN {
            return;
        }
        let shown = now.plus(in_transit / 2).as_millis();
        // One less than the smallest is no loss.
        self.offset_ms.store(shown.saturating_sub(millis(received_at)).max(UNKNOWN + 1), Ordering::Relaxed);
    }
}

impl Clock for ServerClock {
    fn now(&self) -> UnixMillis {
        self.read().0
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    fn read(&self) -> (UnixMillis, Duration) {
        let monotonic = self.machine.monotonic();
        let now = match self.offset_ms.load(Ordering::Relaxed) {
            // Nothing is let in before the server has answered.
            UNKNOWN => self.machine.now(),
            offset_ms => UnixMillis::from_millis(millis(monotonic).saturating_add(offset_ms)),
        };
        (now, monotonic)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;

    /// Wall clock and monotonic one, each to be turned.
    struct Hands(Mutex<(i64, u64)>);

    impl Clock for Hands {
        fn now(&self) -> UnixMillis {
            UnixMillis::from_millis(self.0.lock().0)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.0.lock().1)
        }
    }

    #[test]
    fn the_servers_clock_goes_on_whatever_happens_to_ours() {
        let hands = Arc::new(Hands(Mutex::new((7, 1_000))));
        let clock = ServerClock::new(hands.clone());
        assert_eq!(clock.now().as_millis(), 7);
        let ms = Duration::from_millis;
        let learn = |now, sent, received, held| {
            let (sent_at, received_at, held) = (ms(sent), ms(received), ms(held));
            clock.learn(Shown { now: UnixMillis::from_millis(now), sent_at, received_at, held });
        };
        learn(500_000, 600, 1_000, 300);
        assert_eq!(clock.now().as_millis(), 500_050, "half of a tenth of a second on its way");
        *hands.0.lock() = (-3_600_000, 2_000);
        assert_eq!(clock.read(), (UnixMillis::from_millis(501_050), ms(2_000)));
        // Late on its way: it says nothing new.
        learn(900_000, 0, 1_900, 0);
        assert_eq!(clock.now().as_millis(), 501_050);
        // The server's own clock was set: its tokens go by it, and so do we.
        learn(900_000, 2_000, 2_000, 0);
        assert_eq!(clock.now().as_millis(), 900_000);
    }
}
