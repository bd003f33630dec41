//! Ours: the production rule, or in the tests a broken one.

use super::{Answer, Moment, RotationScheme, Token};
use crate::rule::{Production, Rule};
use counterfoil_domain::rotation::{Rotation, RotationRules, Serial};

/// The row of one session under our rule.
#[derive(Clone, Copy, Debug)]
pub struct Ours<R = Production> {
    row: Rotation,
    over: bool,
    rule: R,
}

impl<R: Rule + Copy + Send> RotationScheme for Ours<R> {
    const NAME: &'static str = "Counterfoil";
    type Setup = R;

    fn open(rule: &R, moment: &Moment) -> (Self, Token) {
        let row = Rotation::open(moment.now);
        (Self { row, over: false, rule: *rule }, row.child.as_raw())
    }

    fn present(&mut self, token: Token, moment: &Moment) -> Answer {
        if self.over {
            return Answer::Ended;
        }
        let rules = RotationRules { loss_window: moment.loss_window, ..RotationRules::default() };
        let decision = self.rule.decide(&self.row, Serial::from_raw(token), moment.now, &rules);
        self.row = decision.write.unwrap_or(self.row);
        self.over = decision.reply.is_none();
        decision.reply.map_or(Answer::Ended, |reply| Answer::Granted(reply.as_raw()))
    }
}
