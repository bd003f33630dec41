//! The rules of Counterfoil as pure functions over plain values.
//!
//! Nothing in here does I/O, reads a clock or draws a random number: the current time and fresh randomness are passed
//! in ([`time`], [`entropy`]), and what a rule decides is returned as a value that a store then commits in one atomic
//! step ([`store`]). So the same function runs in production, in the exhaustive model and in the simulation.
//!
//! Where to read first:
//!
//! 1. [`rotation`]: how one row per session and a keyed serial find a stolen refresh token without ever signing out
//!    an honest client.
//! 2. [`session`]: what is opened at sign-in, how long it lives, how it is renewed and ended.
//! 3. [`revocation`]: the entries of the feed, and the ledger that every verifier holds in memory.
//! 4. [`store`]: what the rules need from a store. The traits live here, beside the rules that use them.

pub mod account;
pub mod client;
pub mod email;
pub mod entropy;
pub mod event;
pub mod id;
pub mod key;
pub mod opaque;
pub mod password;
pub mod policy;
pub mod revocation;
pub mod rotation;
pub mod scope;
pub mod secret;
pub mod session;
pub mod store;
#[cfg(test)]
mod testing;
mod text;
pub mod time;
