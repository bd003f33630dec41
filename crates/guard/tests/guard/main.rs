//! The guard as a service meets it: real keys, real signed tokens, real requests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole crate is a test: a panic is its report"
)]

mod bench;
mod sessions;

mod answers;
mod credentials;
mod demands;
mod extending;
mod layer;
mod looked_up;
mod personal_tokens;
mod refusals;
mod remembered;
mod requests;
mod revocation;
