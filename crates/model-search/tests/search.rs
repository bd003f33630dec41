//! The search on a model small enough to count by hand.

use counterfoil_model_search::{Limits, Model, search};

const LIMITS: Limits = Limits { depth: 100, states: 1_000 };

/// A counter that is doubled or raised by one, up to a bound; one number must not be reached.
struct Counter {
    bound: u32,
    forbidden: u32,
}

#[derive(Debug)]
enum Step {
    Raise,
    Double,
}

impl Model for Counter {
    type State = u32;
    type Action = Step;
    type Broken = &'static str;

    fn start(&self) -> u32 {
        1
    }

    fn successors(&self, state: &u32, mut found: impl FnMut(Step, Result<u32, &'static str>)) {
        if *state < self.bound {
            found(Step::Raise, Ok(state + 1));
            found(Step::Double, Ok((state * 2).min(self.bound)));
        }
    }

    fn check(&self, state: &u32) -> Result<(), &'static str> {
        if *state == self.forbidden { Err("forbidden") } else { Ok(()) }
    }

    fn describe(&self, state: &u32) -> String {
        state.to_string()
    }
}

#[test]
fn every_state_is_seen_once() {
    let found = search(&Counter { bound: 50, forbidden: 0 }, LIMITS, |_, _| {});
    assert_eq!((found.states, found.steps, found.complete), (50, 98, true));
    assert!(found.broken.is_none());
    let shallow = search(&Counter { bound: 50, forbidden: 0 }, Limits { depth: 3, ..LIMITS }, |_, _| {});
    assert!(!shallow.complete && shallow.depth == 3);
}

#[test]
fn the_way_to_what_should_not_be_is_the_shortest() {
    let broken = search(&Counter { bound: 50, forbidden: 12 }, LIMITS, |_, _| {}).broken.unwrap();
    assert_eq!(broken.property, "forbidden");
    // 1, 2, 3, 6, 12: no way takes fewer than four steps.
    assert_eq!(broken.trace.len(), 5, "{:#?}", broken.trace);
    assert_eq!((broken.trace[0].as_str(), broken.trace[4].as_str()), ("start: 1", "Double breaks \"forbidden\""));
}
