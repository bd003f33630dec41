//! What production does, in the exhaustive model. The limits keep this under a minute; the printed command of the crate
//! goes to the end.

use counterfoil_feed_model::{
    Production,
    model::{Broken, Failure, Limits, Scenario, WakeUps, search},
};

const LIMITS: Limits = Limits { depth: 500, states: 130_000 };

#[test]
fn every_property_holds_in_every_scenario() {
    let large = Limits { states: 60_000, ..LIMITS };
    let scenarios = Scenario::all().into_iter().map(|scenario| (scenario, LIMITS));
    for (scenario, limits) in scenarios.chain(Scenario::large().into_iter().map(|scenario| (scenario, large))) {
        let found = search(&scenario, &Production, limits, |_, _| {});
        println!("{}: {} states, depth {}, complete: {}", scenario.name, found.states, found.depth, found.complete);
        if let Some(broken) = found.broken {
            panic!("{}: {:?}\n{}", scenario.name, broken.property, broken.trace.join("\n"));
        }
        let is_small = scenario.verifiers == 1 && !scenario.node && !scenario.crossing;
        let all_there_is = is_small && matches!(scenario.failure, Failure::None | Failure::Synchronous);
        assert!(found.complete || !all_there_is, "{}: {} states", scenario.name, found.states);
        assert!(found.complete || found.depth >= 10, "{}: only {} steps deep", scenario.name, found.depth);
    }
}

#[test]
fn just_beyond_what_is_promised_a_fault_is_found() {
    for scenario in Scenario::beyond() {
        let expected = if scenario.holds_over_restarts { Broken::RefusalUndone } else { Broken::AcceptedTooLate };
        // Breadth first: it stops as soon as it has found one.
        let found = search(&scenario, &Production, Limits { states: 2_000_000, ..LIMITS }, |_, _| {});
        let property = found.broken.map(|broken| broken.property);
        assert_eq!(property, Some(expected), "{}: {} states", scenario.name, found.states);
    }
}

#[test]
fn a_counterexample_is_told_from_the_start() {
    let sooner = Scenario::beyond().remove(0);
    let trace = search(&sooner, &Production, LIMITS, |_, _| {}).broken.unwrap().trace;
    assert!(trace[0].starts_with("start: "), "{}", trace[0]);
    assert!(trace.len() >= 10 && trace.last().unwrap().ends_with("breaks AcceptedTooLate"), "{trace:#?}");
}

#[test]
fn the_bounds_are_those_that_the_documentation_names() {
    let millis = |scenario: &Scenario| scenario.bound.as_millis();
    assert_eq!(millis(&Scenario::after(Failure::OldBackup)), 5_000);
    assert_eq!(millis(&Scenario::prompt(WakeUps::Kept)), 750);
    assert_eq!(millis(&Scenario::prompt(WakeUps::Lost)), 1_250);
}
