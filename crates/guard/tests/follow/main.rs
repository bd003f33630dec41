//! A guard that follows a server over real connections: an honest one, and one that lies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole crate is a test: a panic is its report"
)]

mod bench;
mod recorder;
mod server;

mod feeds_that_lie;
mod following;
mod key_sets;
mod large;
mod set_up;
mod snapshots;
mod subjects;
mod while_stale;
