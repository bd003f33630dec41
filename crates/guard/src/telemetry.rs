//! What requests tell the metrics. Without the feature `follow` there are none.

/// A good token while the guard was stale: `accepted`, `checked` (the server said that it is active) or `refused`.
#[cfg(feature = "follow")]
pub(crate) fn stale(outcome: &'static str) {
    metrics::counter!("counterfoil_guard_stale_requests_total", "outcome" => outcome).increment(1);
}

#[cfg(not(feature = "follow"))]
pub(crate) fn stale(_outcome: &'static str) {}
