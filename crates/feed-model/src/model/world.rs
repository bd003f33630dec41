//! A scenario under a rule, as the search sees it.

use super::{
    Found, Limits,
    clock::{Age, Clock, NOW},
    history::{Histories, Letter},
    ledgers::Ledgers,
    properties::Broken,
    scenario::Scenario,
    state::{Change, Standing, State, Verifier},
};
use crate::rule::{Practice, Rule};
use counterfoil_domain::{
    revocation::{Chain, FeedHead, Follower, Freshness},
    store::FeedPage,
};
use counterfoil_model_search::Model;
use std::time::Duration;

/// Something that happens. Numbers are a verifier's and a question's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A verifier asks.
    Ask(usize, usize),
    /// A verifier asks from the place of an answer that it has not read yet: a broken habit.
    AskAhead(usize, usize),
    /// The question reaches the server.
    Arrive(usize, usize),
    /// The server measures how long it held the question.
    Measure(usize, usize),
    /// It reads the feed and answers.
    Read(usize, usize),
    /// Somebody else answers, from a copy.
    ReadCopy(usize, usize),
    /// A verifier gets the answer and judges it.
    Receive(usize, usize),
    /// The same, and the answer will come once more.
    ReceiveTwice(usize, usize),
    /// The question or the answer is lost, or given up; also what a server forgets that starts anew.
    Lose(usize, usize),
    /// A verifier applies what it has judged already: a broken habit.
    Apply(usize),
    /// A verifier starts anew, with an empty memory.
    Restart(usize),
    /// A verifier forgets what is over.
    Prune(usize),
    /// A request comes with the watched token, and passes the first look.
    Begin(usize),
    /// It takes the second look.
    End(usize),
    /// An entry is written.
    Write(Letter),
    /// The watched sign-out is answered.
    Acknowledge,
    /// The time of the first entry is over, and the store forgets it.
    Forget,
    /// The node reads the primary.
    NodeReads,
    /// A failover, or an old backup is put in the store's place; the feed is cut back by so many places.
    Fail(usize),
    /// A new epoch begins, because a verifier was seen that knows more than the store.
    BeginEpoch,
    /// One tick of time passes.
    Tick,
    /// One tick passes, and a verifier's clock stands still because it was stopped: a broken habit.
    TickUnseenBy(usize),
}

pub(super) struct World<'a, R> {
    pub(super) scenario: &'a Scenario,
    pub(super) rule: &'a R,
    pub(super) practice: Practice,
    pub(super) clock: Clock,
    pub(super) histories: Histories,
    pub(super) ledgers: Ledgers,
}

/// Searches a scenario under a rule. `progress` is told after each level: its depth and the states known.
pub fn search(
    scenario: &Scenario,
    rule: &impl Rule,
    limits: Limits,
    progress: impl FnMut(usize, usize),
) -> Found<Broken> {
    counterfoil_model_search::search(&World::new(scenario, rule), limits, progress)
}

impl<R: Rule> Model for World<'_, R> {
    type State = State;
    type Action = Action;
    type Broken = Broken;

    fn start(&self) -> State {
        let mut state = State::initial(self.scenario.node);
        if self.scenario.warm {
            let reached = if self.scenario.may_be_shorter() { 0 } else { self.reached_max() };
            let standing = Standing { applied: Some(Histories::START), reached, ..Standing::default() };
            state.verifiers = [Verifier { standing, loaded: true, ..Verifier::COLD }; 2];
        }
        state
    }

    fn successors(&self, state: &State, mut found: impl FnMut(Action, Result<State, Broken>)) {
        let mut found = |action, next: Result<State, Broken>| found(action, next.map(|next| self.canonical(next)));
        for (number, verifier) in state.verifiers.iter().enumerate().take(self.scenario.verifiers) {
            self.happens_at(state, number, verifier, &mut found);
            for line in 0..self.scenario.lines() {
                self.happens_on_line(state, number, line, &mut found);
            }
        }
        self.happens_outside(state, &mut found);
    }

    fn check(&self, state: &State) -> Result<(), Broken> {
        self.check_properties(state)
    }

    fn describe(&self, state: &State) -> String {
        self.describe_state(state)
    }
}

impl<'a, R: Rule> World<'a, R> {
    pub(super) fn new(scenario: &'a Scenario, rule: &'a R) -> Self {
        let practice = rule.practice();
        Self {
            scenario,
            rule,
            practice,
            clock: Clock::new(scenario.tick),
            histories: Histories::of(scenario.letters()),
            ledgers: Ledgers::new(practice.forgets_what_is_over),
        }
    }

    /// States that cannot be told apart become one: verifiers are alike, and so are questions.
    fn canonical(&self, mut state: State) -> State {
        for verifier in &mut state.verifiers {
            if verifier.loaded && self.ledgers.refuse(verifier.ledger) {
                verifier.refused = true;
            }
            verifier.heard |= verifier.standing.applied.is_some_and(|place| self.histories.epoch(place).0 > 1);
            if self.scenario.crossing {
                verifier.lines.sort_unstable();
            }
        }
        if self.scenario.verifiers == 2 {
            state.verifiers.sort_unstable();
        }
        state
    }

    /// What production code keeps of a verifier, built by production code.
    pub(super) fn follower(&self, standing: Standing) -> Follower {
        let mut follower = Follower::default();
        let Some(place) = standing.applied else { return follower };
        let head = self.histories.head(place);
        let (proven_until, reached_at) = (self.clock.instant(standing.proof), self.clock.instant(standing.reached));
        follower.take_snapshot(head, proven_until, reached_at);
        if standing.contested > 0 {
            let passed = self.clock.contested_for().saturating_sub(standing.contested);
            let contested_at = NOW.saturating_sub(self.clock.duration(passed));
            let other = FeedHead { chain: Chain([0xff; 16]), ..head };
            follower.read(&FeedPage { entries: Vec::new(), head: other }, proven_until, contested_at);
        }
        follower
    }

    /// And back.
    pub(super) fn standing(&self, follower: &Follower) -> Standing {
        let Some(proven_until) = follower.proven_until() else { return Standing::default() };
        let applied = self.histories.place(&follower.applied());
        let proof = self.clock.age(proven_until).min(self.clock.age_max());
        let reached = self.clock.age(follower.reached_at()).min(self.reached_max());
        // Where nothing can be shorter than what was read before, it does not matter when that was.
        let reached = if self.scenario.may_be_shorter() { reached } else { self.reached_max() };
        Standing { applied, proof, reached, contested: self.contested(follower) }
    }

    /// As far back as it is told when a place was reached. A question is asked after the place was reached that it names, so
    /// the place is older than any question; but not where a node may have read the primary in the same tick.
    pub(super) fn reached_max(&self) -> Age {
        self.clock.age_max() + Age::from(!self.scenario.node)
    }

    /// For how many ticks more a follower is stale whatever is proven to it.
    fn contested(&self, follower: &Follower) -> Age {
        let mut proven = *follower;
        proven.take_snapshot(follower.applied(), NOW + Duration::from_hours(1), NOW);
        let is_over = |ticks: &Age| {
            let now = NOW + self.clock.duration(*ticks);
            !matches!(proven.freshness(now), Freshness::Stale(_))
        };
        (0..=self.clock.contested_for()).find(is_over).unwrap_or(Age::MAX)
    }

    /// Whether a verifier says that it knows of every sign-out.
    pub(super) fn claims(&self, verifier: &Verifier) -> bool {
        let freshness = self.follower(verifier.standing).freshness(NOW);
        matches!(freshness, Freshness::InSync | Freshness::Lagging(_))
    }

    /// Whether a verifier refuses the watched token for revocation.
    pub(super) fn refuses(&self, verifier: &Verifier) -> bool {
        self.ledgers.refuse(verifier.ledger)
    }

    /// Whether the watched token had to be refused by now.
    pub(super) fn is_late(&self, state: &State) -> bool {
        state.since.is_some_and(|since| since > self.clock.ticks(self.scenario.bound))
    }

    /// Whether a verifier follows the store, as far as anybody can tell it: one that has not heard of the new epoch may
    /// follow a primary that was deposed.
    pub(super) fn is_promised(&self, state: &State, verifier: &Verifier) -> bool {
        !self.scenario.failure.leaves_two() || state.change == Change::None || verifier.heard
    }
}
