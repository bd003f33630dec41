//! What can go wrong inside a call, and what the caller is told of it.

use counterfoil_domain::store::StoreError;
use rusqlite::{ErrorCode, ffi};

/// Why one call failed. Whatever it had written is rolled back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// SQLite refused or failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A row holds something this version cannot read.
    #[error("column `{column}`: {reason}")]
    Unreadable {
        /// Where it stands.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A rule asked for what no store may do.
    #[error("{0}")]
    Refused(&'static str),
    /// A rule gave an account an address that another one has.
    #[error("another account has this address")]
    EmailTaken,
    /// A rule, or our own code, panicked.
    #[error("the call panicked and was rolled back")]
    Panicked,
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::EmailTaken => Self::EmailTaken,
            Fault::Unreadable { .. } => Self::Corrupt(fault.into()),
            Fault::Sqlite(ref error) if is_corrupt(error) => Self::Corrupt(fault.into()),
            _ => Self::Unavailable(fault.into()),
        }
    }
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    match error {
        Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        }
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => true,
        _ => false,
    }
}

/// Whether a statement failed because a value that may occur once occurs already.
pub(crate) fn is_taken(fault: &Fault) -> bool {
    let Fault::Sqlite(error) = fault else { return false };
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE)
}

/// Whether a failed COMMIT is sure to have left nothing in the file.
///
/// With `SQLITE_FULL` the commit frame was never completely written, with `SQLITE_BUSY` and `SQLITE_READONLY` nothing was
/// begun, and a constraint is checked before. After any other failure (above all a failed fsync) the frame may be in the
/// log, where a recovery after a crash would find it.
pub(crate) fn nothing_was_written(error: &rusqlite::Error) -> bool {
    let certain = [
        ErrorCode::DiskFull,
        ErrorCode::DatabaseBusy,
        ErrorCode::DatabaseLocked,
        ErrorCode::ReadOnly,
        ErrorCode::ConstraintViolation,
    ];
    error.sqlite_error_code().is_some_and(|code| certain.contains(&code))
}
