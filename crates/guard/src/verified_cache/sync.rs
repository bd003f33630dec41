//! What the slots stand on. The model of them (`tests/slots`) puts other types under these names.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64};

/// One place for an entry. Reading it writes nothing that another core reads, also not a reference count.
pub(super) type Slot<E> = arc_swap::ArcSwap<E>;

/// An entry as read from its slot; it stays whole while somebody holds it, whatever happens to the slot.
pub(super) type Held<E> = arc_swap::Guard<std::sync::Arc<E>>;

/// Slots in a set: with their tags they fill one cache line.
pub(super) const WAYS: usize = 4;
