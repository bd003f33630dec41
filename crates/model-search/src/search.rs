//! The enumeration: breadth first, every state once, on all cores.

use crate::seen::{Fingerprint, Seen};
use std::{
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher},
    thread,
};

/// What is searched.
pub trait Model: Sync {
    /// A state, in its canonical form: states that cannot be told apart by anything that may still happen are one.
    type State: Clone + Hash + Send + Sync;
    /// Something that happens.
    type Action: Debug + Send;
    /// A property that does not hold.
    type Broken: Debug + Send;

    /// Where everything begins.
    fn start(&self) -> Self::State;

    /// Everything that can happen in a state, with what it leads to.
    fn successors(&self, state: &Self::State, found: impl FnMut(Self::Action, Result<Self::State, Self::Broken>));

    /// What must hold in a state; asked once of each.
    ///
    /// # Errors
    /// The property that does not.
    fn check(&self, state: &Self::State) -> Result<(), Self::Broken>;

    /// A state as one line of text, for traces.
    fn describe(&self, state: &Self::State) -> String;
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found<B> {
    /// Different states seen.
    pub states: usize,
    /// Steps taken, including those to states seen before.
    pub steps: usize,
    /// Every state reachable in this many steps was seen.
    pub depth: usize,
    /// Whether that is all there are: nothing new can be reached at any depth.
    pub complete: bool,
    /// The shortest way to a state where a property does not hold.
    pub broken: Option<Counterexample<B>>,
}

/// A way to a state where a property does not hold.
#[derive(Clone, Debug)]
pub struct Counterexample<B> {
    /// The property.
    pub property: B,
    /// What happened, one line a step.
    pub trace: Vec<String>,
}

/// How far to search.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most steps.
    pub depth: usize,
    /// No further level is begun once this many states are known.
    pub states: usize,
}

fn fingerprint(state: &impl Hash) -> Fingerprint {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// Searches a model. `progress` is told after each level: its depth and the states known.
pub fn search<M: Model>(model: &M, limits: Limits, mut progress: impl FnMut(usize, usize)) -> Found<M::Broken> {
    let start = model.start();
    let seen = Seen::default();
    seen.insert(fingerprint(&start), 0);
    let mut frontier = vec![start];
    let (mut states, mut steps, mut depth) = (1, 0, 0);
    let mut broken = None;
    while !frontier.is_empty() && depth < limits.depth && states < limits.states && broken.is_none() {
        let threads = thread::available_parallelism().map_or(1, Into::into);
        let parts = frontier.chunks(frontier.len().div_ceil(threads));
        let levels: Vec<Level<M>> = thread::scope(|scope| {
            let searching: Vec<_> = parts.map(|part| scope.spawn(|| next_level(model, &seen, part))).collect();
            searching.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        frontier = Vec::with_capacity(levels.iter().map(|level| level.states.len()).sum());
        for level in levels {
            steps += level.steps;
            frontier.extend(level.states);
            broken = broken.or(level.broken);
        }
        states += frontier.len();
        depth += 1;
        progress(depth, states);
    }
    let broken = broken.map(|(state, action, property)| {
        let mut trace = trace_to(model, &seen, &state);
        trace.push(format!("{action:?} breaks {property:?}"));
        Counterexample { property, trace }
    });
    Found { states, steps, depth, complete: frontier.is_empty() && broken.is_none(), broken }
}

struct Level<M: Model> {
    states: Vec<M::State>,
    steps: usize,
    broken: Option<(M::State, M::Action, M::Broken)>,
}

fn next_level<M: Model>(model: &M, seen: &Seen, part: &[M::State]) -> Level<M> {
    let mut level = Level { states: Vec::new(), steps: 0, broken: None };
    for state in part {
        let parent = fingerprint(state);
        model.successors(state, |action, next| {
            level.steps += 1;
            let checked = next.and_then(|next| {
                if seen.insert(fingerprint(&next), parent) {
                    model.check(&next)?;
                    level.states.push(next);
                }
                Ok(())
            });
            if let Err(property) = checked
                && level.broken.is_none()
            {
                level.broken = Some((state.clone(), action, property));
            }
        });
    }
    level
}

/// The steps that led to a state, found again by walking its ancestors' fingerprints.
fn trace_to<M: Model>(model: &M, seen: &Seen, last: &M::State) -> Vec<String> {
    let mut way = vec![fingerprint(last)];
    while let Some(parent) = way.last().map(|state| seen.parent(*state)).filter(|parent| *parent != 0) {
        way.push(parent);
    }
    let mut state = model.start();
    let mut lines = vec![format!("start: {}", model.describe(&state))];
    for wanted in way.iter().rev().skip(1) {
        let mut step = None;
        model.successors(&state, |action, next| {
            if let Ok(next) = next
                && fingerprint(&next) == *wanted
            {
                step = Some((action, next));
            }
        });
        let Some((action, next)) = step else { break };
        lines.push(format!("{action:?}: {}", model.describe(&next)));
        state = next;
    }
    lines
}
