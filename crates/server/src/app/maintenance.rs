//! What the running server does by itself: follow the feed, tend the keys, forget what has ended.

use super::{App, rotate_keys::KEYS_INTERVAL};
use counterfoil_domain::store::StoreError;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often memory and store are cleared of what has ended.
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);
/// A call that forgets so many has more to do.
const PRUNED_AT_ONCE: usize = 500;
/// The most calls in a row, before the feed is read again. They keep up with some 500 sign-ins and sign-outs a second.
const PRUNE_CALLS_MAX: usize = 30;
/// Between two of them.
const PRUNE_PAUSE: Duration = Duration::from_millis(5);
/// How long a session is kept after its absolute limit, so that its person still finds it in exports and logs.
const KEEP_ENDED_SESSIONS_FOR: Duration = Duration::from_hours(24);

impl App {
    /// Follows the feed, tends the keys and prunes, until it is dropped. A failing store is logged once and tried again.
    pub async fn maintain(self) {
        // Beside each other: a long pruning must not hold a sign-out up.
        tokio::join!(self.keep_following(), self.keep_keys_tended(), self.keep_pruned());
    }

    async fn keep_keys_tended(&self) {
        let mut look = interval(KEYS_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            look.tick().await;
            self.note_upkeep(&self.tend_keys().await, &mut failing);
        }
    }

    async fn keep_pruned(&self) {
        let mut prune = interval(PRUNE_INTERVAL);
        prune.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            prune.tick().await;
            self.note_upkeep(&self.prune().await, &mut failing);
        }
    }

    /// Tells of a store that begins to fail, and of one that answers again.
    pub(super) fn note_upkeep(&self, result: &Result<(), StoreError>, failing: &mut bool) {
        match result {
            Ok(()) if *failing => {
                *failing = false;
                tracing::info!("the store answers again");
            }
            Ok(()) => {}
            Err(error) => {
                self.0.feed.figures.store_failures.add();
                if !*failing {
                    *failing = true;
                    tracing::error!(%error, "the store does not answer; signed-in requests go on, and it is tried again");
                }
            }
        }
    }

    /// Forgets what has ended: revocations of tokens that have all expired, sessions and audit lines past their time.
    ///
    /// Nothing is forgotten while the clock is not trusted to tell what is past its time
    /// ([`ClockJumps::may_forget`](counterfoil_domain::rotation::ClockJumps::may_forget)).
    ///
    /// # Errors
    /// The store's. What memory holds is forgotten all the same.
    pub async fn prune(&self) -> Result<(), StoreError> {
        let now = self.0.parts.clock.now();
        self.look_at_clocks(now);
        self.0.feed.forget_verifiers(&*self.0.parts.clock);
        let (monotonic, kept_for) = (self.0.parts.clock.monotonic(), self.settings().longest_token_lifetime());
        if !self.0.clock_jumps.lock().may_forget(monotonic, kept_for) {
            return Ok(());
        }
        self.0.parts.revocations.prune(now);
        let events_before = now.minus(self.settings().audit_retention);
        let mut forgotten = 0;
        // Each call is short, so that others get their turn; while there is more than one call forgets, the next follows.
        for _ in 0..PRUNE_CALLS_MAX {
            let some = self.store().prune(now, now.minus(KEEP_ENDED_SESSIONS_FOR), events_before).await?;
            forgotten += some;
            if some < PRUNED_AT_ONCE {
                break;
            }
            tokio::time::sleep(PRUNE_PAUSE).await;
        }
        if forgotten > 0 {
            tracing::debug!(forgotten, "pruned the store");
        }
        Ok(())
    }
}
