//! P5: nobody is stuck. From any state, whatever went wrong before, a verifier whose messages are delivered from now on
//! comes to know of every sign-out.

use super::{
    history::Letters,
    properties::Broken,
    scenario::Pace,
    state::{Line, State},
    world::{Action, World},
};
use crate::rule::Rule;

/// Rounds that are enough besides those that a contested history takes: what was under way, a question from the held place,
/// a snapshot, and the pages after it.
const ROUNDS_MAX: u8 = 8;

impl<R: Rule> World<'_, R> {
    pub(super) fn check_everybody_gets_there(&self, state: &State) -> Result<(), Broken> {
        if self.scenario.pace != Pace::Any {
            return Ok(());
        }
        for number in 0..self.scenario.verifiers {
            let rounds_max = ROUNDS_MAX + self.clock.contested_for();
            let mut state = state.clone();
            if !(0..rounds_max).any(|_| self.gets_there(&mut state, number)) {
                return Err(Broken::Stuck);
            }
        }
        Ok(())
    }

    /// Four steps, of which a question and its answer take five, and a tick of time if that was not enough.
    fn gets_there(&self, state: &mut State, number: usize) -> bool {
        for _ in 0..4 {
            let Some(verifier) = state.verifiers.get(number) else { return false };
            if verifier.unapplied == Letters::default() && self.claims(verifier) {
                return true;
            }
            for line in 0..self.scenario.lines() {
                self.deliver(state, number, line);
            }
        }
        *state = self.tick(state, None);
        false
    }

    /// Whatever is under way on a line goes one step on, and is answered by the primary.
    fn deliver(&self, state: &mut State, number: usize, line: usize) {
        let mut next = None;
        self.happens_on_line(state, number, line, &mut |action, outcome| {
            let goes_on = matches!(
                action,
                Action::Ask(..) | Action::Arrive(..) | Action::Measure(..) | Action::Read(..) | Action::Receive(..)
            );
            if goes_on && let Ok(state) = outcome {
                next = Some(state);
            }
        });
        if let Some(next) = next {
            *state = next;
        } else if let Some(place) = state.verifiers.get_mut(number).and_then(|verifier| verifier.lines.get_mut(line)) {
            *place = Line::Idle;
        }
    }
}
