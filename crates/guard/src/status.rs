//! How a guard stands, for a health page.

use counterfoil_domain::revocation::{FeedPosition, Freshness};
use std::time::Duration;

/// Where a guard is on its way from knowing nothing to knowing everything. The words are those of logs and metrics.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GuardState {
    /// It has not read the feed yet: protected routes answer 503.
    Cold,
    /// It knows nothing yet, and is loading every living revocation.
    Snapshot,
    /// It knows of every sign-out.
    InSync,
    /// It cannot prove that it knows of every sign-out: each route's [`StalePolicy`](crate::StalePolicy) decides.
    Stale,
    /// What it held did not fit what the server says, and everything is loaded anew. What is held stays.
    Resync,
}

impl GuardState {
    /// Every one, in the order of the metric `counterfoil_guard_state`.
    pub const ALL: [Self; 5] = [Self::Cold, Self::Snapshot, Self::InSync, Self::Stale, Self::Resync];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Snapshot => "snapshot",
            Self::InSync => "in_sync",
            Self::Stale => "stale",
            Self::Resync => "resync",
        }
    }

    pub(crate) const fn of(freshness: Freshness) -> Self {
        match freshness {
            Freshness::Cold => Self::Cold,
            Freshness::InSync | Freshness::Lagging(_) => Self::InSync,
            Freshness::Stale(_) => Self::Stale,
        }
    }
}

/// What [`Guard::status`](crate::Guard::status) tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuardStatus {
    /// Where the guard is.
    pub state: GuardState,
    /// How old its last proof is that it knows of every sign-out; `None` while it has none.
    pub proof_age: Option<Duration>,
    /// How far the feed is applied.
    pub applied: FeedPosition,
    /// How many revocations are held.
    pub entries: usize,
    /// How many keys are held.
    pub keys: usize,
    /// What this process calls itself towards the server; empty where it follows none.
    pub verifier: String,
    /// What went wrong last, if nothing has gone well since, in words for the operator.
    pub last_failure: Option<String>,
    /// The last answer that did not fit, by its word: `gap`, `fork`, `rewound`, ….
    pub last_anomaly: Option<&'static str>,
}
