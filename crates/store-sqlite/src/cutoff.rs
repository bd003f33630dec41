//! One row with the instant up to which every session is ended. Where sessions are read, the same statement reads it.

use crate::{fault::Fault, rows};
use counterfoil_domain::time::UnixMillis;
use rusqlite::Connection;

pub(crate) fn raise(connection: &Connection, cutoff: UnixMillis) -> Result<(), Fault> {
    rows::write(
        connection,
        "INSERT INTO session_cutoff (only_row, cutoff) VALUES (1, ?)
         ON CONFLICT DO UPDATE SET cutoff = max(cutoff, excluded.cutoff)",
        [cutoff.as_millis()],
    )
    .map(drop)
}
