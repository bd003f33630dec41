//! The signing keys while the server runs: what is due is done, and what anybody has changed in the store is taken over.
//!
//! Several processes may run on one store. Each looks; the store's transaction lets one of them act; all the others load the
//! keys when the feed brings the entry. A process applies such an entry only after it has loaded the keys.

use super::{App, KeyAdministration};
use crate::keys::{KeyError, KeyRing};
use counterfoil_domain::{
    event::Occasion,
    key::{Advanced, KeysView, Look, advance, rotation_is_due},
    revocation::{FeedEntry, FeedHead, Revocation, STALE_AFTER},
    store::{Committed, StoreError},
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// How often it is looked what is due. Nothing is asked of the store unless something is.
pub(super) const KEYS_INTERVAL: Duration = Duration::from_secs(1);

/// What the care for keys remembers.
pub(super) struct KeyCare {
    /// Keys are loaded one after the other, so that none takes the place of later ones.
    loading: tokio::sync::Mutex<()>,
    /// When this process began, by the clock that nobody can set.
    begun_at: Duration,
    /// The key of which it was told that somebody does not have it.
    told_of: Mutex<Option<String>>,
}

impl KeyCare {
    /// The care of a process that begins at `monotonic`.
    pub(super) fn begun_at(monotonic: Duration) -> Self {
        Self { loading: tokio::sync::Mutex::default(), begun_at: monotonic, told_of: Mutex::default() }
    }
}

impl App {
    /// Does what is due: the next key is announced when the active one is old, an announced one begins to sign, one whose last
    /// token has ended is retired.
    ///
    /// # Errors
    /// The store's.
    pub async fn tend_keys(&self) -> Result<(), StoreError> {
        match self.tend().await.map_err(KeyError::into_store_error) {
            Ok(()) => Ok(()),
            Err(Ok(error)) => Err(error),
            Err(Err(error)) => {
                tracing::error!(%error, "the signing keys cannot be tended; those that there are go on");
                Ok(())
            }
        }
    }

    async fn tend(&self) -> Result<(), KeyError> {
        let now = self.now();
        self.look_at_clocks(now);
        let ring = self.0.parts.keys.snapshot();
        let view = KeysView { keys: ring.stored(), feed: FeedHead::default() };
        let (look, terms) = (self.look_at_keys(&view), self.settings().key_terms);
        let occasion = Occasion { now, ip: None, entropy: &*self.0.parts.entropy };
        if !advance(&view, &look, &terms, &occasion).changes.is_empty() {
            self.advance_keys(look).await?;
        }
        if rotation_is_due(&view, &terms, now) {
            let (_, committed) = self.key_administration().rotate(now, true).await?;
            self.take_over(&committed).await?;
        }
        Ok(())
    }

    /// The hand on this server's keys.
    pub fn key_administration(&self) -> KeyAdministration {
        let parts = &self.0.parts;
        KeyAdministration {
            store: Arc::clone(&parts.store),
            master: parts.keys.master(),
            entropy: Arc::clone(&parts.entropy),
            terms: parts.settings.key_terms,
        }
    }

    fn look_at_keys(&self, view: &KeysView<'_>) -> Look {
        let monotonic = self.0.parts.clock.monotonic();
        let steady_for = self.0.clock_jumps.lock().steady_for(monotonic);
        let announced = view.upcoming().and_then(|key| Some((key, key.announced?)));
        // A server that has just started has not heard of those who follow it. Within that time they are back, or stale. (A
        // shared secret is not for them.)
        let running_for = monotonic.saturating_sub(self.0.key_care.begun_at);
        let confirmed = announced.filter(|(key, _)| running_for >= STALE_AFTER || key.is_shared_secret()).and_then(
            |(key, position)| {
                let behind = self.verifiers_behind(position);
                if behind.is_empty() {
                    return Some(position);
                }
                if self.0.key_care.told_of.lock().replace(key.kid.clone()).as_ref() != Some(&key.kid) {
                    tracing::info!(
                        kid = key.kid,
                        ?behind,
                        "an announced key waits for verifiers that have not loaded it"
                    );
                }
                None
            },
        );
        Look { confirmed, steady_for }
    }

    async fn advance_keys(&self, look: Look) -> Result<(), KeyError> {
        let (entropy, terms) = (Arc::clone(&self.0.parts.entropy), self.settings().key_terms);
        let rule = move |view: &KeysView<'_>, now| {
            let ruling = advance(view, &look, &terms, &Occasion { now, ip: None, entropy: &*entropy });
            let announced = view.upcoming().and_then(|key| key.announced);
            counterfoil_domain::key::KeyRuling { changes: ruling.changes, outcome: (ruling.outcome, announced) }
        };
        let ((Advanced { activated, unconfirmed, retired }, announced), committed) =
            self.store().decide_keys(rule).await?;
        if let Some(kid) = activated {
            if unconfirmed {
                let behind = announced.map(|position| self.verifiers_behind(position));
                tracing::error!(
                    kid,
                    ?behind,
                    "a key signs although verifiers have not loaded it for an hour: mend them"
                );
            } else {
                tracing::info!(kid, "a new key signs");
            }
        }
        for kid in retired {
            tracing::info!(kid, "retired a signing key: its last token has ended");
        }
        self.take_over(&committed).await
    }

    /// Works with what was just committed.
    async fn take_over(&self, committed: &Committed) -> Result<(), KeyError> {
        self.apply_committed(committed);
        Ok(self.load_keys().await?)
    }

    /// Loads the keys, if the entries tell that there are others.
    pub(super) async fn load_keys_told_of(&self, entries: &[FeedEntry]) -> Result<(), StoreError> {
        let tells_of_keys = |entry: &FeedEntry| matches!(entry.draft.revocation, Revocation::Keys { .. });
        if entries.iter().any(tells_of_keys) { self.load_keys().await } else { Ok(()) }
    }

    /// Takes over what the store holds. Keys that cannot be opened change nothing: those from before go on, and so does the
    /// reading of the feed.
    async fn load_keys(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.0.key_care.loading.lock().await;
        let keys = &self.0.parts.keys;
        let stored = self.store().keys().await?;
        let before = keys.snapshot();
        if stored == before.stored() {
            return Ok(());
        }
        match keys.open(stored) {
            Ok(ring) => {
                let (signs, signed) = (ring.signing().key_id(), before.signing().key_id());
                if signs != signed {
                    tracing::info!(kid = ?signs, before = ?signed, "another key signs from now on");
                }
                if !ring.has_keys_of(&before) {
                    // What verifies comes first: no token is signed that this process would refuse.
                    self.let_guard_take(&ring);
                }
                keys.replace(ring);
            }
            Err(error) => tracing::error!(%error, "the keys in the store cannot be used; those from before go on"),
        }
        Ok(())
    }

    pub(super) fn let_guard_take(&self, ring: &KeyRing) {
        self.guard().take_keys(ring.guard_keys(self.settings().token_policy(ring.algorithms())));
    }
}
