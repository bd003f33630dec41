//! Verifiers under faults: guarded services as processes of their own, cut off from the server, stopped, started without it,
//! with clocks that jump and servers that forget.
//!
//! What each run does, how to make it long, and what it said when something was broken on purpose: `docs/faults.md`.

#[path = "../../benches/driver/mod.rs"]
mod driver;
#[path = "../../benches/driver/guarded.rs"]
mod guarded;

mod clocks;
mod cold;
mod cut;
mod disk;
mod faketime;
mod keys;
mod link;
mod paused;
mod place;
mod restored;
mod service;
mod switch;

/// The guarded service: the other tests start it as a process of its own.
#[test]
#[ignore = "a process that the other tests start"]
fn guarded_service() {
    guarded::serve().unwrap();
}
