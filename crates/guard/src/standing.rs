//! How a guard stands, and waiting for it.

use crate::{
    Guard,
    status::{GuardState, GuardStatus},
};

impl Guard {
    /// How it stands, for a health page. Asks nobody.
    pub fn status(&self) -> GuardStatus {
        if let Some(upstream) = &self.0.upstream {
            return upstream.status();
        }
        let (revocations, now) = (&self.0.revocations, self.0.clock.monotonic());
        GuardStatus {
            state: GuardState::of(revocations.freshness(now)),
            proof_age: revocations.proven_until().map(|until| now.saturating_sub(until)),
            applied: revocations.applied().position,
            entries: revocations.len(),
            keys: self.0.keys.current().set.len(),
            verifier: String::new(),
            last_failure: None,
            last_anomaly: None,
        }
    }

    /// Waits until the revocations are loaded: from then on requests are answered.
    pub async fn ready(&self) {
        self.0.revocations.ready().await;
    }

    /// Ends the following of a server, and tells it that this verifier goes, so that no sign-out waits for it. From then on
    /// the guard grows stale. Dropping the last of its clones does the same, without waiting for it.
    pub async fn shutdown(&self) {
        if let Some(upstream) = &self.0.upstream {
            upstream.shut_down().await;
        }
    }
}
