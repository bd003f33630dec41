//! The revocation feed, checked: the judgement that servers and verifiers run, where everything goes wrong.
//!
//! [`model`] enumerates *everything* that can happen between a store and one or two verifiers: questions and answers
//! that are late, lost or held, wake-ups that never come, verifiers that are stopped or start anew, entries that are
//! dropped when their time is over, a failover, an old backup. It runs [`counterfoil_domain::revocation::Follower`],
//! [`Ledger`](counterfoil_domain::revocation::Ledger) and
//! [`FeedEntry::seal`](counterfoil_domain::revocation::FeedEntry::seal) themselves. Times are kept relative to now, so the
//! states are finite though nobody bounds how long it goes on.
//!
//! What servers and verifiers must do around those is a value ([`Rule`], [`Practice`]), so that the tests can break it, one
//! habit at a time, and see that the model notices. `docs/feed-model.md` tells what came of it.

pub mod model;
pub mod report;
mod rule;

pub use rule::{Practice, Production, Rule};
