//! What is remembered of the states that were seen: sixteen bytes each.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
};

/// A hash of a state. Two states that meet in one are taken for one: at 10⁷ states the chance that any two do is 3 in a
/// million.
pub(crate) type Fingerprint = u64;

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
pub(crate) struct Seen {
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
    pub(crate) fn insert(&self, state: Fingerprint, parent: Fingerprint) -> bool {
        let Some(shard) = self.shard(state) else { return false };
        let mut known = shard.lock().unwrap_or_else(PoisonError::into_inner);
        match known.entry(state) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(parent);
                true
            }
        }
    }

    /// The state it was first reached from; 0 for the start.
    pub(crate) fn parent(&self, state: Fingerprint) -> Fingerprint {
        let shard = self.shard(state);
        shard.and_then(|shard| shard.lock().ok()?.get(&state).copied()).unwrap_or(0)
    }
}
