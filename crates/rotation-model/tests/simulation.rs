//! The production rule and others in the random simulation. A million traces are in the crate's printed command.

use counterfoil_rotation_model::{
    Production,
    schemes::{Leeway, Ours, ParentAccepted, RotationScheme, Strict},
    simulation::{Climate, ClockFaults, Figures, Habit, Plan, retell, simulate},
};

const SEED: u64 = 7;

fn run<S: RotationScheme>(setup: &S::Setup, plan: &Plan, traces: u64) -> Figures {
    simulate::<S>(setup, plan, SEED, 0..traces)
}

fn with_thief(habit: Habit) -> Plan {
    Plan { thief: Some(habit), ..Plan::honest(Climate::ACTIVE_CLIENT) }
}

#[test]
fn no_honest_client_is_signed_out_in_the_worst_climate() {
    let plan = Plan::honest(Climate::WORST);
    let figures = run::<Ours>(&Production, &plan, 20_000);
    if let Some(trace) = figures.failing_traces.first() {
        panic!("seed {SEED}, trace {trace}:\n{}", retell::<Ours>(&Production, &plan, SEED, *trace).join("\n"));
    }
    assert!(figures.client_grants > 10 * figures.traces, "the clients got somewhere");
}

#[test]
fn thieves_of_active_clients_are_caught_soon() {
    for habit in [Habit::Early, Habit::Late, Habit::Lockstep] {
        let figures = run::<Ours>(&Production, &with_thief(habit), 2_000);
        let (caught, few) = (figures.caught_percent(), figures.thieves_with_at_most(4));
        assert!(figures.thieves() > 1_900, "{habit:?}: {} acted", figures.thieves());
        assert!(caught >= 99.9 && few >= 99.9, "{habit:?}: {caught} % caught, {few} % with at most 4 grants");
    }
}

#[test]
fn a_thief_in_the_shadow_of_the_client_is_the_known_exception() {
    let figures = run::<Ours>(&Production, &with_thief(Habit::Shadow), 500);
    assert!(figures.caught_percent() < 99.0, "if this fails, the documentation may promise more");
}

#[test]
fn other_rules_pay_in_sign_outs_or_in_thieves() {
    let lossy = Plan { count_branches: true, ..Plan::honest(Climate::only_loss(20)) };
    assert_eq!(run::<Ours>(&Production, &lossy, 1_000).honest_sign_outs, 0);
    assert_eq!(run::<Ours>(&Production, &lossy, 1_000).branches_max, 1);
    assert!(run::<Strict>(&(), &lossy, 1_000).honest_sign_outs > 900);
    let leeway = run::<Leeway>(&(), &lossy, 1_000);
    assert!(leeway.honest_sign_outs > 500 && leeway.branches_max > 3, "{leeway:?}");
    let parent = run::<ParentAccepted>(&(), &with_thief(Habit::Lockstep), 500);
    assert!(parent.caught_percent() < 50.0 && parent.thief_grants().median > 50);
}

#[test]
fn the_simulation_sees_what_lies_beyond_the_bounds() {
    let worst = Plan::honest(Climate::WORST);
    let unnoticed = Plan::honest(Climate { clock: ClockFaults::Unnoticed, ..Climate::WORST });
    let patient = Plan { client_timeout: worst.client_timeout * 2, ..worst };
    for plan in [unnoticed, patient] {
        assert!(run::<Ours>(&Production, &plan, 100_000).honest_sign_outs > 0, "{plan:?}");
    }
}

#[test]
fn a_trace_is_told_again_as_it_was() {
    let plan = Plan::honest(Climate::WORST);
    let told = retell::<Ours>(&Production, &plan, SEED, 3);
    assert!(told.len() > 20);
    assert_eq!(told, retell::<Ours>(&Production, &plan, SEED, 3));
    assert_ne!(told, retell::<Ours>(&Production, &plan, SEED, 4));
    let parts = simulate::<Ours>(&Production, &plan, SEED, 0..300);
    let mut sums = simulate::<Ours>(&Production, &plan, SEED, 0..100);
    sums.merge(simulate::<Ours>(&Production, &plan, SEED, 100..300));
    assert_eq!((parts.traces, parts.client_grants), (sums.traces, sums.client_grants));
}
