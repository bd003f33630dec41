//! New keys, sealed and ready to be stored. Where in its life a key begins is for the rules of `domain::key` to say.

use super::{KeyError, MasterKey, secret_file::secret_key_id};
use counterfoil_domain::{
    entropy::Entropy,
    key::{KeyState, KeyUse, StoredKey},
    secret::SecretKey,
    time::UnixMillis,
};
use counterfoil_jwt::{Algorithm, KeyId, SigningKey};

/// Stored with refresh keys in place of a JOSE algorithm.
const REFRESH_ALGORITHM: &str = "HMAC-SHA-256";
/// The id of the first refresh key.
const FIRST_REFRESH_KEY: &str = "1";

/// A new key that signs access tokens.
///
/// # Errors
/// [`KeyError`]: there is no randomness, or the key is refused.
pub fn make_signing_key(algorithm: Algorithm, master: &MasterKey, now: UnixMillis) -> Result<StoredKey, KeyError> {
    let key = SigningKey::generate(algorithm).map_err(|source| refused(algorithm, source))?;
    seal_signing_key(key, None, master, now)
}

/// A key that somebody else made, under this id or else one that is told from the key.
///
/// # Errors
/// As [`make_signing_key`].
pub fn seal_signing_key(
    key: SigningKey,
    kid: Option<String>,
    master: &MasterKey,
    now: UnixMillis,
) -> Result<StoredKey, KeyError> {
    let algorithm = key.algorithm();
    let refused = |source| refused(algorithm, source);
    let kid = match (kid, key.public_jwk()) {
        (Some(kid), _) => kid,
        (None, Some(public)) => public.thumbprint(),
        (None, None) => secret_key_id(key.to_private_jwk().map_err(refused)?.as_bytes()),
    };
    let key = key.with_key_id(KeyId::new(kid.as_str()).map_err(refused)?);
    let private = key.to_private_jwk().map_err(refused)?;
    Ok(StoredKey {
        sealed: master.seal(private.as_bytes(), &kid, KeyUse::Sign, algorithm.name())?,
        sealed_public: sealed_public(&key, &kid, master)?,
        kid,
        key_use: KeyUse::Sign,
        algorithm: algorithm.name().to_owned(),
        state: KeyState::Upcoming,
        state_since: now,
        created_at: now,
        announced: None,
        token_lifetime: None,
        cache_lifetime: None,
    })
}

/// The public part of a key pair, sealed; nothing for a shared secret.
pub(super) fn sealed_public(key: &SigningKey, kid: &str, master: &MasterKey) -> Result<Vec<u8>, KeyError> {
    let Some(public) = key.public_jwk() else { return Ok(Vec::new()) };
    let public = serde_json::to_vec(&public).map_err(|_| KeyError::Unreadable(kid.to_owned()))?;
    Ok(master.seal_public(&public, kid, key.algorithm().name())?)
}

/// The first key of refresh tokens.
pub(super) fn make_refresh_key(
    master: &MasterKey,
    now: UnixMillis,
    entropy: &dyn Entropy,
) -> Result<StoredKey, KeyError> {
    let secret = SecretKey::generate(entropy);
    Ok(StoredKey {
        kid: FIRST_REFRESH_KEY.to_owned(),
        key_use: KeyUse::RefreshTag,
        algorithm: REFRESH_ALGORITHM.to_owned(),
        state: KeyState::Active,
        state_since: now,
        sealed: master.seal(secret.expose(), FIRST_REFRESH_KEY, KeyUse::RefreshTag, REFRESH_ALGORITHM)?,
        sealed_public: Vec::new(),
        created_at: now,
        announced: None,
        token_lifetime: None,
        cache_lifetime: None,
    })
}

fn refused(algorithm: Algorithm, source: counterfoil_jwt::Error) -> KeyError {
    KeyError::Refused { what: format!("a new {} key", algorithm.name()), source }
}
