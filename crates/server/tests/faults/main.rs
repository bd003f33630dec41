//! The server under faults, as a real process with real clients: killed in the middle of its work, and asked sixty-four
//! times at once with one refresh token.
//!
//! What a run does, how to make it long, and what it said when the server was broken on purpose: `docs/faults.md`.

#[path = "../../benches/driver/mod.rs"]
mod driver;

mod client;
mod kill;
mod leaver;
mod line;
mod race;
mod random;
mod tokens;

use anyhow::Context;
use std::env;

/// A whole number from the environment.
fn number(name: &str, default: u64) -> anyhow::Result<u64> {
    let Ok(text) = env::var(name) else { return Ok(default) };
    text.parse().with_context(|| format!("{name}={text}: expected a whole number"))
}

/// Faults come in thousands when something is wrong; ten of them tell as much.
#[track_caller]
fn assert_no_faults(faults: &[String]) {
    let first: Vec<_> = faults.iter().take(10).collect();
    assert!(faults.is_empty(), "{} faults, the first of them: {first:#?}", faults.len());
}

#[test]
fn nobody_is_signed_out_and_no_sign_out_comes_back_after_kill_9() {
    let plan = kill::Plan {
        kills: number("COUNTERFOIL_KILLS", 5).unwrap(),
        seed: number("COUNTERFOIL_SEED", random::new_seed()).unwrap(),
    };
    println!("kill -9: {plan:?}; repeat with COUNTERFOIL_SEED={}", plan.seed);
    let outcome = kill::run(&plan).unwrap();
    println!("kill -9: {outcome}");
    assert_no_faults(&outcome.faults);
}

#[test]
fn one_refresh_token_sixty_four_times_at_once_has_one_successor() {
    let rounds = number("COUNTERFOIL_RACE_ROUNDS", 25).unwrap();
    let outcome = race::run(rounds).unwrap();
    println!("race: {outcome}");
    assert_no_faults(&outcome.faults);
}
