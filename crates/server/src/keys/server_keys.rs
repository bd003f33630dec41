//! The keys of a running server, which change while it runs.

use super::{KeyError, KeyRing, MasterKey};
use arc_swap::ArcSwap;
use counterfoil_domain::key::StoredKey;
use std::sync::Arc;

/// A ring that is replaced as a whole, and the master key that opens the next one.
pub struct ServerKeys {
    ring: ArcSwap<KeyRing>,
    master: Arc<MasterKey>,
}

impl ServerKeys {
    /// Begins with this ring.
    pub fn new(ring: KeyRing, master: MasterKey) -> Self {
        Self { ring: ArcSwap::from_pointee(ring), master: Arc::new(master) }
    }

    /// The keys of this moment. Take them once for all that belongs together.
    pub fn current(&self) -> arc_swap::Guard<Arc<KeyRing>> {
        self.ring.load()
    }

    /// The same, to be kept while one waits.
    pub fn snapshot(&self) -> Arc<KeyRing> {
        self.ring.load_full()
    }

    /// Opens what a store holds now.
    ///
    /// # Errors
    /// As [`KeyRing::assemble`].
    pub fn open(&self, stored: Vec<StoredKey>) -> Result<KeyRing, KeyError> {
        KeyRing::assemble(stored, &self.master)
    }

    /// Works with these from now on.
    pub fn replace(&self, ring: KeyRing) {
        self.ring.store(Arc::new(ring));
    }

    /// What seals new keys.
    pub fn master(&self) -> Arc<MasterKey> {
        Arc::clone(&self.master)
    }
}
