//! What becomes of a question: on its way, held, answered, lost.

use super::{
    clock::Age,
    history::{Letter, Letters, Place},
    properties::Broken,
    scenario::Pace,
    state::{Ask, Change, Line, Reply, State},
    verifier::{with, with_line},
    world::{Action, World},
};
use crate::rule::Rule;

/// What a server reads when it answers.
#[derive(Clone, Copy)]
struct Source {
    head: Place,
    forgotten: Letters,
    /// What it says of how old it is.
    node_age: Age,
    /// How old it is in truth, besides.
    untold: Age,
}

impl<R: Rule> World<'_, R> {
    pub(super) fn happens_on_line(
        &self,
        state: &State,
        number: usize,
        line: usize,
        found: &mut impl FnMut(Action, Result<State, Broken>),
    ) {
        let Some(current) = state.verifiers.get(number).and_then(|verifier| verifier.lines.get(line)).copied() else {
            return;
        };
        let mut becomes = |action, line_then| found(action, Ok(with_line(state, number, line, line_then)));
        match current {
            Line::Idle => return self.ask(state, number, line, found),
            Line::Asked { ask, sent } => {
                let next = with_line(state, number, line, self.arrived(state, ask, sent));
                found(Action::Arrive(number, line), Ok(self.heed(next, number, ask)));
            }
            Line::Held { ask, transit, received } if self.practice.measures_before_reading => {
                becomes(Action::Measure(number, line), Line::Measured { ask, proof: transit, held: received });
            }
            Line::Held { ask, transit, received } => {
                let reply = Self::primary(state).reply(ask);
                becomes(Action::Read(number, line), Line::Unmeasured { transit, received, read: 0, reply });
            }
            Line::Unmeasured { transit, received, read, reply } => {
                let answer = Line::Answered { proof: transit, held: received, read, reply };
                becomes(Action::Measure(number, line), answer);
            }
            Line::Measured { ask, proof, held } => {
                let answer =
                    |source: Source| Line::Answered { proof, held, read: source.untold, reply: source.reply(ask) };
                becomes(Action::Read(number, line), answer(Self::primary(state)));
                if let Some(copy) = self.copy(state) {
                    becomes(Action::ReadCopy(number, line), answer(copy));
                }
            }
            Line::Answered { .. } => {
                let received = self.receive(state, number, line);
                if self.scenario.crossing {
                    let again = received.clone().map(|next| with_line(&next, number, line, current));
                    found(Action::ReceiveTwice(number, line), again);
                }
                found(Action::Receive(number, line), received);
            }
        }
        if self.scenario.pace == Pace::Any {
            found(Action::Lose(number, line), Ok(with_line(state, number, line, Line::Idle)));
        }
    }

    /// A question that there is something to say to is not held.
    fn arrived(&self, state: &State, ask: Ask, sent: Age) -> Line {
        let has_news = ask != Ask::Poll(Some(state.head));
        if has_news && self.scenario.pace != Pace::Any {
            Line::Measured { ask, proof: sent, held: 0 }
        } else {
            Line::Held { ask, transit: sent, received: 0 }
        }
    }

    /// The place in a question is its verifier's acknowledgement; and one that the store never came to tells that the
    /// store has lost something.
    fn heed(&self, state: State, number: usize, ask: Ask) -> State {
        let Ask::Poll(Some(place)) = ask else { return state };
        let is_known = self.histories.leads_to(place, state.head);
        let mut next = state;
        if !is_known && matches!(next.change, Change::Restored { .. }) {
            next.change = Change::Restored { noticed: true };
        }
        let mut back = self.histories.back_from(next.head);
        let Some(entry) = back.find(|place| {
            let before = self.histories.back_from(*place).nth(1);
            let had = before.is_some_and(|before| self.histories.letters(before).contains(Letter::SignOut));
            self.histories.letters(*place).contains(Letter::SignOut) && !had
        }) else {
            return next;
        };
        let has_applied = if self.practice.receipt_compares_chains {
            is_known && self.histories.leads_to(entry, place)
        } else {
            self.histories.head(place).position >= self.histories.head(entry).position
        };
        if has_applied { with(&next, number, |verifier| verifier.confirmed = true) } else { next }
    }

    fn primary(state: &State) -> Source {
        Source { head: state.head, forgotten: state.forgotten, node_age: 0, untold: 0 }
    }

    /// A node tells how long ago it read. A primary that was deposed believes that it need not.
    fn copy(&self, state: &State) -> Option<Source> {
        let copy = state.copy?;
        let source = Source { head: copy.head, forgotten: state.forgotten, node_age: copy.read, untold: 0 };
        let is_deposed = self.scenario.failure.leaves_two();
        Some(if is_deposed { Source { node_age: 0, untold: copy.read, ..source } } else { source })
    }
}

impl Source {
    fn reply(self, ask: Ask) -> Reply {
        Reply { ask, head: self.head, forgotten: self.forgotten, node_age: self.node_age }
    }
}
