//! A plain leeway: for some seconds after its first use a spent token is still accepted, and gets *another* new token.
//! After that, its use ends the session. Several hosted servers work like this; they call it reuse interval, overlap or
//! grace period.

use super::{Answer, Moment, RotationScheme, Token};
use counterfoil_domain::time::UnixMillis;
use std::time::Duration;

/// How long a spent token is still accepted.
const LEEWAY: Duration = Duration::from_secs(10);

/// Every token that is still accepted.
#[derive(Clone, Debug)]
pub struct Leeway {
    accepted: Vec<Accepted>,
}

#[derive(Clone, Copy, Debug)]
struct Accepted {
    token: Token,
    first_used_at: Option<UnixMillis>,
}

impl RotationScheme for Leeway {
    const NAME: &'static str = "10 s leeway, new token";
    type Setup = ();

    fn open((): &(), moment: &Moment) -> (Self, Token) {
        (Self { accepted: vec![Accepted { token: moment.fresh, first_used_at: None }] }, moment.fresh)
    }

    fn present(&mut self, token: Token, moment: &Moment) -> Answer {
        self.accepted.retain(|one| one.first_used_at.is_none_or(|used_at| moment.now.since(used_at) <= LEEWAY));
        let Some(presented) = self.accepted.iter_mut().find(|one| one.token == token) else {
            self.accepted.clear();
            return Answer::Ended;
        };
        presented.first_used_at.get_or_insert(moment.now);
        self.accepted.push(Accepted { token: moment.fresh, first_used_at: None });
        Answer::Granted(moment.fresh)
    }
}
