//! Gauges (each with the label `issuer`), counters, and what to say about an answer that does not fit. The names are told in `docs/guard.md`.

use crate::status::{GuardState, GuardStatus};
use counterfoil_domain::revocation::Anomaly;
use metrics::{SharedString, counter, gauge};

/// How things stand, for whoever looks now and then.
pub(crate) fn standing(status: &GuardStatus, issuer: &str) {
    let issuer = SharedString::from(issuer.to_owned());
    let gauge = |name: &'static str| gauge!(name, "issuer" => issuer.clone());
    for state in GuardState::ALL {
        let is_it = if state == status.state { 1.0 } else { 0.0 };
        gauge!("counterfoil_guard_state", "issuer" => issuer.clone(), "state" => state.as_str()).set(is_it);
    }
    // Without a proof there is no age, and a gauge that stands still looks like one.
    gauge("counterfoil_guard_proof_age_seconds").set(status.proof_age.map_or(f64::INFINITY, |age| age.as_secs_f64()));
    gauge("counterfoil_guard_applied_seq").set(as_f64(status.applied.seq));
    gauge("counterfoil_guard_entries").set(as_f64(i64::try_from(status.entries).unwrap_or(i64::MAX)));
    gauge("counterfoil_guard_keys").set(as_f64(i64::try_from(status.keys).unwrap_or(i64::MAX)));
}

/// Gauges are floating-point: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "a gauge is looked at, not computed with")]
const fn as_f64(number: i64) -> f64 {
    number as f64
}

/// A question for news was answered.
pub(crate) fn poll() {
    counter!("counterfoil_guard_polls_total").increment(1);
}

/// A call failed, by the kind of failure.
pub(crate) fn failure(kind: &'static str) {
    counter!("counterfoil_guard_failures_total", "kind" => kind).increment(1);
}

/// A snapshot was loaded, or not.
pub(crate) fn snapshot(outcome: &'static str) {
    counter!("counterfoil_guard_snapshots_total", "outcome" => outcome).increment(1);
}

/// The key set was fetched, or not.
pub(crate) fn key_fetch(outcome: &'static str) {
    counter!("counterfoil_guard_key_fetches_total", "outcome" => outcome).increment(1);
}

/// The server was asked about one token.
pub(crate) fn introspection(outcome: &'static str) {
    counter!("counterfoil_guard_introspections_total", "outcome" => outcome).increment(1);
}

/// An answer did not fit what is held.
pub(crate) fn anomaly(anomaly: Anomaly, issuer: &str) {
    counter!("counterfoil_guard_anomalies_total", "anomaly" => anomaly.as_str()).increment(1);
    let (word, what_to_do) = (anomaly.as_str(), what_to_do(anomaly));
    match anomaly {
        Anomaly::Cold => {}
        Anomaly::Overtaken => tracing::debug!(issuer, anomaly = word, "{what_to_do}"),
        Anomaly::BehindRetention | Anomaly::NewEpoch => {
            tracing::warn!(issuer, anomaly = word, "the feed is loaded anew: {what_to_do}");
        }
        Anomaly::Gap | Anomaly::OlderEpoch | Anomaly::Rewound | Anomaly::Fork => {
            tracing::error!(issuer, anomaly = word, "the feed contradicts itself: {what_to_do}");
        }
    }
}

const fn what_to_do(anomaly: Anomaly) -> &'static str {
    match anomaly {
        Anomaly::Cold => "nothing was known yet",
        Anomaly::Overtaken => "an answer was long on its way, or comes from a node that is behind: asked again",
        Anomaly::Gap => "entries are missing; if it comes again, look for a proxy that stores answers of /v1/feed",
        Anomaly::BehindRetention => {
            "this process did not hear of the server for longer than entries are kept; if it was not asleep, look at the network"
        }
        Anomaly::NewEpoch => {
            "the server's store began a new life (a failover, or a restored backup); nothing is to be done"
        }
        Anomaly::OlderEpoch => {
            "a server answers from an earlier life of the store, after a newer one was seen: an old primary still runs; stop \
             it. Its answers are not believed"
        }
        Anomaly::Rewound => {
            "the feed is shorter than it was: a backup was restored without a new epoch. What is held stays refused, and \
             nothing is fresh until it has been quiet for half a minute"
        }
        Anomaly::Fork => {
            "two servers claim this issuer and write to copies of one store: stop one of them. Nothing is fresh until it has \
             been quiet for half a minute"
        }
    }
}
