//! What may happen in a run of the model.

use super::{
    history::{Letter, Letters},
    outside::Failure,
};
use counterfoil_domain::revocation::STALE_AFTER;
use std::time::Duration;

/// Whether the server is woken when something is written while it holds a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WakeUps {
    /// It is.
    Kept,
    /// It never is: the timer alone ends the wait.
    Lost,
}

/// How quickly everything goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// As slowly as it likes; everything may be lost, everybody may be stopped, verifiers may start anew.
    Any,
    /// Nothing is lost, nobody is stopped, and a verifier asks again at once.
    Prompt {
        /// The longest that a question or an answer is on its way.
        leg: Duration,
        /// The longest that a server holds a question.
        hold: Duration,
        /// Whether it is woken before.
        wake_ups: WakeUps,
    },
}

/// What may happen, and the bounds on it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether one thing can happen")]
pub struct Scenario {
    /// Its name in the report.
    pub name: &'static str,
    /// The step of time. It divides every duration that counts.
    pub tick: Duration,
    /// Verifiers, one or two.
    pub verifiers: usize,
    /// Whether a third entry may be written, besides the watched sign-out and one whose time is over early.
    pub another: bool,
    /// Entries that a page holds.
    pub page_entries_max: usize,
    /// A token that was revoked is not accepted longer than this after the sign-out was answered.
    pub bound: Duration,
    /// How quickly everything goes on.
    pub pace: Pace,
    /// What happens to the store, once.
    pub failure: Failure,
    /// Whether a second node of the server answers too, with what it last read of the primary.
    pub node: bool,
    /// Whether a verifier asks a second question before the first is answered, gets answers in any order and more than
    /// once, and reads those to questions that it has given up.
    pub crossing: bool,
    /// Whether a verifier may be stopped between the two looks of one request.
    pub slow_requests: bool,
    /// Whether verifiers begin in sync and never start anew: a shorter way to what is looked for.
    pub warm: bool,
    /// Whether what was said of the watched entry holds for verifiers too that start anew when the store has lost it, or
    /// beside a node that has not read it yet. It does not: there for the tests.
    pub holds_over_restarts: bool,
}

/// The step of time: it divides everything that is compared with a proof.
const TICK: Duration = Duration::from_millis(2_500);
/// A network so slow that it is no promise of anybody's, for the bounds of a feed without faults.
const LEG: Duration = Duration::from_millis(250);
/// What our verifiers ask for.
const HOLD: Duration = Duration::from_secs(1);

impl Scenario {
    /// One verifier that loses whatever can be lost; the store is well.
    pub fn any_loss() -> Self {
        Self {
            name: "one verifier, any loss, pauses, restarts",
            tick: TICK,
            verifiers: 1,
            another: true,
            page_entries_max: 1, // so few that what there is needs several
            bound: STALE_AFTER,
            pace: Pace::Any,
            failure: Failure::None,
            node: false,
            crossing: false,
            slow_requests: false,
            warm: false,
            holds_over_restarts: false,
        }
    }

    /// One verifier, and this happens to the store.
    pub fn after(failure: Failure) -> Self {
        Self { name: failure.name(), failure, another: false, ..Self::any_loss() }
    }

    /// A verifier and two nodes, of which one reads the primary now and then.
    pub fn two_nodes() -> Self {
        Self { name: "a node that is behind", node: true, another: false, ..Self::any_loss() }
    }

    /// A verifier that does not keep its questions apart.
    pub fn crossing() -> Self {
        Self { name: "answers that cross and come twice", crossing: true, another: false, ..Self::any_loss() }
    }

    /// A verifier that is stopped in the middle of a request.
    pub fn slow_requests() -> Self {
        Self { name: "stopped within a request", slow_requests: true, another: false, ..Self::any_loss() }
    }

    /// Nothing goes wrong, on a slow network.
    pub fn prompt(wake_ups: WakeUps) -> Self {
        let (name, bound) = match wake_ups {
            WakeUps::Kept => ("no faults, wake-ups", LEG * 3),
            WakeUps::Lost => ("no faults, wake-ups lost", (LEG * 3).max(HOLD + LEG)),
        };
        let pace = Pace::Prompt { leg: LEG, hold: HOLD, wake_ups };
        Self { name, tick: LEG, bound, pace, page_entries_max: 3, ..Self::any_loss() }
    }

    /// Two verifiers instead of one, and less to write.
    #[must_use]
    pub fn with_two_verifiers(self, name: &'static str) -> Self {
        Self { name, verifiers: 2, another: false, ..self }
    }

    /// Every scenario in which all properties hold and that a test can enumerate whole.
    pub fn all() -> Vec<Self> {
        let mut scenarios =
            vec![Self::prompt(WakeUps::Kept), Self::prompt(WakeUps::Lost), Self::any_loss(), Self::slow_requests()];
        scenarios.extend(Failure::ALL.map(Self::after));
        scenarios.extend([Self::two_nodes(), Self::crossing()]);
        scenarios
    }

    /// Larger ones, for the printed command.
    pub fn large() -> Vec<Self> {
        let two = |failure, name| Self::after(failure).with_two_verifiers(name);
        vec![
            Self::any_loss().with_two_verifiers("two verifiers"),
            two(Failure::Synchronous, "two verifiers, synchronous failover"),
            two(Failure::LosesTail, "two verifiers, failover"),
            two(Failure::OldBackup, "two verifiers, old backup"),
            Self { name: "a node that is behind, failover", node: true, ..Self::after(Failure::LosesTail) },
        ]
    }

    /// Scenarios just outside what is promised. The search must find the fault in each: they show that the bounds are
    /// tight, and that the search would see a fault.
    pub fn beyond() -> Vec<Self> {
        let sooner =
            |scenario: Self, name| Self { name, bound: scenario.bound.saturating_sub(scenario.tick), ..scenario };
        vec![
            sooner(Self::any_loss(), "one tick less than the bound"),
            sooner(Self::prompt(WakeUps::Kept), "no faults, one tick less"),
            sooner(Self::prompt(WakeUps::Lost), "no faults, wake-ups lost, one tick less"),
            Self {
                name: "backup: a refusal that outlives a restart",
                holds_over_restarts: true,
                ..Self::after(Failure::OldBackup)
            },
            Self {
                name: "failover: a refusal that outlives a restart",
                holds_over_restarts: true,
                ..Self::after(Failure::LosesTail)
            },
            Self {
                name: "node behind: a refusal that outlives a restart",
                holds_over_restarts: true,
                ..Self::two_nodes()
            },
        ]
    }

    /// The entries that may be written.
    pub(super) fn letters(&self) -> Letters {
        let mut letters = Letters::default().with(Letter::Other).with(Letter::SignOut);
        if self.another {
            letters = letters.with(Letter::Another);
        }
        if self.failure == Failure::OldBackup {
            letters = letters.with(Letter::Cutoff);
        }
        letters
    }

    /// Whether an answer may have less than was read before it.
    pub(super) fn may_be_shorter(&self) -> bool {
        self.node || self.crossing || self.failure == Failure::OldBackup
    }

    pub(super) fn lines(&self) -> usize {
        if self.crossing { 2 } else { 1 }
    }
}
