//! One row with the longest life that access tokens were ever given: revocations are kept for that long.

use crate::{
    fault::Fault,
    rows::{self, Columns},
};
use rusqlite::Connection;
use std::time::Duration;

pub(crate) fn raise(connection: &Connection, lifetime: Duration) -> Result<Duration, Fault> {
    let millis = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
    rows::write(
        connection,
        "INSERT INTO longest_token_lifetime (only_row, millis) VALUES (1, ?)
         ON CONFLICT DO UPDATE SET millis = max(millis, excluded.millis)",
        [millis],
    )?;
    // A pointer to the method would bind the row's lifetime too early.
    let read = |columns: &mut Columns<'_>| columns.integer();
    let longest = rows::first(connection, "SELECT millis FROM longest_token_lifetime", [], read)?;
    let longest = longest.ok_or(Fault::Refused("what was just written cannot be read"))?;
    Ok(Duration::from_millis(u64::try_from(longest).unwrap_or(0)))
}
