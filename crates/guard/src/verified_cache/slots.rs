//! A fixed array of slots in small sets, read without locks.
//!
//! A key's hash names two sets of [`WAYS`] slots; the entry is in one of them or nowhere. Having the choice, a new entry
//! goes where there is more room, which evens out the sets so well that hardly any entry is driven out before the array
//! is nearly full (Azar et al., "Balanced Allocations", 1994); with one set for each, a third of the slots taken would
//! be enough to make one entry in fifteen fight for its place.
//!
//! Readers look at the sets' tags, load the slot whose tag fits, and let the caller compare what is really there. So a tag
//! is a hint and nothing more: while a writer is between slot and tag, a reader finds an entry that does not compare equal,
//! and goes on as if there were none.
//!
//! Which entry gives way is decided by second chance, as in CLOCK: one that was read since the last search stays once
//! more, so a crowd of tokens that come only once does not drive out those that come again and again.

use std::sync::{Arc, atomic::Ordering};

use super::sync::{AtomicBool, AtomicU64, Held, Slot, WAYS};

/// The array. `E` is compared by the caller; two entries with one hash may well differ.
pub(crate) struct Slots<E> {
    sets: Box<[Set<E>]>,
    vacant: Arc<E>,
}

#[repr(align(64))]
struct Set<E> {
    ways: [Way<E>; WAYS],
}

struct Way<E> {
    /// The entry's hash, never 0; 0 when the slot is vacant.
    tag: AtomicU64,
    slot: Slot<E>,
}

/// What the slots must know of an entry.
pub(crate) trait Entry {
    /// Set by readers, cleared when a search for room passes by.
    fn recently_used(&self) -> &AtomicBool;
}

impl<E: Entry> Slots<E> {
    /// Room for `entries_max`, rounded up to a power of two. `vacant` stands in every slot that holds nothing: it must
    /// compare equal to no key.
    pub(crate) fn new(entries_max: usize, vacant: E) -> Self {
        let vacant = Arc::new(vacant);
        let way = || Way { tag: AtomicU64::new(0), slot: Slot::new(Arc::clone(&vacant)) };
        let sets = entries_max.div_ceil(WAYS).next_power_of_two();
        let sets = (0..sets).map(|_| Set { ways: std::array::from_fn(|_| way()) }).collect();
        Self { sets, vacant }
    }

    /// The entry of this hash that `is_wanted`.
    pub(crate) fn find(&self, hash: u64, is_wanted: impl Fn(&E) -> bool) -> Option<Held<E>> {
        for way in self.ways(hash) {
            if way.tag.load(Ordering::Relaxed) != tag(hash) {
                continue;
            }
            let entry = way.slot.load();
            if is_wanted(&entry) {
                let used = entry.recently_used();
                // Asking first keeps the line shared: two cores that read one entry would pass it to and fro otherwise.
                if !used.load(Ordering::Relaxed) {
                    used.store(true, Ordering::Relaxed);
                }
                return Some(entry);
            }
        }
        None
    }

    /// Puts an entry in: in the place of an `is_replaced` one, where it may not stand twice, or of a vacant one, or of
    /// one that nobody used of late.
    pub(crate) fn insert(&self, hash: u64, entry: Arc<E>, is_replaced: impl Fn(&E) -> bool) {
        if let Some(way) = self.room(hash, is_replaced) {
            way.slot.store(entry);
            way.tag.store(tag(hash), Ordering::Release);
        }
    }

    /// Empties every slot. What is being inserted meanwhile may stay.
    pub(crate) fn clear(&self) {
        for way in self.sets.iter().flat_map(|set| &set.ways) {
            if way.tag.swap(0, Ordering::AcqRel) != 0 {
                way.slot.store(Arc::clone(&self.vacant));
            }
        }
    }

    fn room(&self, hash: u64, is_replaced: impl Fn(&E) -> bool) -> Option<&Way<E>> {
        let [one, two] = self.sets(hash);
        let vacancies = |set: &&Set<E>| set.ways.iter().filter(|way| way.is_vacant()).count();
        let roomier = || one.into_iter().chain(two).max_by_key(vacancies)?.ways.iter().find(|way| way.is_vacant());
        let idle = || self.ways(hash).find(|way| !way.slot.load().recently_used().swap(false, Ordering::Relaxed));
        // Where all were in use, all have lost their mark now; the hash says which one goes.
        let any = || self.ways(hash).nth((hash >> 48) as usize % (2 * WAYS));
        self.ways(hash).find(|way| is_replaced(&way.slot.load())).or_else(roomier).or_else(idle).or_else(any)
    }

    fn ways(&self, hash: u64) -> impl Iterator<Item = &Way<E>> {
        self.sets(hash).into_iter().flatten().flat_map(|set| &set.ways)
    }

    /// The two sets, by the halves of the hash.
    #[expect(clippy::cast_possible_truncation, reason = "bits of a hash")]
    fn sets(&self, hash: u64) -> [Option<&Set<E>>; 2] {
        // The number of sets is a power of two, so the mask is the remainder.
        let set = |half: u64| self.sets.get(half as usize & (self.sets.len() - 1));
        [set(hash), set(hash >> 32)]
    }
}

impl<E> Way<E> {
    fn is_vacant(&self) -> bool {
        self.tag.load(Ordering::Relaxed) == 0
    }
}

/// The hash as a tag: not 0.
const fn tag(hash: u64) -> u64 {
    hash | 1 << 63
}
