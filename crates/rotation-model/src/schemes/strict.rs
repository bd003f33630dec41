//! Strict single use: a token works once; a spent one ends the session (RFC 9700 §4.14.2 read to the letter).

use super::{Answer, Moment, RotationScheme, Token};

/// The one token that works.
#[derive(Clone, Copy, Debug)]
pub struct Strict {
    current: Option<Token>,
}

impl RotationScheme for Strict {
    const NAME: &'static str = "strict single use";
    type Setup = ();

    fn open((): &(), moment: &Moment) -> (Self, Token) {
        (Self { current: Some(moment.fresh) }, moment.fresh)
    }

    fn present(&mut self, token: Token, moment: &Moment) -> Answer {
        self.current = self.current.filter(|current| *current == token).map(|_| moment.fresh);
        self.current.map_or(Answer::Ended, Answer::Granted)
    }
}
