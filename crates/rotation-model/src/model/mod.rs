//! The exhaustive model: everything that can happen to one session, in every order, with the production rule.

mod canonical;
mod describe;
pub mod properties;
mod scenario;
mod search;
pub mod state;
mod step;

pub use properties::Broken;
pub use scenario::{Adopt, Clock, Scenario, client_timeout_max};
pub use search::{Counterexample, Found, Limits, search};
pub use step::Action;
