//! The keys a running server works with, as of one moment.

use super::{KeyError, MasterKey, PublishedKeys, bootstrap::open_signing_key};
use counterfoil_domain::{
    key::{KeyState, KeyUse, StoredKey},
    rotation::{RefreshKey, RefreshKeyId, RefreshKeys},
    secret::SecretKey,
};
use counterfoil_guard::GuardKeys;
use counterfoil_jwt::{Algorithm, AlgorithmSet, KeySet, Policy, PublicJwkSet, SigningKey, VerifyingKey};
use std::cmp::Reverse;

/// The most former keys by which ended tokens are still recognized, the newest ones: sixteen years' worth at one in 90 days.
const FORMER_KEYS_MAX: usize = 64;

/// The active signing key, every key whose tokens are still good, and the keys of refresh tokens.
pub struct KeyRing {
    signing: SigningKey,
    verifying: KeySet,
    former: KeySet,
    published: PublishedKeys,
    refresh: RefreshKeys,
    stored: Vec<StoredKey>,
}

impl KeyRing {
    /// Opens the keys of a store.
    ///
    /// # Errors
    /// [`KeyError`]: one does not open or cannot be read, or there is none that signs.
    pub fn assemble(stored: Vec<StoredKey>, master: &MasterKey) -> Result<Self, KeyError> {
        let (mut verifying, mut former, mut published) =
            (KeySet::default(), KeySet::default(), PublicJwkSet::default());
        let mut signing = None;
        for key in stored.iter().filter(|key| key.verifies()) {
            // One that signs no more is needed for verifying only; its secret part stays sealed.
            let verifies = if key.state == KeyState::Retiring && !key.sealed_public.is_empty() {
                open_public(key, master)?
            } else {
                let opened = open_signing_key(key, master)?;
                let verifies = opened.verifying_key().clone();
                signing = if key.state == KeyState::Active { Some(opened) } else { signing };
                verifies
            };
            published.add(&verifies);
            verifying.add(verifies).map_err(|source| refused(key, source))?;
        }
        let is_former = |key: &&StoredKey| key.state == KeyState::Retired && !key.sealed_public.is_empty();
        let mut retired: Vec<_> = stored.iter().filter(is_former).collect();
        retired.sort_by_key(|key| Reverse(key.state_since));
        for key in retired.into_iter().take(FORMER_KEYS_MAX) {
            former.add(open_public(key, master)?).map_err(|source| refused(key, source))?;
        }
        Ok(Self {
            signing: signing.ok_or_else(|| KeyError::Unreadable("signing".to_owned()))?,
            verifying,
            former,
            published: PublishedKeys::new(&published)?,
            refresh: refresh_keys(&stored, master)?,
            stored,
        })
    }

    /// The key that signs new access tokens.
    pub const fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The algorithms of keys whose tokens are good.
    pub fn algorithms(&self) -> AlgorithmSet {
        self.verifying.iter().map(VerifyingKey::algorithm).collect()
    }

    /// What a guard needs to verify. `policy` is made for the algorithms of the keys.
    pub fn guard_keys(&self, policy: Policy) -> GuardKeys {
        GuardKeys { policy, accepted: self.verifying.clone(), former: self.former.clone() }
    }

    /// The public keys as a JWK Set (RFC 7517 §5). A shared secret is never in it.
    pub const fn published(&self) -> &PublishedKeys {
        &self.published
    }

    /// The keys of refresh tokens.
    pub const fn refresh(&self) -> &RefreshKeys {
        &self.refresh
    }

    /// What the store held.
    pub fn stored(&self) -> &[StoredKey] {
        &self.stored
    }

    /// Whether the same keys sign, verify and are recognized here and there.
    pub fn has_keys_of(&self, other: &Self) -> bool {
        let states = |ring: &Self| -> Vec<_> {
            let signing = ring.stored.iter().filter(|key| key.key_use == KeyUse::Sign);
            signing.map(|key| (key.kid.clone(), key.state, key.sealed_public.is_empty())).collect()
        };
        states(self) == states(other)
    }
}

fn refused(key: &StoredKey, source: counterfoil_jwt::Error) -> KeyError {
    KeyError::Refused { what: format!("the stored key `{}`", key.kid), source }
}

fn open_public(key: &StoredKey, master: &MasterKey) -> Result<VerifyingKey, KeyError> {
    let unreadable = || KeyError::Unreadable(key.kid.clone());
    let public = master.open_public(key)?;
    let public = std::str::from_utf8(&public).map_err(|_| unreadable())?;
    let algorithm: Algorithm = key.algorithm.parse().map_err(|_| unreadable())?;
    VerifyingKey::from_jwk(public, Some(algorithm)).map_err(|source| refused(key, source))
}

fn refresh_keys(stored: &[StoredKey], master: &MasterKey) -> Result<RefreshKeys, KeyError> {
    let (mut active, mut older) = (None, Vec::new());
    let is_good = |key: &&StoredKey| key.key_use == KeyUse::RefreshTag && key.state != KeyState::Retired;
    for key in stored.iter().filter(is_good) {
        let unreadable = || KeyError::Unreadable(key.kid.clone());
        let id = RefreshKeyId(key.kid.parse().map_err(|_| unreadable())?);
        let secret = <[u8; 32]>::try_from(master.open(key)?.as_slice()).map_err(|_| unreadable())?;
        let refresh_key = RefreshKey::new(id, &SecretKey::from_bytes(secret));
        if key.state == KeyState::Active {
            active = Some(refresh_key);
        } else {
            older.push(refresh_key);
        }
    }
    Ok(RefreshKeys::new(active.ok_or_else(|| KeyError::Unreadable("refresh".to_owned()))?, older))
}
