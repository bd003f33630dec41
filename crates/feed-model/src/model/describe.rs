//! A state as one line of text, for traces.

use super::{
    history::{Letters, Place},
    state::{Line, State, Verifier},
    world::World,
};
use crate::rule::Rule;
use std::fmt::Write;

impl<R: Rule> World<'_, R> {
    /// One line: where the feed stands, what is promised, and each verifier.
    pub(super) fn describe_state(&self, state: &State) -> String {
        let mut line = format!("feed {}, {:?}", self.name(state.head), state.change);
        if let Some(since) = state.since {
            let _ = write!(line, ", to be refused since {since}");
        }
        if let Some(copy) = state.copy {
            let _ = write!(line, ", copy {} of {} ago", self.name(copy.head), copy.read);
        }
        for verifier in state.verifiers.iter().take(self.scenario.verifiers) {
            let _ = write!(line, " | {}", self.describe_verifier(verifier));
        }
        line
    }

    fn describe_verifier(&self, verifier: &Verifier) -> String {
        let Some(applied) = verifier.standing.applied else {
            return format!("cold, {}", self.describe_lines(verifier));
        };
        let standing = verifier.standing;
        let claims = if self.claims(verifier) { "in sync" } else { "stale" };
        let mut text = format!("{claims} at {}, proven {} ago", self.name(applied), standing.proof);
        if standing.contested > 0 {
            let _ = write!(text, ", contested for {}", standing.contested);
        }
        let _ = write!(text, ", holds {}, {}", letters(verifier.ledger), self.describe_lines(verifier));
        text
    }

    fn describe_lines(&self, verifier: &Verifier) -> String {
        let lines = verifier.lines.iter().take(self.scenario.lines());
        let texts: Vec<String> = lines.map(|line| self.describe_line(line)).collect();
        texts.join("; ")
    }

    fn describe_line(&self, line: &Line) -> String {
        match line {
            Line::Idle => "asks nothing".to_owned(),
            Line::Answered { proof, held, reply, .. } => {
                format!("answer {} to {:?}, asked {}+{held} ago", self.name(reply.head), reply.ask, proof)
            }
            other => format!("{other:?}"),
        }
    }

    /// The epoch and what was written, as letters.
    fn name(&self, place: Place) -> String {
        let position = self.histories.head(place).position;
        format!("{}.{}{}", position.epoch.0, position.seq, letters(self.histories.letters(place)))
    }
}

fn letters(letters: Letters) -> String {
    format!("{:?}", letters.iter().collect::<Vec<_>>())
}
