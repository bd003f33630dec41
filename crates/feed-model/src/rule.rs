//! What is under test, behind a trait so that the model can also be given something broken: a check that finds nothing
//! in what is broken proves nothing about what is right (`tests/mutants.rs`).

use counterfoil_domain::{
    revocation::{FeedHead, Follower, Next, proven_until},
    store::FeedPage,
};
use std::time::Duration;

/// The judgement of answers, and what those who use it do around it. Everything provided is what production does.
pub trait Rule: Sync {
    /// See [`proven_until`].
    fn proven_until(&self, sent_at: Duration, received_at: Duration, held: Duration, age: Duration) -> Duration {
        proven_until(sent_at, received_at, held, age)
    }

    /// See [`Follower::read`].
    fn read(&self, follower: &mut Follower, page: &FeedPage, proven_until: Duration, now: Duration) -> Next {
        follower.read(page, proven_until, now)
    }

    /// See [`Follower::take_snapshot`].
    fn take_snapshot(&self, follower: &mut Follower, head: FeedHead, proven_until: Duration, now: Duration) -> bool {
        follower.take_snapshot(head, proven_until, now)
    }

    /// What servers and verifiers do around it.
    fn practice(&self) -> Practice {
        Practice::default()
    }
}

/// What servers and verifiers must do around the judgement. Each habit is needed: the tests take them away one by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a list of habits, each of which one has or has not")]
pub struct Practice {
    /// Entries are in the ledger before the answer that brought them is judged.
    pub applies_before_judging: bool,
    /// A question names a place only when everything up to there is in the ledger.
    pub acknowledges_what_is_applied: bool,
    /// A snapshot is added to what is held.
    pub snapshot_is_added: bool,
    /// Entries are forgotten when their own time is over, and no sooner.
    pub forgets_what_is_over: bool,
    /// A request asks how fresh the ledger is before it looks into it.
    pub freshness_before_ledger: bool,
    /// The verifier's clock goes on while its process or its machine is stopped.
    pub clock_counts_pauses: bool,
    /// The server measures how long it held a question before it reads what it answers with.
    pub measures_before_reading: bool,
    /// A verifier is named in a receipt only if its chain is the server's own up to there.
    pub receipt_compares_chains: bool,
    /// After an old backup the new epoch begins with a cutoff: every token minted before is refused.
    pub cutoff_after_backup: bool,
}

impl Default for Practice {
    fn default() -> Self {
        Self {
            applies_before_judging: true,
            acknowledges_what_is_applied: true,
            snapshot_is_added: true,
            forgets_what_is_over: true,
            freshness_before_ledger: true,
            clock_counts_pauses: true,
            measures_before_reading: true,
            receipt_compares_chains: true,
            cutoff_after_backup: true,
        }
    }
}

/// What production does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Production;

impl Rule for Production {}
