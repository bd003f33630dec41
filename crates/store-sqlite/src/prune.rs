//! Forgetting what no longer matters, a bounded piece at a time.

use crate::{fault::Fault, rows, work::Work};
use counterfoil_domain::time::UnixMillis;

/// The most rows of each kind that one call forgets: few enough that calls behind it wait some milliseconds only.
pub(crate) const PRUNED_ROWS_MAX: i64 = 1_000;

pub(crate) fn prune(
    work: &mut Work,
    now: UnixMillis,
    sessions_before: UnixMillis,
    events_before: UnixMillis,
) -> Result<usize, Fault> {
    let savepoint = work.connection.savepoint()?;
    let mut forgotten = 0;
    for (sql, until) in [
        (
            "DELETE FROM sessions WHERE id IN
                (SELECT id FROM sessions WHERE absolute_until < ? ORDER BY absolute_until LIMIT ?)",
            sessions_before,
        ),
        (
            "DELETE FROM events WHERE (account, at, id) IN
                (SELECT account, at, id FROM events WHERE at < ? ORDER BY at LIMIT ?)",
            events_before,
        ),
        ("DELETE FROM feed WHERE seq IN (SELECT seq FROM feed WHERE drop_at <= ? ORDER BY drop_at LIMIT ?)", now),
    ] {
        forgotten += rows::write(&savepoint, sql, [until.as_millis(), PRUNED_ROWS_MAX])?;
    }
    savepoint.commit()?;
    Ok(forgotten)
}
