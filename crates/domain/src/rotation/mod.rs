//! Refresh rotation: one row per session, a serial in a keyed token, a pure decision.
//!
//! Every refresh token is a session id and a [`Serial`] under a keyed tag ([`RefreshToken`]); the session's row holds
//! five numbers ([`Rotation`]) for its whole life. [`decide`] looks at the presented serial, the row and the clock, and
//! says what to answer and what to write. It is the only place where that is decided: the stores run it inside their
//! atomic step, the exhaustive model and the simulation run the very same function.
//!
//! What it gives:
//!
//! - **An honest client is never signed out**, whatever it loses: replies, tabs racing for one token, restarts, a
//!   failover that drops the last writes.
//! - **A copied refresh token is found** at the next refresh of either side, because two holders of one token soon
//!   present a serial that only a copy can present.
//! - **A forged token costs no store call**: the tag is checked first.
//!
//! Why two kinds of successor? If a retry always got an *equal* successor, an honest client that loses every second
//! reply and a thief in lockstep would leave the same trace. If it always got a *new* one, every retry would make a
//! second living branch. So a quick retry (within [`RotationRules::retry_window`]) gets the identical successor, a late
//! one gets a distinct sibling, and a sibling that loses becomes the tripwire.
//!
//! The field calls the whole a *token family with reuse detection* (RFC 9700 §4.14.2).

mod clock_jump;
mod decide;
mod row;
mod token;

pub use clock_jump::ClockJumps;
pub use decide::{Decision, RotationRules, Verdict, decide};
pub use row::{LossWindow, Rotation, Serial};
pub use token::{RefreshKey, RefreshKeyId, RefreshKeys, RefreshToken, RefreshTokenError, TOKEN_PREFIX};
