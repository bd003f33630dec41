//! Publishing the next key, before it signs anything.

use super::{KeyChanges, KeyRuling, KeyState, KeyTerms, KeyUse, KeysView, StoredKey};
use crate::{
    event::{EventKind, Occasion},
    time::UnixMillis,
};

/// What came of an announcement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Announced {
    /// The key is published, and signs later.
    Upcoming,
    /// Another one is on its way: this one was not needed.
    AnotherIsUpcoming {
        /// The other's id.
        kid: String,
    },
    /// There is a key with this id, or was.
    KnownKey,
    /// There is no key yet: the server makes the first one when it starts.
    NoActiveKey,
}

/// Publishes `candidate` as the next key to sign. One is on its way at a time.
pub fn announce(
    view: &KeysView<'_>,
    candidate: &StoredKey,
    terms: &KeyTerms,
    occasion: &Occasion<'_>,
) -> KeyRuling<Announced> {
    let is_the_same = |key: &StoredKey| key.key_use == KeyUse::Sign && key.kid == candidate.kid;
    if view.active().is_none() {
        return KeyRuling::unchanged(Announced::NoActiveKey);
    }
    if view.keys.iter().any(is_the_same) {
        return KeyRuling::unchanged(Announced::KnownKey);
    }
    if let Some(other) = view.upcoming() {
        return KeyRuling::unchanged(Announced::AnotherIsUpcoming { kid: other.kid.clone() });
    }
    let mut changes = KeyChanges::default();
    put_upcoming(&mut changes, view, candidate, terms, occasion);
    KeyRuling { changes, outcome: Announced::Upcoming }
}

pub(super) fn put_upcoming(
    changes: &mut KeyChanges,
    view: &KeysView<'_>,
    candidate: &StoredKey,
    terms: &KeyTerms,
    occasion: &Occasion<'_>,
) {
    let announced = Some(changes.next_place(view));
    changes.keys.push(StoredKey { announced, ..candidate.moved_to(KeyState::Upcoming, occasion.now) });
    changes.tell(EventKind::KeyAnnounced, occasion);
    changes.publish(view, terms, occasion);
}

/// Whether the active key is so old that the next one is to be announced.
pub fn rotation_is_due(view: &KeysView<'_>, terms: &KeyTerms, now: UnixMillis) -> bool {
    let is_old = |key: &StoredKey| terms.rotate_after.is_some_and(|after| now.since(key.state_since) >= after);
    view.active().is_some_and(is_old) && view.upcoming().is_none()
}
