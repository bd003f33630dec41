//! The random simulation: traces as real networks, people and faults make them, far longer than the model can follow.
//!
//! A trace is decided by two numbers, the seed of the run and its place in the run; whoever has them sees it again.

mod client;
mod events;
mod figures;
mod network;
mod random;
mod server;
mod thief;
mod weather;
mod world;

pub use figures::{Figures, Outcome, Spread, Theft};
pub use thief::Habit;
pub use weather::{Climate, ClockFaults};
pub use world::Plan;

use crate::schemes::RotationScheme;
use random::Random;
use std::{ops::Range, thread};
use world::World;

/// Runs these traces of a seed on all cores.
pub fn simulate<S: RotationScheme>(setup: &S::Setup, plan: &Plan, seed: u64, traces: Range<u64>) -> Figures {
    let threads = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let traces = traces.clone();
                scope.spawn(move || {
                    let mut figures = Figures::default();
                    // Which thread runs a trace makes no difference to what it does.
                    for trace in traces.skip(thread).step_by(threads) {
                        let world = World::<S>::new(setup, plan, Random::for_trace(seed, trace), false);
                        figures.add(trace, world.run().0);
                    }
                    figures
                })
            })
            .collect();
        let mut sums = Figures::default();
        for part in running {
            if let Ok(figures) = part.join() {
                sums.merge(figures);
            }
        }
        sums
    })
}

/// Runs one trace again and tells what happened, a line an event.
pub fn retell<S: RotationScheme>(setup: &S::Setup, plan: &Plan, seed: u64, trace: u64) -> Vec<String> {
    World::<S>::new(setup, plan, Random::for_trace(seed, trace), true).run().1
}
