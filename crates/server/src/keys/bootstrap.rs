//! Opening the keys at start, and making the first ones.

use super::{
    KeyError, KeyRing, MasterKey, ServerKeys,
    make::{make_refresh_key, make_signing_key, seal_signing_key, sealed_public},
    secret_file,
};
use crate::config::SigningConfig;
use counterfoil_domain::{
    entropy::Entropy,
    event::Occasion,
    key::{Adopted, KeyChanges, KeyRuling, KeyTerms, KeyUse, KeysView, StoredKey, WantedKey, adopt},
    store::{Store, StoreError},
    time::UnixMillis,
};
use counterfoil_jwt::{Algorithm, SigningKey};
use std::{path::Path, sync::Arc};

/// Opens the stored keys with the master key in `folder`, making whatever is missing: a first start makes the master key, a
/// signing key and a refresh key. Where the configuration asks for another signing key than there is, `domain::key::adopt`
/// says whether it signs at once or is announced first.
///
/// # Errors
/// [`KeyError`], written for the operator.
pub async fn open_keys(
    store: &(dyn Store + 'static),
    folder: &Path,
    signing: &SigningConfig,
    terms: KeyTerms,
    now: UnixMillis,
    entropy: Arc<dyn Entropy>,
) -> Result<ServerKeys, KeyError> {
    let algorithm = signing.algorithm.as_str();
    let algorithm: Algorithm = algorithm.parse().map_err(|_| KeyError::UnknownAlgorithm(algorithm.to_owned()))?;
    let stored = store.keys().await?;
    let master = match MasterKey::load(folder)? {
        Some(master) => master,
        None if stored.is_empty() => MasterKey::create(folder, &*entropy)?,
        None => return Err(KeyError::MasterMissing(folder.join(super::MASTER_KEY_FILE).display().to_string())),
    };
    complete(store, &stored, &master, now, &*entropy).await?;
    let (wanted, mut candidate) = match &signing.secret_file {
        None => (WantedKey::OfAlgorithm(algorithm.name().to_owned()), None),
        Some(path) => {
            let (kid, key) = secret_file::open_or_make(path, algorithm, &*entropy)?;
            (WantedKey::WithId(kid.clone()), Some(seal_signing_key(key, Some(kid), &master, now)?))
        }
    };
    let mut adopted = adopt_wanted(store, &wanted, candidate.clone(), terms, &entropy).await?;
    if adopted == Adopted::KeyMissing {
        // Only now: making one takes time, for RSA up to seconds, and most starts need none.
        candidate = Some(make_signing_key(algorithm, &master, now)?);
        adopted = adopt_wanted(store, &wanted, candidate, terms, &entropy).await?;
    }
    let ring = KeyRing::assemble(store.keys().await?, &master)?;
    if adopted == Adopted::Upcoming {
        let (signs, next) = (ring.signing().algorithm().name(), algorithm.name());
        tracing::info!(
            "another signing algorithm is configured: {next} is announced, and {signs} signs until everybody knows the new key"
        );
    }
    Ok(ServerKeys::new(ring, master))
}

async fn adopt_wanted(
    store: &(dyn Store + 'static),
    wanted: &WantedKey,
    candidate: Option<StoredKey>,
    terms: KeyTerms,
    entropy: &Arc<dyn Entropy>,
) -> Result<Adopted, StoreError> {
    let (wanted, entropy) = (wanted.clone(), Arc::clone(entropy));
    let rule = move |view: &KeysView<'_>, now| {
        adopt(view, &wanted, candidate.as_ref(), &terms, &Occasion { now, ip: None, entropy: &*entropy })
    };
    Ok(store.decide_keys(rule).await?.0)
}

/// Adds what every store has: a refresh key, and the public parts of key pairs, which a release before did not keep.
async fn complete(
    store: &(dyn Store + 'static),
    stored: &[StoredKey],
    master: &MasterKey,
    now: UnixMillis,
    entropy: &dyn Entropy,
) -> Result<(), KeyError> {
    let mut keys = Vec::new();
    if !stored.iter().any(|key| key.key_use == KeyUse::RefreshTag) {
        keys.push(make_refresh_key(master, now, entropy)?);
    }
    let lacks_public = |key: &&StoredKey| key.verifies() && !key.is_shared_secret() && key.sealed_public.is_empty();
    for key in stored.iter().filter(lacks_public) {
        keys.push(StoredKey {
            sealed_public: sealed_public(&open_signing_key(key, master)?, &key.kid, master)?,
            ..key.clone()
        });
    }
    if !keys.is_empty() {
        // Whoever was faster has done the same.
        let changes = move |view: &KeysView<'_>| {
            let is_news = |key: &&StoredKey| !view.keys.iter().any(|held| is_complete(held, key));
            KeyChanges { keys: keys.iter().filter(is_news).cloned().collect(), ..KeyChanges::default() }
        };
        store.decide_keys(move |view, _| KeyRuling { changes: changes(view), outcome: () }).await?;
    }
    Ok(())
}

fn is_complete(held: &StoredKey, key: &StoredKey) -> bool {
    let is_the_same = held.kid == key.kid && held.key_use == key.key_use;
    is_the_same && (held.state != key.state || !held.sealed_public.is_empty() || held.key_use == KeyUse::RefreshTag)
}

/// The secret part of a key pair or the shared secret.
pub(super) fn open_signing_key(key: &StoredKey, master: &MasterKey) -> Result<SigningKey, KeyError> {
    let unreadable = || KeyError::Unreadable(key.kid.clone());
    let secret = master.open(key)?;
    let private = std::str::from_utf8(&secret).map_err(|_| unreadable())?;
    let algorithm: Algorithm = key.algorithm.parse().map_err(|_| unreadable())?;
    let refused = |source| KeyError::Refused { what: format!("the stored key `{}`", key.kid), source };
    SigningKey::from_jwk(private, Some(algorithm)).map_err(refused)
}
