//! The enumeration of a scenario under a rule.

use super::{
    properties::{self, Broken},
    scenario::Scenario,
    state::State,
    step::Action,
};
use crate::rule::Rule;
pub use counterfoil_model_search::Limits;

/// What a search found.
pub type Found = counterfoil_model_search::Found<Broken>;
/// A way to a state where a property does not hold.
pub type Counterexample = counterfoil_model_search::Counterexample<Broken>;

/// Searches a scenario under a rule. `progress` is told after each level: its depth and the states known.
pub fn search(scenario: &Scenario, rule: &impl Rule, limits: Limits, progress: impl FnMut(usize, usize)) -> Found {
    counterfoil_model_search::search(&Ruled { scenario, rule }, limits, progress)
}

struct Ruled<'a, R> {
    scenario: &'a Scenario,
    rule: &'a R,
}

impl<R: Rule> counterfoil_model_search::Model for Ruled<'_, R> {
    type State = State;
    type Action = Action;
    type Broken = Broken;

    fn start(&self) -> State {
        State::initial().canonical(self.scenario.retry_window())
    }

    fn successors(&self, state: &State, mut found: impl FnMut(Action, Result<State, Broken>)) {
        self.scenario.successors(self.rule, state, |action, next| {
            found(action, next.map(|next| next.canonical(self.scenario.retry_window())));
        });
    }

    fn check(&self, state: &State) -> Result<(), Broken> {
        properties::check_theft_is_found(self.scenario, self.rule, state)
    }

    fn describe(&self, state: &State) -> String {
        state.describe()
    }
}
