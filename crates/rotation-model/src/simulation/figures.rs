//! What is counted.

use super::weather::SECOND;

/// What came of one trace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// The session was ended although no thief had acted.
    pub honest_sign_out: bool,
    /// Times the client was granted tokens.
    pub client_grants: u32,
    /// Most tokens that could each have gone on at one time.
    pub branches_max: u32,
    /// What the thief did, if he acted.
    pub theft: Option<Theft>,
}

/// What came of a thief.
#[derive(Clone, Copy, Debug)]
pub struct Theft {
    /// Times he was granted tokens.
    pub grants: u32,
    /// From his first use in milliseconds, until the session was ended; `None` if it was not.
    pub caught_after: Option<i64>,
}

/// Sums over many traces.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Traces run.
    pub traces: u64,
    /// Traces with an honest sign-out.
    pub honest_sign_outs: u64,
    /// The first few of them, to run again.
    pub failing_traces: Vec<u64>,
    /// Times clients were granted tokens.
    pub client_grants: u64,
    /// Most tokens that could each have gone on at one time.
    pub branches_max: u32,
    /// Grants of each thief who acted.
    thief_grants: Vec<u32>,
    /// Seconds until each was caught.
    caught_after_seconds: Vec<u32>,
}

/// Failing traces that are remembered.
const FAILING_MAX: usize = 10;

impl Figures {
    /// Counts one trace.
    pub fn add(&mut self, trace: u64, outcome: Outcome) {
        self.traces += 1;
        self.client_grants += u64::from(outcome.client_grants);
        self.branches_max = self.branches_max.max(outcome.branches_max);
        if outcome.honest_sign_out {
            self.honest_sign_outs += 1;
            self.failing_traces.push(trace);
            self.failing_traces.truncate(FAILING_MAX);
        }
        if let Some(theft) = outcome.theft {
            self.thief_grants.push(theft.grants);
            if let Some(after) = theft.caught_after {
                self.caught_after_seconds.push(u32::try_from(after / SECOND).unwrap_or(u32::MAX));
            }
        }
    }

    /// Adds the sums of another part of the same run.
    pub fn merge(&mut self, other: Self) {
        self.traces += other.traces;
        self.honest_sign_outs += other.honest_sign_outs;
        self.client_grants += other.client_grants;
        self.branches_max = self.branches_max.max(other.branches_max);
        self.failing_traces.extend(other.failing_traces);
        self.failing_traces.sort_unstable();
        self.failing_traces.truncate(FAILING_MAX);
        self.thief_grants.extend(other.thief_grants);
        self.caught_after_seconds.extend(other.caught_after_seconds);
    }

    /// Thieves who presented a token.
    pub fn thieves(&self) -> usize {
        self.thief_grants.len()
    }

    /// Thieves who were caught.
    pub fn caught(&self) -> usize {
        self.caught_after_seconds.len()
    }

    /// Honest sign-outs in a million traces.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn sign_outs_per_million(&self) -> f64 {
        self.honest_sign_outs as f64 * 1e6 / self.traces.max(1) as f64
    }

    /// Share of thieves caught, in percent.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn caught_percent(&self) -> f64 {
        self.caught() as f64 * 100.0 / self.thieves().max(1) as f64
    }

    /// Share of thieves who were granted tokens at most this often, in percent.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn thieves_with_at_most(&self, grants: u32) -> f64 {
        let few = self.thief_grants.iter().filter(|granted| **granted <= grants).count();
        few as f64 * 100.0 / self.thieves().max(1) as f64
    }

    /// Median, 99th percentile and maximum of the thieves' grants.
    pub fn thief_grants(&self) -> Spread {
        Spread::of(&self.thief_grants)
    }

    /// Median, 99th percentile and maximum of the seconds until a thief was caught.
    pub fn seconds_until_caught(&self) -> Spread {
        Spread::of(&self.caught_after_seconds)
    }
}

/// How a number is spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spread {
    /// Half are at most this.
    pub median: u32,
    /// 99 of 100 are at most this.
    pub p99: u32,
    /// All are at most this.
    pub max: u32,
}

impl Spread {
    fn of(numbers: &[u32]) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(rank).copied().unwrap_or(0)
        };
        Self { median: at(50), p99: at(99), max: at(100) }
    }
}
