//! The parent is always accepted: the token before the active one may come back at any time and gets the active one.
//! Any other spent token is accepted for a short interval, and then ends the session.

use super::{Answer, Moment, RotationScheme, Token};
use counterfoil_domain::time::UnixMillis;
use std::time::Duration;

/// How long any spent token is still accepted.
const REUSE_INTERVAL: Duration = Duration::from_secs(10);

/// The active token, its parent, and what was spent just now.
#[derive(Clone, Debug)]
pub struct ParentAccepted {
    active: Token,
    parent: Option<Token>,
    just_spent: Vec<(Token, UnixMillis)>,
    over: bool,
}

impl RotationScheme for ParentAccepted {
    const NAME: &'static str = "parent always accepted";
    type Setup = ();

    fn open((): &(), moment: &Moment) -> (Self, Token) {
        (Self { active: moment.fresh, parent: None, just_spent: Vec::new(), over: false }, moment.fresh)
    }

    fn present(&mut self, token: Token, moment: &Moment) -> Answer {
        self.just_spent.retain(|(_, spent_at)| moment.now.since(*spent_at) <= REUSE_INTERVAL);
        let is_spent = Some(token) == self.parent || self.just_spent.iter().any(|(spent, _)| *spent == token);
        if self.over || !(token == self.active || is_spent) {
            self.over = true;
            return Answer::Ended;
        }
        if token == self.active {
            self.just_spent.push((token, moment.now));
            self.parent = Some(token);
            self.active = moment.fresh;
        }
        Answer::Granted(self.active)
    }
}
