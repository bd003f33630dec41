//! Whose database is it, and is its schema ours?

use crate::open::OpenError;
use refinery::{Migration, Runner};
use rusqlite::Connection;
use std::{path::Path, thread, time::Duration};

/// In order; each raises `user_version` to its own number.
const MIGRATIONS: [(&str, &str); 1] = [("V1__first_tables", include_str!("../migrations/V1__first_tables.sql"))];

/// The newest schema this version knows.
pub(crate) const SCHEMA_VERSION: i64 = 1;

/// "CFL1", as the first migration writes it.
const APPLICATION_ID: i64 = 0x4346_4c31;

/// Two processes that make a new file at once: the one that comes second looks again, at most this often.
const ATTEMPTS_MAX: u32 = 20;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);

/// Reads nothing but the header: whatever is not ours is left as it is, to the last byte.
pub(crate) fn refuse_what_is_not_ours(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let number = |sql: &str| {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| OpenError::from_sqlite(path, error))
    };
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
    let mut attempt = 0;
    loop {
        // Another process may have done it, or may be at it.
        refuse_what_is_not_ours(connection, path)?;
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| OpenError::from_sqlite(path, error))?;
        if version == SCHEMA_VERSION {
            return Ok(());
        }
        attempt += 1;
        match migrate(connection) {
            Ok(()) => return Ok(()),
            Err(_) if attempt < ATTEMPTS_MAX => thread::sleep(BETWEEN_ATTEMPTS),
            Err(source) => return Err(OpenError::Migration { path: path.to_owned(), source: Box::new(source) }),
        }
    }
}

fn migrate(connection: &mut Connection) -> Result<(), refinery::Error> {
    let migrations = MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql));
    let runner = Runner::new(&migrations.collect::<Result<Vec<_>, _>>()?);
    runner.set_grouped(true).run(connection).map(drop)
}
