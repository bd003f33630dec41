//! Reading rows: column after column, in the order of the column lists that stand beside each reader.

use crate::fault::Fault;
use counterfoil_domain::time::UnixMillis;
use rusqlite::{Connection, Params, Row, types::ValueRef};
use std::{fmt::Display, str::FromStr};

/// Reads the columns of a row one after the other.
pub(crate) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    fn value(&mut self) -> Result<ValueRef<'r>, Fault> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The fault of the column read last.
    pub(crate) fn unreadable(&self, reason: impl Display) -> Fault {
        let index = self.next.saturating_sub(1);
        let column = self.row.as_ref().column_name(index).unwrap_or("?").to_owned();
        Fault::Unreadable { column, reason: reason.to_string() }
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(ValueRef<'r>) -> Result<T, rusqlite::types::FromSqlError>,
    ) -> Result<Option<T>, Fault> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            value => read(value).map(Some).map_err(|error| self.unreadable(error)),
        }
    }

    pub(crate) fn optional_integer(&mut self) -> Result<Option<i64>, Fault> {
        self.optional(|value| value.as_i64())
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<&'r str>, Fault> {
        self.optional(|value| value.as_str())
    }

    pub(crate) fn optional_bytes(&mut self) -> Result<Option<&'r [u8]>, Fault> {
        self.optional(|value| value.as_blob())
    }

    pub(crate) fn integer(&mut self) -> Result<i64, Fault> {
        self.optional_integer()?.ok_or_else(|| self.unreadable("is empty"))
    }

    pub(crate) fn text(&mut self) -> Result<&'r str, Fault> {
        self.optional_text()?.ok_or_else(|| self.unreadable("is empty"))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'r [u8], Fault> {
        self.optional_bytes()?.ok_or_else(|| self.unreadable("is empty"))
    }

    /// The sixteen bytes of an id or a chain.
    pub(crate) fn sixteen(&mut self) -> Result<[u8; 16], Fault> {
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| self.unreadable("is not 16 bytes long"))
    }

    pub(crate) fn optional_sixteen(&mut self) -> Result<Option<[u8; 16]>, Fault> {
        let bytes = self.optional_bytes()?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| self.unreadable("is not 16 bytes long"))).transpose()
    }

    /// The 32 bytes of a digest, where there is one.
    pub(crate) fn optional_thirty_two(&mut self) -> Result<Option<[u8; 32]>, Fault> {
        let bytes = self.optional_bytes()?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| self.unreadable("is not 32 bytes long"))).transpose()
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Fault> {
        match self.integer()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.unreadable("is neither 0 nor 1")),
        }
    }

    pub(crate) fn instant(&mut self) -> Result<UnixMillis, Fault> {
        self.integer().map(UnixMillis::from_millis)
    }

    pub(crate) fn optional_instant(&mut self) -> Result<Option<UnixMillis>, Fault> {
        Ok(self.optional_integer()?.map(UnixMillis::from_millis))
    }

    /// A text that its type knows how to read.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self) -> Result<T, Fault> {
        let text = self.text()?;
        text.parse().map_err(|error| self.unreadable(error))
    }

    pub(crate) fn optional_parsed<T: FromStr<Err: Display>>(&mut self) -> Result<Option<T>, Fault> {
        let text = self.optional_text()?;
        text.map(str::parse).transpose().map_err(|error| self.unreadable(error))
    }
}

/// The first row, if there is one.
pub(crate) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&mut Columns<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(|row| read(&mut Columns { row, next: 0 })).transpose()
}

/// Every row.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&mut Columns { row, next: 0 })?);
    }
    Ok(found)
}

/// Runs a statement that writes; the number of rows it wrote.
pub(crate) fn write(connection: &Connection, sql: &str, params: impl Params) -> Result<usize, Fault> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// A limit as SQL takes it.
pub(crate) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
