//! What the tasks of a following guard, and the guard itself, share.

use super::{
    clock::ServerClock,
    discovery::{Endpoints, Target},
    error::Failure,
    http::Http,
    keys::KeySource,
    telemetry,
};
use crate::{
    Revocations,
    status::{GuardState, GuardStatus},
};
use counterfoil_domain::{
    entropy::{Entropy, random_bytes},
    revocation::{Anomaly, Freshness, STALE_AFTER},
    time::Clock,
};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What the feed task is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Finding out where things are.
    Discovering,
    /// Loading every living entry.
    Loading,
    /// Asking for news.
    Following,
}

/// What every task has.
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) verifier: String,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) clock: Arc<ServerClock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) http: Arc<Http>,
    pub(crate) keys: Arc<KeySource>,
    /// How long the most lenient route goes on without a proof, in milliseconds.
    open_for_ms: AtomicU64,
    /// The longest that any entry was to be kept, in milliseconds.
    kept_for_ms: AtomicU64,
    notes: Mutex<Notes>,
}

struct Notes {
    stage: Stage,
    endpoints: Option<Arc<Endpoints>>,
    last_failure: Option<String>,
    last_anomaly: Option<Anomaly>,
}

impl Shared {
    pub(crate) fn new(
        target: Target,
        verifier: String,
        revocations: Arc<Revocations>,
        clock: Arc<ServerClock>,
        entropy: Arc<dyn Entropy>,
        http: Arc<Http>,
        keys: Arc<KeySource>,
    ) -> Self {
        let notes = Notes { stage: Stage::Discovering, endpoints: None, last_failure: None, last_anomaly: None };
        let (open_for_ms, kept_for_ms, notes) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(notes));
        Self { target, verifier, revocations, clock, entropy, http, keys, open_for_ms, kept_for_ms, notes }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.notes.lock().stage
    }

    pub(crate) fn enter(&self, stage: Stage) {
        self.notes.lock().stage = stage;
    }

    /// The server's addresses, once they are known.
    pub(crate) fn endpoints(&self) -> Option<Arc<Endpoints>> {
        self.notes.lock().endpoints.clone()
    }

    pub(crate) fn found(&self, endpoints: Endpoints) {
        self.keys.found_at(endpoints.keys.clone());
        self.notes.lock().endpoints = Some(Arc::new(endpoints));
    }

    /// Remembers and counts what went wrong, and says it to whoever reads the log. `times` in a row.
    pub(crate) fn went_wrong(&self, failure: &Failure, times: u32) {
        telemetry::failure(failure.kind().as_str());
        let issuer = self.target.issuer.as_str();
        let mut notes = self.notes.lock();
        notes.last_failure = Some(failure.to_string());
        if let Failure::Anomaly(anomaly) = failure {
            notes.last_anomaly = Some(*anomaly);
        }
        drop(notes);
        match failure {
            Failure::Anomaly(anomaly) => telemetry::anomaly(*anomaly, issuer),
            // Each time, however often: nothing but a person mends it.
            Failure::Configuration(error) => tracing::error!(issuer, "the server cannot be followed: {error}"),
            // One that comes once and goes is no news, and of many in a row the second, fourth, eighth and so on tell it all:
            // each is in the metrics.
            passing if times > 1 && times.is_power_of_two() => {
                tracing::warn!(issuer, failure = %passing, times, "the server gives no answer");
            }
            passing => tracing::debug!(issuer, failure = %passing, times, "the server gives no answer"),
        }
    }

    pub(crate) fn went_well(&self) {
        self.notes.lock().last_failure = None;
    }

    pub(crate) fn may_accept_for(&self, open_for: Duration) {
        let open_for_ms = u64::try_from(open_for.as_millis()).unwrap_or(u64::MAX);
        self.open_for_ms.fetch_max(open_for_ms, Ordering::Relaxed);
    }

    /// How long tokens may be accepted after the last word from the server, in whole seconds: so long the server waits for
    /// this verifier before it says that a sign-out is in effect everywhere.
    pub(crate) fn accepts_for_seconds(&self) -> u64 {
        (STALE_AFTER + Duration::from_millis(self.open_for_ms.load(Ordering::Relaxed)))
            .as_millis()
            .div_ceil(1_000)
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// An entry is to be kept for so long after it was written.
    pub(crate) fn is_kept_for(&self, kept_for: Duration) {
        self.kept_for_ms.fetch_max(u64::try_from(kept_for.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The longest that any entry was to be kept: no token lives longer.
    pub(crate) fn kept_for(&self) -> Duration {
        Duration::from_millis(self.kept_for_ms.load(Ordering::Relaxed))
    }

    pub(crate) fn freshness(&self) -> Freshness {
        self.revocations.freshness(self.clock.monotonic())
    }

    pub(crate) fn status(&self) -> GuardStatus {
        let now = self.clock.monotonic();
        let notes = self.notes.lock();
        let state = match (GuardState::of(self.revocations.freshness(now)), notes.stage) {
            (GuardState::Cold, Stage::Loading) => GuardState::Snapshot,
            (GuardState::InSync | GuardState::Stale, Stage::Loading) => GuardState::Resync,
            (state, _) => state,
        };
        GuardStatus {
            state,
            proof_age: self.revocations.proven_until().map(|until| now.saturating_sub(until)),
            applied: self.revocations.applied().position,
            entries: self.revocations.len(),
            keys: self.keys.len(),
            verifier: self.verifier.clone(),
            last_failure: notes.last_failure.clone(),
            last_anomaly: notes.last_anomaly.map(Anomaly::as_str),
        }
    }

    pub(crate) fn random(&self) -> u64 {
        u64::from_le_bytes(random_bytes(&*self.entropy))
    }
}
