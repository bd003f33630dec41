//! One row that says when the store was last found able to write: a full or failing disk is only found by writing.

use crate::{
    fault::Fault,
    rows::{self, Columns},
};
use counterfoil_domain::time::UnixMillis;
use rusqlite::Connection;

pub(crate) fn write(connection: &Connection, now: UnixMillis) -> Result<(), Fault> {
    rows::write(
        connection,
        "INSERT INTO heartbeat (only_row, at) VALUES (1, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
        [now.as_millis()],
    )
    .map(drop)
}

pub(crate) fn read(connection: &Connection) -> Result<(), Fault> {
    // A pointer to the method would bind the row's lifetime too early.
    let beat = |columns: &mut Columns<'_>| columns.instant().map(drop);
    let found = rows::first(connection, "SELECT at FROM heartbeat", [], beat)?;
    found.ok_or(Fault::Refused("what was just written cannot be read"))
}
