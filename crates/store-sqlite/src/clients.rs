//! Programs with a name and a secret.

use crate::{
    events,
    fault::Fault,
    rows::{self, Columns},
    work::Work,
};
use counterfoil_domain::{
    client::{CLIENTS_MAX, Client, ClientId, ClientKind, CreatedClient},
    event::Event,
    opaque::SecretDigest,
};
use rusqlite::{Connection, params};

pub(crate) fn create(work: &mut Work, client: &Client, event: &Event) -> Result<CreatedClient, Fault> {
    if by_id(&work.connection, &client.id)?.is_some() {
        return Ok(CreatedClient::NameTaken);
    }
    if all(&work.connection)?.len() >= CLIENTS_MAX {
        return Ok(CreatedClient::TooMany);
    }
    let savepoint = work.connection.savepoint()?;
    rows::write(
        &savepoint,
        "INSERT INTO clients (id, kind, secret_digest, created_at) VALUES (?, ?, ?, ?)",
        params![client.id.as_str(), client.kind.as_str(), client.secret.as_bytes(), client.created_at.as_millis(),],
    )?;
    events::insert(&savepoint, event)?;
    savepoint.commit()?;
    Ok(CreatedClient::Created)
}

pub(crate) fn delete(work: &mut Work, id: &ClientId, event: &Event) -> Result<bool, Fault> {
    let savepoint = work.connection.savepoint()?;
    let was_there = rows::write(&savepoint, "DELETE FROM clients WHERE id = ?", [id.as_str()])? > 0;
    if was_there {
        events::insert(&savepoint, event)?;
    }
    savepoint.commit()?;
    Ok(was_there)
}

pub(crate) fn by_id(connection: &Connection, id: &ClientId) -> Result<Option<Client>, Fault> {
    let sql = "SELECT id, kind, secret_digest, created_at FROM clients WHERE id = ?";
    rows::first(connection, sql, [id.as_str()], read)
}

pub(crate) fn all(connection: &Connection) -> Result<Vec<Client>, Fault> {
    rows::all(connection, "SELECT id, kind, secret_digest, created_at FROM clients ORDER BY id", [], read)
}

fn read(columns: &mut Columns<'_>) -> Result<Client, Fault> {
    let id = columns.parsed()?;
    let word = columns.text()?;
    let kind = ClientKind::from_word(word).ok_or_else(|| columns.unreadable(format_args!("unknown kind `{word}`")))?;
    let digest = columns.optional_thirty_two()?.ok_or_else(|| columns.unreadable("is empty"))?;
    Ok(Client { id, kind, secret: SecretDigest::from_bytes(digest), created_at: columns.instant()? })
}
