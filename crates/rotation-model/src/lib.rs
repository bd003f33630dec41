//! Refresh rotation, checked: the function that production decides with, run where everything goes wrong.
//!
//! - [`model`] enumerates *everything* that can happen to one session in a small world: two or three tabs, lost and late
//!   messages, a failover that loses writes, a clock that is set, a thief. Its states are finite, and most scenarios are
//!   enumerated to the end.
//! - [`simulation`] draws long traces at random from a large world: six tabs, days of sleep, restarts, 40 % loss. It is
//!   decided by its seed.
//! - [`schemes`] puts other servers' rules beside ours in the same simulation.
//! - [`report`] prints the figures of `docs/rotation.md`.
//!
//! Both the model and the simulation take the rule as a value ([`Rule`]), so that the tests can give them broken ones
//! and see that they notice.

pub mod model;
pub mod report;
mod rule;
pub mod schemes;
pub mod simulation;

pub use rule::{Production, Rule};
