//! Lines of the audit log.

use crate::{
    fault::Fault,
    rows::{self, Columns, sql_limit},
};
use counterfoil_domain::{
    event::{Event, EventKind},
    id::{AccountId, EventId, SessionId},
};
use rusqlite::{Connection, params};

pub(crate) fn insert(connection: &Connection, event: &Event) -> Result<(), Fault> {
    rows::write(
        connection,
        "INSERT INTO events (account, at, id, kind, session, ip, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            event.account.as_bytes(),
            event.at.as_millis(),
            event.id.as_bytes(),
            event.kind.as_str(),
            event.session.as_ref().map(SessionId::as_bytes),
            event.ip.map(|ip| ip.to_string()),
            event.detail,
        ],
    )?;
    Ok(())
}

pub(crate) fn insert_all(connection: &Connection, events: &[Event]) -> Result<(), Fault> {
    events.iter().try_for_each(|event| insert(connection, event))
}

pub(crate) fn of_account(connection: &Connection, id: AccountId, limit: usize) -> Result<Vec<Event>, Fault> {
    rows::all(
        connection,
        "SELECT account, at, id, kind, session, ip, detail FROM events WHERE account = ?
         ORDER BY at DESC, id DESC LIMIT ?",
        params![id.as_bytes(), sql_limit(limit)],
        read,
    )
}

fn read(columns: &mut Columns<'_>) -> Result<Event, Fault> {
    let account = AccountId::from_bytes(columns.sixteen()?);
    let at = columns.instant()?;
    let id = EventId::from_bytes(columns.sixteen()?);
    let word = columns.text()?;
    let kind = EventKind::from_word(word).ok_or_else(|| columns.unreadable(format_args!("unknown kind `{word}`")))?;
    let session = columns.optional_sixteen()?.map(SessionId::from_bytes);
    let ip = columns.optional_parsed()?;
    Ok(Event { id, at, kind, account, session, ip, detail: columns.optional_text()?.map(str::to_owned) })
}
