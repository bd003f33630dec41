//! The one door to changing signing keys, for the server by itself and for the operator at the command line. A running server
//! sees what was done through the feed.

use crate::keys::{KeyError, MasterKey, make_signing_key, seal_signing_key};
use counterfoil_domain::{
    entropy::Entropy,
    event::Occasion,
    key::{Announced, KeyRuling, KeyTerms, KeysView, StoredKey, activates_at, announce, give_up, rotation_is_due},
    revocation::FeedHead,
    store::{Committed, Store},
    time::UnixMillis,
};
use counterfoil_jwt::{Algorithm, SigningKey};
use std::sync::Arc;

/// The hand on signing keys.
pub struct KeyAdministration {
    /// Where they are.
    pub store: Arc<dyn Store>,
    /// What seals new ones.
    pub master: Arc<MasterKey>,
    /// Randomness for ids; key pairs are made by the token core.
    pub entropy: Arc<dyn Entropy>,
    /// What was configured.
    pub terms: KeyTerms,
}

/// What came of asking for another key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// One is published, and signs from then on at the earliest.
    Announced {
        /// Its id.
        kid: String,
        /// Its algorithm's JOSE name.
        algorithm: String,
        /// When it signs.
        signs_at: UnixMillis,
    },
    /// Another one was on its way already.
    AnotherIsUpcoming {
        /// Its id.
        kid: String,
        /// When it signs.
        signs_at: UnixMillis,
    },
    /// It was imported before.
    KnownKey {
        /// Its id.
        kid: String,
    },
    /// It signs by another algorithm than the configured one.
    OtherAlgorithm {
        /// Of the active key.
        active: String,
    },
    /// There is no key yet.
    NoActiveKey,
    /// Nothing was due.
    NotDue,
}

/// What came of giving up the keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GivenUp {
    /// The id of the new key, which signs now.
    pub kid: String,
    /// Those that were given up.
    pub given_up: Vec<String>,
}

impl KeyAdministration {
    /// Publishes a new key of the active one's algorithm. With `only_if_due`, only when that is as old as configured.
    ///
    /// # Errors
    /// [`KeyError`]: the key cannot be made; the store is not available.
    pub async fn rotate(&self, now: UnixMillis, only_if_due: bool) -> Result<(Rotation, Committed), KeyError> {
        let Some(algorithm) = self.active_algorithm().await? else {
            return Ok((Rotation::NoActiveKey, Committed::default()));
        };
        let candidate = self.make(algorithm, now).await?;
        self.announce(candidate, only_if_due).await
    }

    /// Publishes a key that somebody else made, under the id that it brings or else its thumbprint.
    ///
    /// # Errors
    /// As [`Self::rotate`].
    pub async fn import(&self, key: SigningKey, now: UnixMillis) -> Result<(Rotation, Committed), KeyError> {
        let outcome = match self.active_algorithm().await? {
            None => Rotation::NoActiveKey,
            Some(active) if active != key.algorithm() => Rotation::OtherAlgorithm { active: active.name().to_owned() },
            Some(_) => {
                let kid = key.key_id().map(|kid| kid.as_str().to_owned());
                return self.announce(seal_signing_key(key, kid, &self.master, now)?, false).await;
            }
        };
        Ok((outcome, Committed::default()))
    }

    /// Gives up every key because one has leaked; a new one signs at once. `None` if there is no key yet.
    ///
    /// # Errors
    /// As [`Self::rotate`].
    pub async fn give_up(&self, now: UnixMillis) -> Result<Option<(GivenUp, Committed)>, KeyError> {
        let Some(algorithm) = self.active_algorithm().await? else { return Ok(None) };
        let candidate = self.make(algorithm, now).await?;
        let (kid, terms, entropy) = (candidate.kid.clone(), self.terms, Arc::clone(&self.entropy));
        let rule = move |view: &KeysView<'_>, now| {
            give_up(view, &candidate, &terms, &Occasion { now, ip: None, entropy: &*entropy })
        };
        let (given_up, committed) = self.store.decide_keys(rule).await?;
        tracing::warn!(kid, ?given_up, "the signing keys were given up, and what they have signed is refused");
        Ok(Some((GivenUp { kid, given_up }, committed)))
    }

    async fn announce(&self, candidate: StoredKey, only_if_due: bool) -> Result<(Rotation, Committed), KeyError> {
        let (kid, algorithm) = (candidate.kid.clone(), candidate.algorithm.clone());
        let (terms, entropy) = (self.terms, Arc::clone(&self.entropy));
        let rule = move |view: &KeysView<'_>, now| {
            if only_if_due && !rotation_is_due(view, &terms, now) {
                return KeyRuling::unchanged(None);
            }
            let KeyRuling { changes, outcome } =
                announce(view, &candidate, &terms, &Occasion { now, ip: None, entropy: &*entropy });
            // Of the one that is on its way now, be it this one or another.
            let mut keys = view.keys.to_vec();
            keys.extend(changes.keys.iter().cloned());
            let signs_at = activates_at(&KeysView { keys: &keys, ..*view }, &terms).unwrap_or(now);
            KeyRuling { changes, outcome: Some((outcome, signs_at)) }
        };
        let (outcome, committed) = self.store.decide_keys(rule).await?;
        let rotation = match outcome {
            None => Rotation::NotDue,
            Some((Announced::Upcoming, signs_at)) => {
                tracing::info!(kid, algorithm, "announced the next signing key");
                Rotation::Announced { kid, algorithm, signs_at }
            }
            Some((Announced::AnotherIsUpcoming { kid }, signs_at)) => Rotation::AnotherIsUpcoming { kid, signs_at },
            Some((Announced::KnownKey, _)) => Rotation::KnownKey { kid },
            Some((Announced::NoActiveKey, _)) => Rotation::NoActiveKey,
        };
        Ok((rotation, committed))
    }

    async fn active_algorithm(&self) -> Result<Option<Algorithm>, KeyError> {
        let keys = self.store.keys().await?;
        let view = KeysView { keys: &keys, feed: FeedHead::default() };
        let Some(active) = view.active() else { return Ok(None) };
        let algorithm = active.algorithm.parse().map_err(|_| KeyError::UnknownAlgorithm(active.algorithm.clone()))?;
        Ok(Some(algorithm))
    }

    /// Beside the requests: an RSA key takes up to seconds.
    async fn make(&self, algorithm: Algorithm, now: UnixMillis) -> Result<StoredKey, KeyError> {
        let master = Arc::clone(&self.master);
        let made = tokio::task::spawn_blocking(move || make_signing_key(algorithm, &master, now)).await;
        made.unwrap_or_else(|_| Err(KeyError::Unreadable(format!("a new {} key", algorithm.name()))))
    }
}
