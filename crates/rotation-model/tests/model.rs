//! The production rule in the exhaustive model. The limits keep this under a minute in a debug build; the printed
//! command of the crate goes deeper.

use counterfoil_rotation_model::{
    Production,
    model::{Broken, Limits, Scenario, client_timeout_max, search},
};
use std::time::Duration;

const LIMITS: Limits = Limits { depth: 80, states: 150_000 };

#[test]
fn every_property_holds_in_every_scenario() {
    for scenario in Scenario::all() {
        let found = search(&scenario, &Production, LIMITS, |_, _| {});
        if let Some(broken) = found.broken {
            panic!("{}: {:?}\n{}", scenario.name, broken.property, broken.trace.join("\n"));
        }
        assert!(found.complete || found.depth >= 12, "{}: only {} steps deep", scenario.name, found.depth);
        println!("{}: {} states, depth {}, complete: {}", scenario.name, found.states, found.depth, found.complete);
    }
}

#[test]
fn without_faults_the_states_are_enumerated_to_the_last() {
    let found = search(&Scenario::honest(), &Production, LIMITS, |_, _| {});
    assert!(found.complete && found.broken.is_none());
}

#[test]
fn just_beyond_the_bounds_a_sign_out_is_found() {
    for scenario in Scenario::beyond() {
        // Breadth first: it stops as soon as it has found one.
        let found = search(&scenario, &Production, Limits { states: 3_000_000, ..LIMITS }, |_, _| {});
        let property = found.broken.map(|broken| broken.property);
        assert_eq!(property, Some(Broken::HonestSignOut), "{}", scenario.name);
    }
}

#[test]
fn a_counterexample_is_told_from_the_start() {
    let patient = Scenario::beyond().remove(0);
    let trace = search(&patient, &Production, LIMITS, |_, _| {}).broken.unwrap().trace;
    assert!(trace[0].starts_with("start: "), "{}", trace[0]);
    assert!(trace.len() >= 10 && trace.last().unwrap().ends_with("breaks HonestSignOut"), "{trace:#?}");
}

#[test]
fn the_bound_on_clients_follows_from_window_and_deadline() {
    assert_eq!(client_timeout_max(Duration::from_secs(15)), Duration::from_secs(5));
    assert_eq!(client_timeout_max(Duration::from_secs(25)), Duration::from_secs(10));
    assert_eq!(client_timeout_max(Duration::from_secs(3)), Duration::ZERO);
}
