//! The search that our exhaustive models share: every state that can be reached, each once, and the shortest way to one
//! that should not be.
//!
//! A model says what its states are, what can happen in each, and what must hold ([`Model`]); [`search`] does the rest.
//! It knows nothing of what is modelled, and nothing of what is modelled knows it.
//!
//! Why not a model-checking library: this is two pages, states are canonical before they are hashed, and what is
//! remembered of a state is sixteen bytes (its fingerprint and its parent's), so it goes as deep as memory allows.
//! `stateright`, the one that is kept, has not been released since July 2025; it brings a web server, and can use that
//! states are alike in its depth-first search only, which does not find the shortest way.

mod search;
mod seen;

pub use search::{Counterexample, Found, Limits, Model, search};
