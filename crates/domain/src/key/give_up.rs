//! When a key has leaked.

use super::{KeyChanges, KeyRuling, KeyState, KeyTerms, KeysView, StoredKey};
use crate::{
    event::{EventKind, Occasion},
    revocation::Revocation,
    time::UnixMillis,
};

/// The cutoff of a key that others may sign with. A thief writes any `iat` that he likes, so it is one that no token is minted
/// after: the last second of the year 9999, the end of what RFC 3339 can write, which every JSON reader holds exactly (RFC 8259
/// §6).
const EVERY_TOKEN: UnixMillis = UnixMillis::from_seconds(253_402_300_799);

/// `candidate` signs from now on. Every other key is retired at once, the retiring and the upcoming ones too: they were kept
/// in the same place. Verifiers that follow the feed refuse what any of them has signed or will sign. Nothing of them is kept,
/// so that no token of theirs is recognized either. The outcome is their ids.
pub fn give_up(
    view: &KeysView<'_>,
    candidate: &StoredKey,
    terms: &KeyTerms,
    occasion: &Occasion<'_>,
) -> KeyRuling<Vec<String>> {
    let mut changes = KeyChanges::default();
    let mut given_up = Vec::new();
    for key in view.keys.iter().filter(|key| key.verifies() && key.kid != candidate.kid) {
        let retired = key.moved_to(KeyState::Retired, occasion.now);
        changes.keys.push(StoredKey { sealed_public: Vec::new(), ..retired });
        changes.revoke(Revocation::Issuer { key: key.kid.clone(), cutoff: EVERY_TOKEN }, terms, occasion);
        given_up.push(key.kid.clone());
    }
    changes.keys.push(candidate.activated_at_once(view.active(), terms, occasion.now));
    changes.tell(EventKind::KeyCompromised, occasion);
    changes.tell(EventKind::KeyActivated, occasion);
    changes.publish(view, terms, occasion);
    KeyRuling { changes, outcome: given_up }
}
