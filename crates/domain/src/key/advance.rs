//! What time has made due: an announced key begins to sign, one whose last token has ended is retired.

use super::{KeyChanges, KeyRuling, KeyState, KeyTerms, KeysView, StoredKey};
use crate::{
    event::{EventKind, Occasion},
    revocation::FeedPosition,
    time::UnixMillis,
};
use std::time::Duration;

/// Added to the age of the oldest copy of the public keys that anybody may hold: for the time that a copy is on its way, and
/// for those who keep it a little longer than they were told. Never more than the age itself, where that is shorter.
const CACHE_MARGIN: Duration = Duration::from_mins(1);
/// How long verifiers that follow the feed are waited for that poll and never say that they have a new key. They are broken;
/// waiting on would let one of them keep everybody from changing keys.
const UNCONFIRMED_MAX: Duration = Duration::from_hours(1);
/// Added to the life of a key's last token: by how much verifiers' clocks may differ (a leeway of two minutes is the most that
/// can be configured)…
const LEEWAY_MAX: Duration = Duration::from_mins(2);
/// …for how long a process may go on signing with a key that another has just replaced…
const STEPPING_DOWN_MAX: Duration = Duration::from_mins(1);
/// …and how far ahead the clock may have been when that last token was minted, before somebody set it right: its end is as far
/// ahead.
const CLOCK_AHEAD_MAX: Duration = Duration::from_hours(1);

/// What somebody saw who wants to know what is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Every live verifier that follows the feed has applied it up to here, and loaded the keys that it told of.
    pub confirmed: Option<FeedPosition>,
    /// For how long the wall clock has been seen to go steadily
    /// ([`ClockJumps::steady_for`](crate::rotation::ClockJumps::steady_for)). A clock that was set makes times come early; a
    /// time counts only if it has also passed since the clock was set, or since the process began to look.
    pub steady_for: Duration,
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Advanced {
    /// The key that signs from now on.
    pub activated: Option<String>,
    /// Whether some verifier had not said that it has that key.
    pub unconfirmed: bool,
    /// Keys whose last token has ended.
    pub retired: Vec<String>,
}

/// Does what is due, or nothing. Ask as often as you like.
pub fn advance(view: &KeysView<'_>, look: &Look, terms: &KeyTerms, occasion: &Occasion<'_>) -> KeyRuling<Advanced> {
    let now = occasion.now;
    let (mut changes, mut outcome) = (KeyChanges::default(), Advanced::default());
    let has_passed = |since: UnixMillis, wait: Duration| now.since(since) >= wait && look.steady_for >= wait;

    let next = view.upcoming().filter(|key| {
        let wait = wait_before_signing(key, view, terms);
        let confirmed = key.announced.is_none_or(|place| look.confirmed >= Some(place));
        has_passed(key.state_since, if confirmed { wait } else { wait.max(UNCONFIRMED_MAX) })
    });
    if let Some(next) = next {
        // In one step, and so at every moment exactly one signs.
        for active in view.signing(KeyState::Active) {
            let raised = raised(active, terms);
            changes.keys.push(raised.moved_to(KeyState::Retiring, now));
        }
        changes.keys.push(next.activated(terms, now));
        changes.tell(EventKind::KeyActivated, occasion);
        outcome.unconfirmed = next.announced.is_some_and(|place| look.confirmed < Some(place));
        outcome.activated = Some(next.kid.clone());
    } else if let Some(active) = view.active() {
        let raised = raised(active, terms);
        if raised != *active {
            changes.keys.push(raised);
        }
    }

    for key in view.signing(KeyState::Retiring) {
        let Some(lifetime) = key.token_lifetime else {
            // Of a release that did not write down when it stopped signing: it cannot have been later than now.
            let token_lifetime = Some(terms.token_lifetime);
            changes.keys.push(StoredKey { token_lifetime, ..key.moved_to(KeyState::Retiring, now) });
            continue;
        };
        if has_passed(key.state_since, lifetime + LEEWAY_MAX + STEPPING_DOWN_MAX + CLOCK_AHEAD_MAX) {
            changes.keys.push(key.moved_to(KeyState::Retired, now));
            changes.tell(EventKind::KeyRetired, occasion);
            outcome.retired.push(key.kid.clone());
        }
    }
    if outcome.activated.is_some() || !outcome.retired.is_empty() {
        changes.publish(view, terms, occasion);
    }
    KeyRuling { changes, outcome }
}

/// When an announced key begins to sign, at the earliest: verifiers that follow the feed may take longer, and so does a clock
/// that was set. `None` if there is none.
pub fn activates_at(view: &KeysView<'_>, terms: &KeyTerms) -> Option<UnixMillis> {
    let next = view.upcoming()?;
    Some(next.state_since.plus(wait_before_signing(next, view, terms)))
}

/// Until the oldest copy of the public keys that anybody may hold has ended, which may be from before a restart that shortened
/// their life. A shared secret is in no copy.
fn wait_before_signing(next: &StoredKey, view: &KeysView<'_>, terms: &KeyTerms) -> Duration {
    if next.is_shared_secret() {
        return Duration::ZERO;
    }
    let before = view.active().and_then(|active| active.cache_lifetime).unwrap_or_default();
    terms.jwks_max_age.max(before) + CACHE_MARGIN.min(terms.jwks_max_age)
}

/// The active key with what is configured now, where that is longer: lifetimes may have changed since it began to sign, and
/// what was handed out before lives on.
fn raised(active: &StoredKey, terms: &KeyTerms) -> StoredKey {
    StoredKey {
        token_lifetime: active.token_lifetime.max(Some(terms.token_lifetime)),
        cache_lifetime: active.cache_lifetime.max(Some(terms.jwks_max_age)),
        ..active.clone()
    }
}
