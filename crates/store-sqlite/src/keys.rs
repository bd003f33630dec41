//! Sealed keys.

use crate::{
    fault::Fault,
    rows::{self, Columns},
    work::Work,
};
use counterfoil_domain::key::{KeyState, KeyUse, StoredKey};
use rusqlite::{Connection, params};

pub(crate) fn all(connection: &Connection) -> Result<Vec<StoredKey>, Fault> {
    rows::all(
        connection,
        "SELECT kid, key_use, algorithm, state, sealed, created_at FROM keys ORDER BY created_at, key_use, kid",
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
    Ok(StoredKey {
        kid,
        key_use,
        algorithm,
        state,
        sealed: columns.bytes()?.to_owned(),
        created_at: columns.instant()?,
    })
}

pub(crate) fn put_all(work: &mut Work, keys: &[StoredKey]) -> Result<(), Fault> {
    let savepoint = work.connection.savepoint()?;
    for key in keys {
        rows::write(
            &savepoint,
            "INSERT INTO keys (key_use, kid, algorithm, state, sealed, created_at) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (key_use, kid) DO UPDATE SET algorithm = excluded.algorithm, state = excluded.state,
                sealed = excluded.sealed, created_at = excluded.created_at",
            params![
                key.key_use.as_str(),
                key.kid,
                key.algorithm,
                key.state.as_str(),
                key.sealed,
                key.created_at.as_millis(),
            ],
        )?;
    }
    Ok(savepoint.commit()?)
}
