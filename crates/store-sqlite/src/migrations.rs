//! Whose database is it, and is its schema ours?

use crate::open::OpenError;
use refinery::{Migration, Runner};
use rusqlite::Connection;
use std::path::Path;

/// In order; each raises `user_version` to its own number.
const MIGRATIONS: [(&str, &str); 4] = [
    ("V1__first_tables", include_str!("../migrations/V1__first_tables.sql")),
    ("V2__policies_and_account_changes", include_str!("../migrations/V2__policies_and_account_changes.sql")),
    ("V3__clients_and_details", include_str!("../migrations/V3__clients_and_details.sql")),
    ("V4__life_of_keys", include_str!("../migrations/V4__life_of_keys.sql")),
];

/// The newest schema this version knows.
pub(crate) const SCHEMA_VERSION: i64 = 4;

/// "CFL1", as the first migration writes it.
const APPLICATION_ID: i64 = 0x4346_4c31;

/// Reads nothing but the header: whatever is not ours is left as it is, to the last byte.
pub(crate) fn refuse_what_is_not_ours(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let in_sqlite = |error| OpenError::from_sqlite(path, error);
    // One look at all of it: another process may be making the file just now.
    let look = connection.transaction().map_err(in_sqlite)?;
    let number = |sql: &str| look.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(in_sqlite);
    let application = number("PRAGMA application_id")?;
    // Our first migration makes `refinery_schema_history` in a transaction before the rest; nothing else may be there.
    let foreign_tables = "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> 'refinery_schema_history'";
    if application != APPLICATION_ID && (application != 0 || number(foreign_tables)? > 0) {
        return Err(OpenError::OtherProgram { path: path.to_owned() });
    }
    let found = number("PRAGMA user_version")?;
    if found > SCHEMA_VERSION {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    Ok(())
}

/// Applies the migrations that are missing, all in one transaction.
pub(crate) fn bring_up_to_date(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| OpenError::from_sqlite(path, error))?;
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    migrate(connection).map_err(|source| OpenError::Migration { path: path.to_owned(), source: Box::new(source) })
}

fn migrate(connection: &mut Connection) -> Result<(), refinery::Error> {
    let migrations = MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql));
    let runner = Runner::new(&migrations.collect::<Result<Vec<_>, _>>()?);
    runner.set_grouped(true).run(connection).map(drop)
}
