//! What the benchmark and the fault runs share: the server as a child process, a store filled before it starts, and a
//! client that adds as little as possible of its own.

pub(crate) mod child;
pub(crate) mod fill;
pub(crate) mod http;

use std::time::Instant;

/// The monotonic clock, read here and nowhere else.
#[expect(clippy::disallowed_methods, reason = "measuring and pacing a real server needs the real clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
