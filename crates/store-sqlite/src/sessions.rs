//! Session rows. The two statements of a refresh, and of noting a use, are [`view`] and [`update_refreshed`].

use crate::{
    accounts::{self, account_columns},
    fault::Fault,
    rows::{self, Columns, sql_limit},
};
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId},
    opaque::SecretDigest,
    rotation::{Rotation, Serial},
    session::{AccountView, Device, Session, SessionView},
    time::UnixMillis,
};
use rusqlite::{Connection, params};
use std::net::IpAddr;

/// When a session from a table called `s` was ended: by its own row, or by the cutoff that ends all from before. In the
/// statement that reads the row, so that both are of one moment, whichever process raises the cutoff.
macro_rules! ended_at {
    () => {
        "coalesce(s.revoked_at, (SELECT cutoff FROM session_cutoff WHERE cutoff >= s.created_at))"
    };
}

/// Whether nobody has ended it. The first half is for the index.
macro_rules! is_living {
    () => {
        concat!("s.revoked_at IS NULL AND ", ended_at!(), " IS NULL")
    };
}

/// What [`read`] reads, in its order, from a table called `s`.
macro_rules! session_columns {
    () => {
        concat!(
            "s.id, s.account, s.account_generation, s.policy, s.client_id, s.scope, s.secret_digest, s.head, s.head_at, \
             s.child, s.given, s.prev, s.device_name, s.user_agent, s.ip, s.authenticated_at, s.created_at, \
             s.last_seen_at, s.idle_until, s.absolute_until, ",
            ended_at!(),
            " AS revoked_at"
        )
    };
}

fn read(columns: &mut Columns<'_>) -> Result<Session, Fault> {
    Ok(Session {
        id: SessionId::from_bytes(columns.sixteen()?),
        account: AccountId::from_bytes(columns.sixteen()?),
        account_generation: AccountGeneration::from_raw(columns.integer()?),
        policy: columns.parsed()?,
        client_id: columns.text()?.to_owned(),
        scope: columns.parsed()?,
        secret: columns.optional_thirty_two()?.map(SecretDigest::from_bytes),
        rotation: Rotation {
            head: Serial::from_raw(columns.integer()?),
            head_at: Serial::from_raw(columns.integer()?),
            child: Serial::from_raw(columns.integer()?),
            given: columns.instant()?,
            prev: Serial::from_raw(columns.integer()?),
        },
        device: Device {
            name: columns.optional_text()?.map(str::to_owned),
            user_agent: columns.optional_text()?.map(str::to_owned),
            ip: columns.optional_parsed()?,
        },
        authenticated_at: columns.instant()?,
        created_at: columns.instant()?,
        last_seen_at: columns.instant()?,
        idle_until: columns.instant()?,
        absolute_until: columns.instant()?,
        revoked_at: columns.optional_instant()?,
    })
}

fn read_view(columns: &mut Columns<'_>) -> Result<SessionView, Fault> {
    Ok(SessionView { session: read(columns)?, account: accounts::read(columns)? })
}

/// Adds a row.
pub(crate) fn insert(connection: &Connection, session: &Session) -> Result<(), Fault> {
    let written = write_columns(
        connection,
        "INSERT INTO sessions (id, account, account_generation, policy, client_id, scope, head, head_at, child, given,
            prev, device_name, user_agent, ip, authenticated_at, created_at, last_seen_at, idle_until, absolute_until,
            revoked_at, secret_digest)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21
         WHERE EXISTS (SELECT 1 FROM accounts WHERE id = ?2)",
        session,
    )?;
    if written == 1 { Ok(()) } else { Err(Fault::Refused("a session was given to an account that does not exist")) }
}

/// Writes over a row, `before` being what the rule was shown of it, if it was.
pub(crate) fn update(connection: &Connection, before: Option<&Session>, session: &Session) -> Result<(), Fault> {
    let written = if before.is_some_and(|before| differs_as_by_refresh(before, session)) {
        update_refreshed(connection, session)?
    } else {
        write_columns(
            connection,
            "UPDATE sessions SET account = ?2, account_generation = ?3, policy = ?4, client_id = ?5, scope = ?6,
                head = ?7, head_at = ?8, child = ?9, given = ?10, prev = ?11, device_name = ?12, user_agent = ?13,
                ip = ?14, authenticated_at = ?15, created_at = ?16, last_seen_at = ?17, idle_until = ?18,
                absolute_until = ?19, revoked_at = ?20, secret_digest = ?21
             WHERE id = ?1",
            session,
        )?
    };
    if written == 1 { Ok(()) } else { Err(Fault::Refused("a rule wrote over a session that does not exist")) }
}

fn write_columns(connection: &Connection, sql: &str, session: &Session) -> Result<usize, Fault> {
    let Session { rotation, device, .. } = session;
    rows::write(
        connection,
        sql,
        params![
            session.id.as_bytes(),
            session.account.as_bytes(),
            session.account_generation.as_raw(),
            session.policy.as_str(),
            session.client_id,
            session.scope.to_string(),
            rotation.head.as_raw(),
            rotation.head_at.as_raw(),
            rotation.child.as_raw(),
            rotation.given.as_millis(),
            rotation.prev.as_raw(),
            device.name,
            device.user_agent,
            ip_text(device.ip),
            session.authenticated_at.as_millis(),
            session.created_at.as_millis(),
            session.last_seen_at.as_millis(),
            session.idle_until.as_millis(),
            session.absolute_until.as_millis(),
            session.revoked_at.map(UnixMillis::as_millis),
            session.secret.as_ref().map(SecretDigest::as_bytes),
        ],
    )
}

/// Writes what a refresh or a touch changes: no column of an index, so one page is dirtied and one frame goes to the log.
fn update_refreshed(connection: &Connection, session: &Session) -> Result<usize, Fault> {
    let rotation = &session.rotation;
    rows::write(
        connection,
        "UPDATE sessions SET head = ?2, head_at = ?3, child = ?4, given = ?5, prev = ?6, ip = ?7, last_seen_at = ?8,
            idle_until = ?9
         WHERE id = ?1",
        params![
            session.id.as_bytes(),
            rotation.head.as_raw(),
            rotation.head_at.as_raw(),
            rotation.child.as_raw(),
            rotation.given.as_millis(),
            rotation.prev.as_raw(),
            ip_text(session.device.ip),
            session.last_seen_at.as_millis(),
            session.idle_until.as_millis(),
        ],
    )
}

/// Whether `update_refreshed` writes everything in which the two differ. Spelled out field by field, so that a new
/// field of a session has to be decided upon here before anything compiles.
fn differs_as_by_refresh(before: &Session, after: &Session) -> bool {
    let Session {
        id,
        account,
        account_generation,
        policy,
        client_id,
        scope,
        secret,
        rotation: _,
        device: Device { name, user_agent, ip: _ },
        authenticated_at,
        created_at,
        last_seen_at: _,
        idle_until: _,
        absolute_until,
        revoked_at,
    } = before;
    *id == after.id
        && *account == after.account
        && *account_generation == after.account_generation
        && *policy == after.policy
        && *client_id == after.client_id
        && *scope == after.scope
        && *secret == after.secret
        && *name == after.device.name
        && *user_agent == after.device.user_agent
        && *authenticated_at == after.authenticated_at
        && *created_at == after.created_at
        && *absolute_until == after.absolute_until
        // What was shown as ended may be so by the cutoff alone: then its row has yet to say it.
        && revoked_at.is_none()
        && after.revoked_at.is_none()
}

fn ip_text(ip: Option<IpAddr>) -> Option<String> {
    ip.map(|ip| ip.to_string())
}

/// The row of a session and the row of its account, in one look-up.
pub(crate) fn view(connection: &Connection, id: SessionId) -> Result<Option<SessionView>, Fault> {
    rows::first(connection, VIEW, [id.as_bytes()], read_view)
}

const VIEW: &str = concat!(
    "SELECT ",
    session_columns!(),
    ", ",
    account_columns!(),
    " FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.id = ?"
);

/// The same, by the digest of its secret.
pub(crate) fn view_by_secret(connection: &Connection, digest: SecretDigest) -> Result<Option<SessionView>, Fault> {
    rows::first(connection, VIEW_BY_SECRET, [digest.as_bytes()], read_view)
}

const VIEW_BY_SECRET: &str = concat!(
    "SELECT ",
    session_columns!(),
    ", ",
    account_columns!(),
    " FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.secret_digest = ?"
);

pub(crate) fn account_view(connection: &Connection, id: AccountId) -> Result<Option<AccountView>, Fault> {
    let Some(account) = accounts::by_id(connection, id)? else {
        return Ok(None);
    };
    Ok(Some(AccountView { account, sessions: of_account(connection, id)? }))
}

pub(crate) fn of_account(connection: &Connection, id: AccountId) -> Result<Vec<Session>, Fault> {
    rows::all(connection, OF_ACCOUNT, [id.as_bytes()], read)
}

const OF_ACCOUNT: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s WHERE s.account = ? AND ",
    is_living!(),
    " ORDER BY s.created_at DESC, s.id DESC"
);

/// Forgets every session of an account, ended or not.
pub(crate) fn delete_all_of(connection: &Connection, id: AccountId) -> Result<(), Fault> {
    rows::write(connection, DELETE_ALL_OF, [id.as_bytes()]).map(drop)
}

const DELETE_ALL_OF: &str = "DELETE FROM sessions WHERE account = ?";

pub(crate) fn page(connection: &Connection, after: Option<SessionId>, limit: usize) -> Result<Vec<SessionView>, Fault> {
    // Every id is greater than the empty blob.
    let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
    rows::all(
        connection,
        concat!(
            "SELECT ",
            session_columns!(),
            ", ",
            account_columns!(),
            " FROM sessions s JOIN accounts a ON a.id = s.account WHERE s.id > ? AND ",
            is_living!(),
            " ORDER BY s.id LIMIT ?"
        ),
        params![after, sql_limit(limit)],
        read_view,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteOptions, SqliteStore, open::connect};
    use counterfoil_domain::time::Clock;
    use rusqlite::config::DbConfig;
    use std::sync::Arc;

    struct Still;
    impl Clock for Still {
        fn now(&self) -> UnixMillis {
            UnixMillis::from_millis(1)
        }
    }

    /// What is asked at every request, and what an account is asked for: none may read a whole table of sessions. The last
    /// one is the reference that SQLite checks by itself.
    #[test]
    fn sessions_are_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counterfoil.db");
        drop(SqliteStore::open(SqliteOptions::new(&path, Arc::new(Still))).unwrap());
        let connection = connect(&path).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        let delete_account = "DELETE FROM accounts WHERE id = ?";
        for (sql, index) in [
            (VIEW, "sqlite_autoindex_sessions_1"),
            (VIEW_BY_SECRET, "sessions_by_secret_digest"),
            (OF_ACCOUNT, "sessions_of_account (account=? AND revoked_at=?)"),
            (DELETE_ALL_OF, "sessions_of_account"),
            (delete_account, "sessions_of_account"),
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let plan = statement.query_map([[0; 16]], |row| row.get::<_, String>("detail")).unwrap();
            let plan: Vec<_> = plan.map(Result::unwrap).collect();
            assert!(plan.iter().any(|step| step.contains(index)), "{sql}: {plan:#?}");
            let scans = plan.iter().filter(|step| step.starts_with("SCAN"));
            assert!(scans.clone().all(|step| step == "SCAN session_cutoff"), "{sql}: {plan:#?}");
        }
    }
}
