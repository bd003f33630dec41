//! The exhaustive model: everything that can happen between a store and its verifiers, in every order.

mod clock;
mod describe;
mod history;
mod ledgers;
mod liveness;
mod outside;
pub mod properties;
mod scenario;
mod serving;
pub mod state;
mod verifier;
mod world;

pub use counterfoil_model_search::{Counterexample, Found, Limits};
pub use history::{Letter, Letters, Place};
pub use outside::Failure;
pub use properties::Broken;
pub use scenario::{Pace, Scenario, WakeUps};
pub use world::{Action, search};
