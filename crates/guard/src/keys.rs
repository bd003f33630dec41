//! The keys in use, numbered, so that what was verified with earlier ones can be told apart.

use crate::verified_cache::freshness::Changes;
use arc_swap::ArcSwap;
use counterfoil_jwt::{AlgorithmSet, KeySet, Policy, VerifyingKey};
use parking_lot::Mutex;
use std::sync::Arc;

/// The keys that a guard verifies with, and by which rules.
#[derive(Clone)]
pub struct GuardKeys {
    /// How tokens are judged. Its algorithms are those of the keys; its leeway stays that of the guard's first policy.
    pub policy: Policy,
    /// Keys whose tokens are good.
    pub accepted: KeySet,
    /// Keys whose tokens have all ended: they tell whose one was, and let nobody in.
    pub former: KeySet,
}

/// A key set that is replaced as a whole.
pub(crate) struct KeysInUse {
    current: ArcSwap<KeyGeneration>,
    replaced: Changes,
    one_at_a_time: Mutex<()>,
}

/// One of the sets, with its number.
pub(crate) struct KeyGeneration {
    pub(crate) number: u64,
    pub(crate) policy: Policy,
    pub(crate) set: KeySet,
    /// For telling whose a token was: no times, and former keys too.
    pub(crate) recognizing: (Policy, KeySet),
}

impl KeyGeneration {
    fn new(number: u64, keys: GuardKeys) -> Self {
        let GuardKeys { policy, accepted, former } = keys;
        let mut recognized = accepted.clone();
        for key in former.iter() {
            // Of one that is there under the same name, the one whose tokens are good counts.
            let _ = recognized.add(key.clone());
        }
        let algorithms = former.iter().map(VerifyingKey::algorithm);
        let recognizing = policy.clone().ignore_times().and_algorithms(algorithms.collect::<AlgorithmSet>());
        Self { number, policy, set: accepted, recognizing: (recognizing, recognized) }
    }
}

impl KeysInUse {
    pub(crate) fn new(keys: GuardKeys) -> Self {
        let replaced = Changes::default();
        let current = ArcSwap::from_pointee(KeyGeneration::new(generation(&replaced), keys));
        Self { current, replaced, one_at_a_time: Mutex::default() }
    }

    /// The keys to verify with.
    pub(crate) fn current(&self) -> arc_swap::Guard<Arc<KeyGeneration>> {
        self.current.load()
    }

    /// The number of the keys in use, without the keys.
    pub(crate) fn generation(&self) -> u64 {
        generation(&self.replaced)
    }

    /// Takes other keys. The set comes first and the count after it: a token verified with the old set carries the old
    /// number even if it is finished only now.
    pub(crate) fn replace(&self, keys: GuardKeys) {
        let _serialized = self.one_at_a_time.lock();
        self.current.store(Arc::new(KeyGeneration::new(self.generation() + 1, keys)));
        self.replaced.add_one();
    }
}

/// From 1: no generation is 0.
fn generation(replaced: &Changes) -> u64 {
    replaced.count() + 1
}
