//! The keys in use, numbered, so that what was verified with earlier ones can be told apart.

use crate::verified_cache::freshness::Changes;
use arc_swap::ArcSwap;
use counterfoil_jwt::KeySet;
use parking_lot::Mutex;
use std::sync::Arc;

/// A key set that is replaced as a whole.
pub(crate) struct KeysInUse {
    current: ArcSwap<KeyGeneration>,
    replaced: Changes,
    one_at_a_time: Mutex<()>,
}

/// One of the sets, with its number.
pub(crate) struct KeyGeneration {
    pub(crate) number: u64,
    pub(crate) set: KeySet,
}

impl KeysInUse {
    pub(crate) fn new(set: KeySet) -> Self {
        let replaced = Changes::default();
        let current = ArcSwap::from_pointee(KeyGeneration { number: generation(&replaced), set });
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
    pub(crate) fn replace(&self, set: KeySet) {
        let _serialized = self.one_at_a_time.lock();
        self.current.store(Arc::new(KeyGeneration { number: self.generation() + 1, set }));
        self.replaced.add_one();
    }
}

/// From 1: no generation is 0.
fn generation(replaced: &Changes) -> u64 {
    replaced.count() + 1
}
