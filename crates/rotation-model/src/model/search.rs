//! The enumeration: breadth first, every state once, on all cores.
//!
//! Why not a model-checking library: the search is these two pages, states are canonical before they are hashed, and
//! what is remembered of a state is sixteen bytes (its fingerprint and its parent's), so it goes as deep as memory
//! allows. A trace is found again by walking the fingerprints from the start.

use super::{
    properties::{self, Broken},
    scenario::Scenario,
    state::State,
    step::Action,
};
use crate::rule::Rule;
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
    thread,
};

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Different states seen.
    pub states: usize,
    /// Steps taken, including those to states seen before.
    pub steps: usize,
    /// Every state reachable in this many steps was seen.
    pub depth: usize,
    /// Whether that is all there are: nothing new can be reached at any depth.
    pub complete: bool,
    /// The shortest way to a state where a property does not hold.
    pub broken: Option<Counterexample>,
}

/// A way to a state where a property does not hold.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The property.
    pub property: Broken,
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

type Fingerprint = u64;

fn fingerprint(state: &State) -> Fingerprint {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// Searches a scenario under a rule. `progress` is told after each level: its depth and the states known.
pub fn search(scenario: &Scenario, rule: &impl Rule, limits: Limits, mut progress: impl FnMut(usize, usize)) -> Found {
    let start = State::initial().canonical(scenario.retry_window());
    let seen = Seen::default();
    seen.insert(fingerprint(&start), 0);
    let mut frontier = vec![start];
    let (mut states, mut steps, mut depth) = (1, 0, 0);
    let mut broken = None;
    while !frontier.is_empty() && depth < limits.depth && states < limits.states && broken.is_none() {
        let threads = thread::available_parallelism().map_or(1, Into::into);
        let parts = frontier.chunks(frontier.len().div_ceil(threads));
        let levels: Vec<Level> = thread::scope(|scope| {
            let searching: Vec<_> = parts.map(|part| scope.spawn(|| next_level(scenario, rule, &seen, part))).collect();
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
        let mut trace = seen.trace_to(scenario, rule, &state);
        trace.push(format!("{action:?} breaks {property:?}"));
        Counterexample { property, trace }
    });
    Found { states, steps, depth, complete: frontier.is_empty() && broken.is_none(), broken }
}

#[derive(Default)]
struct Level {
    states: Vec<State>,
    steps: usize,
    broken: Option<(State, Action, Broken)>,
}

fn next_level(scenario: &Scenario, rule: &impl Rule, seen: &Seen, part: &[State]) -> Level {
    let mut level = Level::default();
    for state in part {
        let parent = fingerprint(state);
        scenario.successors(rule, state, |action, outcome| {
            level.steps += 1;
            let next = outcome.map(|next| next.canonical(scenario.retry_window()));
            let checked = next.and_then(|next| {
                let is_new = seen.insert(fingerprint(&next), parent);
                if is_new {
                    properties::check_theft_is_found(scenario, rule, &next)?;
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

/// The fingerprints are hashes already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

type Parents = HashMap<Fingerprint, Fingerprint, BuildHasherDefault<AsIs>>;

const SHARDS: usize = 64;

/// Every state seen, with the one it was first reached from. Split, so that threads seldom wait for one another.
struct Seen {
    shards: Vec<Mutex<Parents>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Seen {
    fn shard(&self, fingerprint: Fingerprint) -> Option<&Mutex<Parents>> {
        // Low bits choose the shard; the map uses the high ones and the low ones, of which enough differ.
        self.shards.get(usize::try_from(fingerprint >> 32).unwrap_or(0) % SHARDS)
    }

    /// Whether it is new.
    fn insert(&self, state: Fingerprint, parent: Fingerprint) -> bool {
        let Some(shard) = self.shard(state) else { return false };
        let mut known = shard.lock().unwrap_or_else(PoisonError::into_inner);
        match known.entry(state) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(parent);
                true
            }
        }
    }

    fn parent(&self, state: Fingerprint) -> Fingerprint {
        let shard = self.shard(state);
        shard.and_then(|shard| shard.lock().ok()?.get(&state).copied()).unwrap_or(0)
    }

    /// The steps that led to a state, found again by walking its ancestors' fingerprints.
    fn trace_to(&self, scenario: &Scenario, rule: &impl Rule, last: &State) -> Vec<String> {
        let mut way = vec![fingerprint(last)];
        while let Some(parent) = way.last().map(|state| self.parent(*state)).filter(|parent| *parent != 0) {
            way.push(parent);
        }
        let mut state = State::initial().canonical(scenario.retry_window());
        let mut lines = vec![format!("start: {}", state.describe())];
        for wanted in way.iter().rev().skip(1) {
            let mut step = None;
            scenario.successors(rule, &state, |action, outcome| {
                if let Ok(next) = outcome.map(|next| next.canonical(scenario.retry_window()))
                    && fingerprint(&next) == *wanted
                {
                    step = Some((action, next));
                }
            });
            let Some((action, next)) = step else { break };
            lines.push(format!("{action:?}: {}", next.describe()));
            state = next;
        }
        lines
    }
}
