//! What the rules about keys are shown, and what they want changed.

use super::{KeyState, KeyUse, StoredKey};
use crate::{
    event::{Event, EventKind, Occasion},
    id::AccountId,
    revocation::{FeedHead, FeedPosition, Revocation, RevocationDraft},
    time::UnixMillis,
};
use std::time::Duration;

/// What was configured, as the rules about keys need it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyTerms {
    /// For how long whoever fetches the public keys may keep them (`max-age`, RFC 9111 §5.2.2.1).
    pub jwks_max_age: Duration,
    /// The longest life that a signed token is given now, whatever its policy.
    pub token_lifetime: Duration,
    /// For how long entries of the feed are kept: see [`RevocationDraft::new`].
    pub longest_token_lifetime: Duration,
    /// How old the active key becomes before the next is announced; `None` for as old as it likes.
    pub rotate_after: Option<Duration>,
}

/// Every key of a store, as a rule is shown them inside the store's atomic step.
#[derive(Clone, Copy)]
pub struct KeysView<'k> {
    /// All of them.
    pub keys: &'k [StoredKey],
    /// Where the feed stands: what the rule writes comes right after it.
    pub feed: FeedHead,
}

impl<'k> KeysView<'k> {
    /// The keys of access tokens that are in this state.
    pub fn signing(&self, state: KeyState) -> impl Iterator<Item = &'k StoredKey> {
        self.keys.iter().filter(move |key| key.key_use == KeyUse::Sign && key.state == state)
    }

    /// The key that signs.
    pub fn active(&self) -> Option<&'k StoredKey> {
        self.signing(KeyState::Active).next()
    }

    /// The key that will sign next.
    pub fn upcoming(&self) -> Option<&'k StoredKey> {
        self.signing(KeyState::Upcoming).next()
    }
}

/// What a rule about keys wants changed, in one commit.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct KeyChanges {
    /// Keys to write, over those with the same id and use.
    pub keys: Vec<StoredKey>,
    /// Entries for the feed, in this order right after where the rule saw it stand.
    pub revocations: Vec<RevocationDraft>,
    /// Lines for the audit log.
    pub events: Vec<Event>,
}

impl KeyChanges {
    /// Whether there is nothing to write.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.revocations.is_empty() && self.events.is_empty()
    }

    pub(super) fn tell(&mut self, kind: EventKind, occasion: &Occasion<'_>) {
        self.events.push(occasion.event(kind, AccountId::NOBODY, None));
    }

    /// The place that the next entry gets.
    pub(super) fn next_place(&self, view: &KeysView<'_>) -> FeedPosition {
        let before = i64::try_from(self.revocations.len()).unwrap_or(i64::MAX);
        let FeedPosition { epoch, seq } = view.feed.position;
        FeedPosition { epoch, seq: seq.saturating_add(before).saturating_add(1) }
    }

    /// Tells every verifier to load the keys anew. The entry's own place is its version: places only rise.
    pub(super) fn publish(&mut self, view: &KeysView<'_>, terms: &KeyTerms, occasion: &Occasion<'_>) {
        let version = self.next_place(view).seq;
        self.revoke(Revocation::Keys { version }, terms, occasion);
    }

    pub(super) fn revoke(&mut self, revocation: Revocation, terms: &KeyTerms, occasion: &Occasion<'_>) {
        let lifetime = terms.longest_token_lifetime;
        self.revocations.push(RevocationDraft::new(revocation, occasion.now, lifetime, occasion.entropy));
    }

    /// Gives up keys that were announced and have signed nothing. Nothing of them is kept.
    pub(super) fn withdraw(&mut self, view: &KeysView<'_>, occasion: &Occasion<'_>) {
        for key in view.signing(KeyState::Upcoming) {
            self.keys.push(StoredKey { sealed_public: Vec::new(), ..key.moved_to(KeyState::Retired, occasion.now) });
            self.tell(EventKind::KeyRetired, occasion);
        }
    }
}

impl StoredKey {
    /// As the one that signs, from `now` on.
    pub(super) fn activated(&self, terms: &KeyTerms, now: UnixMillis) -> Self {
        let (token_lifetime, cache_lifetime) = (Some(terms.token_lifetime), Some(terms.jwks_max_age));
        Self { token_lifetime, cache_lifetime, ..self.moved_to(KeyState::Active, now) }
    }

    /// The same in the place of `before`, without having been announced: copies of the public keys from its time are still out
    /// there.
    pub(super) fn activated_at_once(&self, before: Option<&Self>, terms: &KeyTerms, now: UnixMillis) -> Self {
        let activated = self.activated(terms, now);
        let cache_lifetime = activated.cache_lifetime.max(before.and_then(|before| before.cache_lifetime));
        Self { cache_lifetime, ..activated }
    }
}

/// What a rule about keys decided.
pub struct KeyRuling<T> {
    /// What is to be written.
    pub changes: KeyChanges,
    /// What came of it.
    pub outcome: T,
}

impl<T> KeyRuling<T> {
    /// Nothing is to be written.
    pub fn unchanged(outcome: T) -> Self {
        Self { changes: KeyChanges::default(), outcome }
    }
}
