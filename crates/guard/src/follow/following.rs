//! The server behind a following guard, and the tasks that keep up with it.

use super::{introspection::Introspection, keys::TakeKeys, shared::Shared, task::FeedTask, telemetry};
use crate::{
    LookupError,
    status::{GuardState, GuardStatus},
    upstream::{Introspected, Upstream, Waiting},
};
use counterfoil_domain::{rotation::ClockJumps, time::Clock};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::MissedTickBehavior,
};

/// How often it is looked whether the state has changed.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// So often what cannot matter any more is forgotten, in looks.
const LOOKS_PER_PRUNING: u32 = 240;

/// What a guard holds of the server that it follows. When it goes, the tasks end.
pub(crate) struct Following {
    shared: Arc<Shared>,
    introspection: Arc<Introspection>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Following {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let introspection = Arc::new(Introspection::new());
        Self { shared, introspection, stop: watch::Sender::new(false), tasks: Mutex::default() }
    }

    /// Starts the tasks; the first outcome comes by what is returned.
    pub(crate) fn start(&self, take: TakeKeys) -> oneshot::Receiver<Result<(), super::error::Failure>> {
        let (first, outcome) = oneshot::channel();
        let keys = Arc::clone(&self.shared.keys);
        let feed = FeedTask::new(Arc::clone(&self.shared)).run(self.stop.subscribe(), first);
        let tasks = [
            tokio::spawn(feed),
            tokio::spawn(until_stopped(self.stop.subscribe(), async move { keys.run(take).await })),
            tokio::spawn(until_stopped(self.stop.subscribe(), look_after(Arc::clone(&self.shared)))),
        ];
        self.tasks.lock().extend(tasks);
        outcome
    }
}

impl Upstream for Following {
    fn load_unknown_key(&self) -> Waiting<'_, bool> {
        Box::pin(self.shared.keys.load_unknown())
    }

    fn introspect<'a>(&'a self, token: &'a str) -> Waiting<'a, Result<Introspected, LookupError>> {
        Box::pin(self.introspection.ask(&self.shared, token))
    }

    fn may_accept_for(&self, open_for: Duration) {
        self.shared.may_accept_for(open_for);
    }

    fn status(&self) -> GuardStatus {
        self.shared.status()
    }

    fn shut_down(&self) -> Waiting<'_, ()> {
        Box::pin(async {
            self.stop.send_replace(true);
            let tasks = std::mem::take(&mut *self.tasks.lock());
            for task in tasks {
                // One that panicked has ended as well.
                let _ = task.await;
            }
        })
    }
}

async fn until_stopped(mut stop: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        // An error is the guard gone.
        _ = stop.wait_for(|stop| *stop) => {}
        () = work => {}
    }
}

/// Tells of each change of state, keeps the gauges, and forgets what cannot matter any more.
async fn look_after(shared: Arc<Shared>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut told, mut count, mut jumps) = (None, 0_u32, ClockJumps::default());
    loop {
        looks.tick().await;
        let status = shared.status();
        telemetry::standing(&status, &shared.target.issuer);
        if told.replace(status.state) != Some(status.state) {
            tell(&shared, &status);
        }
        let (now, monotonic) = shared.clock.read();
        jumps.observe(now, monotonic, Duration::ZERO);
        count = count.wrapping_add(1);
        // A server's clock that was wrong for a while would make entries go early, and signed-out tokens good again.
        if count.is_multiple_of(LOOKS_PER_PRUNING) && jumps.may_forget(monotonic, shared.kept_for()) {
            shared.revocations.prune(now);
        }
    }
}

fn tell(shared: &Shared, status: &GuardStatus) {
    let (issuer, state) = (shared.target.issuer.as_str(), status.state.as_str());
    let (epoch, seq) = (status.applied.epoch.0, status.applied.seq);
    match status.state {
        GuardState::Cold => {
            tracing::info!(
                issuer,
                state,
                verifier = status.verifier,
                "the revocations are not loaded yet: protected routes answer 503"
            );
        }
        GuardState::Snapshot => tracing::info!(issuer, state, "every living revocation is being loaded"),
        GuardState::InSync => {
            tracing::info!(
                issuer,
                state,
                epoch,
                seq,
                entries = status.entries,
                keys = status.keys,
                "every sign-out is known"
            );
        }
        GuardState::Stale => {
            let failure = status.last_failure.as_deref().unwrap_or_default();
            tracing::warn!(
                issuer,
                state,
                failure,
                "it cannot be proven any more that every sign-out is known: each route does as its policy says"
            );
        }
        GuardState::Resync => tracing::warn!(issuer, state, "everything is loaded anew; what is held stays refused"),
    }
}
