//! What a route does while the guard cannot prove that it knows of every sign-out.
//!
//! A guard is stale when its last proof is older than [`STALE_AFTER`](counterfoil_domain::revocation::STALE_AFTER). That is
//! nobody's fault who sends a request, so it is never "not signed in": a route goes on for a while, asks the server, or
//! answers 503.

use crate::cookies::same_origin::Intent;
use std::time::Duration;

/// What to do with a good token while the guard is stale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StalePolicy {
    /// Ask the server about each token (RFC 7662), and answer 503 where it cannot be asked.
    Check,
    /// Answer 503 with `Retry-After`.
    Closed,
    /// Accept for so long after becoming stale, at most [`StalePolicy::OPEN_MAX`]; then as [`StalePolicy::Closed`].
    Open(Duration),
}

impl StalePolicy {
    /// The longest that a stale guard goes on accepting, whatever it is told.
    pub const OPEN_MAX: Duration = Duration::from_mins(1);

    /// What to do after having been stale for so long.
    pub(crate) fn decide(self, stale_for: Duration) -> WhileStale {
        match self {
            Self::Check => WhileStale::Ask,
            Self::Open(_) if stale_for <= self.open_for() => WhileStale::Accept,
            Self::Closed | Self::Open(_) => WhileStale::Refuse,
        }
    }

    /// How long it accepts without asking anybody.
    pub(crate) fn open_for(self) -> Duration {
        match self {
            Self::Open(open_for) => open_for.min(Self::OPEN_MAX),
            Self::Check | Self::Closed => Duration::ZERO,
        }
    }
}

/// One policy for requests that read and one for those that may change something (RFC 9110 §9.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WhenStale {
    /// For GET, HEAD and OPTIONS.
    pub safe_methods: StalePolicy,
    /// For all others, and where the method is not known.
    pub unsafe_methods: StalePolicy,
}

impl WhenStale {
    /// The same for all.
    pub const fn always(policy: StalePolicy) -> Self {
        Self { safe_methods: policy, unsafe_methods: policy }
    }

    pub(crate) fn policy(self, intent: Intent) -> StalePolicy {
        match intent {
            Intent::Safe => self.safe_methods,
            Intent::Unsafe | Intent::Unknown => self.unsafe_methods,
        }
    }

    /// The longest that a token may be accepted without a proof.
    pub(crate) fn open_for(self) -> Duration {
        self.safe_methods.open_for().max(self.unsafe_methods.open_for())
    }
}

impl Default for WhenStale {
    /// Reading goes on for a minute; what may change something is asked about at once.
    fn default() -> Self {
        Self { safe_methods: StalePolicy::Open(StalePolicy::OPEN_MAX), unsafe_methods: StalePolicy::Check }
    }
}

/// What becomes of a good token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WhileStale {
    Accept,
    Ask,
    Refuse,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ends_at_its_time_and_never_after_a_minute() {
        let (secs, open) = (Duration::from_secs, |seconds| StalePolicy::Open(Duration::from_secs(seconds)));
        for (policy, stale_for, expected) in [
            (open(10), secs(0), WhileStale::Accept),
            (open(10), secs(10), WhileStale::Accept),
            (open(10), Duration::from_millis(10_001), WhileStale::Refuse),
            (open(3_600), secs(60), WhileStale::Accept),
            (open(3_600), secs(61), WhileStale::Refuse),
            (StalePolicy::Closed, secs(0), WhileStale::Refuse),
            (StalePolicy::Check, secs(900), WhileStale::Ask),
        ] {
            assert_eq!(policy.decide(stale_for), expected, "{policy:?} after {stale_for:?}");
        }
    }

    #[test]
    fn whose_method_is_not_known_may_change_something() {
        let rules = WhenStale { safe_methods: StalePolicy::Check, unsafe_methods: StalePolicy::Closed };
        assert_eq!(rules.policy(Intent::Safe), StalePolicy::Check);
        assert_eq!(rules.policy(Intent::Unknown), StalePolicy::Closed);
        assert_eq!(WhenStale::default().open_for(), StalePolicy::OPEN_MAX);
        assert_eq!(WhenStale::always(StalePolicy::Check).open_for(), Duration::ZERO);
    }
}
