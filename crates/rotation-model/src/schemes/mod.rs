//! Rules for refresh rotation, side by side: ours and what other servers do.
//!
//! A scheme is what a server keeps about one session and how it answers a presented token. The simulation neither knows
//! nor cares which one it runs.

mod leeway;
mod ours;
mod parent;
mod strict;

pub use leeway::Leeway;
pub use ours::Ours;
pub use parent::ParentAccepted;
pub use strict::Strict;

use counterfoil_domain::{rotation::LossWindow, time::UnixMillis};

/// A refresh token. Later ones are greater; what else is in it is the scheme's affair.
pub type Token = i64;

/// When a token is presented, and what the server knows besides the session.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The store's clock.
    pub now: UnixMillis,
    /// Set while writes may have been lost.
    pub loss_window: Option<LossWindow>,
    /// A number above every one given before, for schemes whose tokens are random.
    pub fresh: Token,
}

/// What a server answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// An access token, and this refresh token.
    Granted(Token),
    /// Theft was found, or the session was over already.
    Ended,
}

/// What a server keeps about one session. Cloning it is what a standby does.
pub trait RotationScheme: Clone + Send {
    /// Its name in the report.
    const NAME: &'static str;
    /// Another rule that goes with it, for the tests: a broken one.
    type Setup: Clone + Sync;

    /// Opens a session; also its first token.
    fn open(setup: &Self::Setup, moment: &Moment) -> (Self, Token);

    /// Answers a presented token.
    fn present(&mut self, token: Token, moment: &Moment) -> Answer;
}
