//! The protocol of the cache of verified tokens under loom: every order in which two or three threads can take their
//! steps, and every value that the memory model lets them read.
//!
//! The sources are those of the guard. What they stand on is loom's: its atomics for the standard ones, and for a slot a
//! register behind loom's lock, since what goes on inside `arc_swap` is that crate's to prove.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole crate is a test: a panic is its report"
)]

#[path = "../../src/verified_cache/freshness.rs"]
mod freshness;
#[path = "../../src/verified_cache/slots.rs"]
mod slots;

mod sync {
    use loom::sync::Mutex;
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64};
    use std::sync::Arc;

    /// Two, so that there is a choice; with more the histories grow beyond counting and show nothing new.
    pub(super) const WAYS: usize = 2;

    pub(super) type Held<E> = Arc<E>;

    pub(super) struct Slot<E>(Mutex<Arc<E>>);

    impl<E> Slot<E> {
        pub(super) fn new(entry: Arc<E>) -> Self {
            Self(Mutex::new(entry))
        }

        pub(super) fn load(&self) -> Held<E> {
            Arc::clone(&self.0.lock().unwrap())
        }

        pub(super) fn store(&self, entry: Arc<E>) {
            *self.0.lock().unwrap() = entry;
        }
    }
}

use freshness::{Changes, GoodAt};
use loom::{sync::Mutex, sync::atomic::Ordering::SeqCst, thread};
use slots::{Entry, Slots};
use std::sync::Arc;
use sync::{AtomicBool, AtomicU64};

/// Tokens are numbers here; 0 is nobody's. All have one hash, so all want the same set.
const HASH: u64 = 7;

struct Token {
    number: u64,
    key_generation: u64,
    not_revoked_at: GoodAt,
    recently_used: AtomicBool,
}

impl Entry for Token {
    fn recently_used(&self) -> &AtomicBool {
        &self.recently_used
    }
}

fn token(number: u64, key_generation: u64, changes: u64) -> Token {
    Token { number, key_generation, not_revoked_at: GoodAt::new(changes), recently_used: AtomicBool::new(false) }
}

/// A guard in small: the parts of the real one, put together in the same order of steps.
struct Guard {
    slots: Slots<Token>,
    /// The key generation that a verification would use, and the one that is announced.
    keys: Mutex<u64>,
    keys_replaced: Changes,
    /// One bit a token.
    revoked: AtomicU64,
    revocations: Changes,
}

impl Guard {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            slots: Slots::new(1, token(0, 0, 0)),
            keys: Mutex::new(1),
            keys_replaced: Changes::default(),
            revoked: AtomicU64::new(0),
            revocations: Changes::default(),
        })
    }

    fn is_revoked(&self, number: u64) -> bool {
        self.revoked.load(SeqCst) & 1 << number != 0
    }

    /// Whether the cache lets this token in.
    fn is_remembered(&self, number: u64) -> bool {
        let generation = self.keys_replaced.count() + 1;
        let is_wanted = |entry: &Token| entry.number == number && entry.key_generation == generation;
        let Some(entry) = self.slots.find(HASH, is_wanted) else { return false };
        assert_eq!(entry.number, number, "what was found is what was asked for");
        entry.not_revoked_at.is_still_good(&self.revocations, || !self.is_revoked(number))
    }

    /// The way of a token that is not remembered. A token of these models is good under the first keys only.
    fn verify_and_remember(&self, number: u64) -> bool {
        let generation = *self.keys.lock().unwrap();
        let changes = self.revocations.count();
        if generation != 1 || self.is_revoked(number) {
            return false;
        }
        self.slots.insert(HASH, Arc::new(token(number, generation, changes)), |other| {
            other.number == number || other.key_generation < generation
        });
        true
    }

    fn authenticate(&self, number: u64) -> bool {
        self.is_remembered(number) || self.verify_and_remember(number)
    }

    fn revoke(&self, number: u64) {
        self.revoked.fetch_or(1 << number, SeqCst);
        self.revocations.add_one();
    }

    fn replace_keys(&self) {
        *self.keys.lock().unwrap() = 2;
        self.keys_replaced.add_one();
        self.slots.clear();
    }
}

/// Runs the model with at most so many switches away from a thread that could go on: faults need few (CHESS, PLDI 2007).
fn every_history(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Runs `step` on a thread of the model.
fn alongside(guard: &Arc<Guard>, step: impl FnOnce(&Guard) + 'static) -> thread::JoinHandle<()> {
    let guard = Arc::clone(guard);
    thread::spawn(move || step(&guard))
}

/// Three tokens for two slots, so that one of them is driven out while it may be read.
#[test]
fn a_token_never_gets_the_entry_of_another() {
    every_history(|| {
        let guard = Guard::new();
        assert!(guard.authenticate(1));
        let others = alongside(&guard, |guard| {
            guard.verify_and_remember(2);
            guard.verify_and_remember(3);
        });
        // The assertion is inside: what is found is what was asked for.
        guard.is_remembered(1);
        guard.is_remembered(3);
        others.join().unwrap();
        assert!((1..=3).filter(|number| guard.is_remembered(*number)).count() == 2, "both slots are in use");
    });
}

#[test]
fn one_token_verified_twice_at_once_does_no_harm() {
    every_history(|| {
        let guard = Guard::new();
        let other = alongside(&guard, |guard| assert!(guard.authenticate(1)));
        assert!(guard.authenticate(1));
        other.join().unwrap();
        assert!(guard.is_remembered(1));
        guard.revoke(1);
        assert!(!guard.authenticate(1));
    });
}

/// Once `revoke` has returned, nobody gets in: neither by an entry made before nor by one made meanwhile.
#[test]
fn a_revocation_holds_from_its_end_on() {
    for is_known_before in [true, false] {
        every_history(move || {
            let guard = Guard::new();
            if is_known_before {
                guard.verify_and_remember(1);
            }
            let reader = alongside(&guard, |guard| {
                guard.authenticate(1);
            });
            let other_revocation = alongside(&guard, |guard| guard.revoke(2));
            guard.revoke(1);
            assert!(!guard.authenticate(1), "while the others are still at work");
            reader.join().unwrap();
            other_revocation.join().unwrap();
            assert!(!guard.authenticate(1));
        });
    }
}

/// The same for keys: a verification that began under the old ones may finish, but leaves nothing that counts.
#[test]
fn entries_die_with_their_keys() {
    every_history(|| {
        let guard = Guard::new();
        let reader = alongside(&guard, |guard| {
            guard.authenticate(1);
            guard.authenticate(1);
        });
        guard.replace_keys();
        assert!(!guard.authenticate(1), "while the other is still at work");
        reader.join().unwrap();
        assert!(!guard.authenticate(1));
    });
}
