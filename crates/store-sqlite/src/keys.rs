//! Sealed keys.

use crate::{
    fault::Fault,
    rows::{self, Columns},
};
use counterfoil_domain::{
    key::{KeyState, KeyUse, StoredKey},
    revocation::{Epoch, FeedPosition},
};
use rusqlite::{Connection, params};
use std::time::Duration;

pub(crate) fn all(connection: &Connection) -> Result<Vec<StoredKey>, Fault> {
    rows::all(
        connection,
        "SELECT kid, key_use, algorithm, state, sealed, created_at, state_since, sealed_public, announced_epoch,
                announced_seq, token_lifetime, cache_lifetime
         FROM keys ORDER BY created_at, key_use, kid",
        [],
        read,
    )
}

fn read(columns: &mut Columns<'_>) -> Result<StoredKey, Fault> {
    let kid = columns.text()?.to_owned();
    let word = columns.text()?;
    let key_use = KeyUse::from_word(word).ok_or_else(|| columns.unreadable(format_args!("unknown use `{word}`")))?;
    let algorithm = columns.text()?.to_owned();
    let word = columns.text()?;
    let state = KeyState::from_word(word).ok_or_else(|| columns.unreadable(format_args!("unknown state `{word}`")))?;
    let sealed = columns.bytes()?.to_owned();
    let created_at = columns.instant()?;
    Ok(StoredKey {
        kid,
        key_use,
        algorithm,
        state,
        state_since: columns.optional_instant()?.unwrap_or(created_at),
        sealed,
        sealed_public: columns.optional_bytes()?.unwrap_or_default().to_owned(),
        created_at,
        announced: match (columns.optional_integer()?, columns.optional_integer()?) {
            (Some(epoch), Some(seq)) => Some(FeedPosition { epoch: Epoch(epoch), seq }),
            _ => None,
        },
        token_lifetime: columns.optional_integer()?.map(duration),
        cache_lifetime: columns.optional_integer()?.map(duration),
    })
}

pub(crate) fn put(connection: &Connection, key: &StoredKey) -> Result<(), Fault> {
    rows::write(
        connection,
        "INSERT INTO keys (key_use, kid, algorithm, state, sealed, created_at, state_since, sealed_public, announced_epoch,
            announced_seq, token_lifetime, cache_lifetime)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (key_use, kid) DO UPDATE SET algorithm = excluded.algorithm, state = excluded.state,
            sealed = excluded.sealed, created_at = excluded.created_at, state_since = excluded.state_since,
            sealed_public = excluded.sealed_public, announced_epoch = excluded.announced_epoch,
            announced_seq = excluded.announced_seq, token_lifetime = excluded.token_lifetime,
            cache_lifetime = excluded.cache_lifetime",
        params![
            key.key_use.as_str(),
            key.kid,
            key.algorithm,
            key.state.as_str(),
            key.sealed,
            key.created_at.as_millis(),
            key.state_since.as_millis(),
            key.sealed_public,
            key.announced.map(|place| place.epoch.0),
            key.announced.map(|place| place.seq),
            key.token_lifetime.map(millis),
            key.cache_lifetime.map(millis),
        ],
    )
    .map(drop)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
