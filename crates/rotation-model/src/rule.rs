//! The rule under test, behind a trait so that the model and the simulation can also be given a broken one: a check
//! that finds nothing in a broken rule proves nothing about the right one (`tests/mutants.rs`).

use counterfoil_domain::{
    rotation::{Decision, LossWindow, Rotation, RotationRules, Serial, decide},
    time::UnixMillis,
};
use std::time::Duration;

/// The loss window that a store must open when it finds (against a clock that nobody can set) that the wall clock has
/// jumped: what was under way at the jump looks as old, or as new, as after a failover.
pub(crate) fn after_clock_jump(before: UnixMillis, after: UnixMillis, retry_window: Duration) -> LossWindow {
    LossWindow { from: before.min(after), until: before.max(after).plus(retry_window) }
}

/// What decides a presented serial.
pub trait Rule: Sync {
    /// See [`decide`].
    fn decide(&self, row: &Rotation, presented: Serial, now: UnixMillis, rules: &RotationRules) -> Decision;
}

/// The rule that the stores run: the very same function.
#[derive(Clone, Copy, Debug, Default)]
pub struct Production;

impl Rule for Production {
    fn decide(&self, row: &Rotation, presented: Serial, now: UnixMillis, rules: &RotationRules) -> Decision {
        decide(row, presented, now, rules)
    }
}
