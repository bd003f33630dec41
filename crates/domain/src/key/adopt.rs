//! What a server does at its start with the key that its configuration asks for.

use super::{KeyChanges, KeyRuling, KeyState, KeyTerms, KeysView, StoredKey, announce::put_upcoming};
use crate::event::{EventKind, Occasion};

/// Which signing key the configuration asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WantedKey {
    /// Any of this algorithm.
    OfAlgorithm(String),
    /// The one with this id: the secret is in the operator's hands.
    WithId(String),
}

impl WantedKey {
    /// Whether it is this one.
    pub fn is(&self, key: &StoredKey) -> bool {
        match self {
            Self::OfAlgorithm(algorithm) => key.algorithm == *algorithm,
            Self::WithId(kid) => key.kid == *kid,
        }
    }
}

/// What was done at the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adopted {
    /// The active key is the one that is wanted.
    AsItWas,
    /// The one that is wanted is on its way, and another signs until then.
    Upcoming,
    /// The one that is wanted signs from now on.
    Active,
    /// There is none that is wanted, and none was brought: nothing was done.
    KeyMissing,
}

/// Makes the wanted key the one that signs, at once or later. `candidate` is such a key, for where there is none;
/// without one it is told whether one is needed.
///
/// - The first key signs at once: nobody verifies yet.
/// - A key pair that takes the place of a key pair is announced first, as in any rotation.
/// - Where a shared secret comes or goes the change is at once, for nobody can have learned the keys from the published set. The
///   secret that goes is retired: whoever has it can sign, and replacing it is how an operator takes that away. Its people
///   refresh once. One that comes back, because the operator put the old file back, signs again: the one step that leads back.
pub fn adopt(
    view: &KeysView<'_>,
    wanted: &WantedKey,
    candidate: Option<&StoredKey>,
    terms: &KeyTerms,
    occasion: &Occasion<'_>,
) -> KeyRuling<Adopted> {
    let now = occasion.now;
    let mut changes = KeyChanges::default();
    let active = view.active();
    if active.is_some_and(|key| wanted.is(key)) {
        // One of another algorithm is on its way, as somebody had configured it before.
        if view.upcoming().is_some_and(|key| !wanted.is(key)) {
            changes.withdraw(view, occasion);
            changes.publish(view, terms, occasion);
        }
        return KeyRuling { changes, outcome: Adopted::AsItWas };
    }
    if view.upcoming().is_some_and(|key| wanted.is(key)) {
        return KeyRuling::unchanged(Adopted::Upcoming);
    }
    let Some(candidate) = candidate else { return KeyRuling::unchanged(Adopted::KeyMissing) };
    if active.is_some_and(|active| !active.is_shared_secret() && !candidate.is_shared_secret()) {
        changes.withdraw(view, occasion);
        put_upcoming(&mut changes, view, candidate, terms, occasion);
        return KeyRuling { changes, outcome: Adopted::Upcoming };
    }
    changes.withdraw(view, occasion);
    if let Some(active) = active {
        let state = if active.is_shared_secret() { KeyState::Retired } else { KeyState::Retiring };
        changes.keys.push(active.moved_to(state, now));
        if state == KeyState::Retired {
            changes.tell(EventKind::KeyRetired, occasion);
        }
    }
    // A key of the same id that was withdrawn above is written over by this one.
    changes.keys.retain(|key| key.kid != candidate.kid);
    changes.keys.push(candidate.activated_at_once(active, terms, now));
    changes.tell(EventKind::KeyActivated, occasion);
    if active.is_some() {
        changes.publish(view, terms, occasion);
    }
    KeyRuling { changes, outcome: Adopted::Active }
}
