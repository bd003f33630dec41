//! Account rows.

use crate::{
    events,
    fault::Fault,
    rows::{self, Columns, sql_limit},
    sessions,
    work::Work,
};
use counterfoil_domain::{
    account::{Account, AccountGeneration, AccountWithPassword, PasswordHash},
    email::Email,
    id::AccountId,
    store::{CreatedAccount, NewAccount},
    time::UnixMillis,
};
use rusqlite::{Connection, params};

/// What [`read`] reads, in its order, from a table called `a`.
macro_rules! account_columns {
    () => {
        "a.id, a.email, a.email_verified, a.name, a.roles, a.generation, a.disabled_at, a.created_at"
    };
}
pub(crate) use account_columns;

pub(crate) fn read(columns: &mut Columns<'_>) -> Result<Account, Fault> {
    Ok(Account {
        id: AccountId::from_bytes(columns.sixteen()?),
        email: columns.parsed()?,
        email_verified: columns.flag()?,
        name: columns.optional_text()?.map(str::to_owned),
        roles: read_roles(columns)?,
        generation: AccountGeneration::from_raw(columns.integer()?),
        disabled_at: columns.optional_instant()?,
        created_at: columns.instant()?,
    })
}

fn read_roles(columns: &mut Columns<'_>) -> Result<Vec<String>, Fault> {
    match columns.text()? {
        // Nearly every account: not worth a parser on the way of every refresh.
        "[]" => Ok(Vec::new()),
        text => serde_json::from_str(text).map_err(|error| columns.unreadable(error)),
    }
}

fn roles_text(roles: &[String]) -> String {
    serde_json::Value::from(roles).to_string()
}

fn millis(instant: Option<UnixMillis>) -> Option<i64> {
    instant.map(UnixMillis::as_millis)
}

pub(crate) fn create(work: &mut Work, new: &NewAccount) -> Result<CreatedAccount, Fault> {
    let NewAccount { account, password_hash, session, events } = new;
    let savepoint = work.connection.savepoint()?;
    let created = rows::write(
        &savepoint,
        "INSERT INTO accounts (id, email, email_canonical, email_verified, name, roles, generation, disabled_at,
            created_at, password_hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (email_canonical) DO NOTHING",
        params![
            account.id.as_bytes(),
            account.email.as_str(),
            account.email.canonical(),
            account.email_verified,
            account.name,
            roles_text(&account.roles),
            account.generation.as_raw(),
            millis(account.disabled_at),
            account.created_at.as_millis(),
            password_hash.as_ref().map(PasswordHash::expose),
        ],
    )?;
    if created == 0 {
        return Ok(CreatedAccount::EmailTaken);
    }
    if let Some(session) = session {
        sessions::insert(&savepoint, session)?;
    }
    events::insert_all(&savepoint, events)?;
    savepoint.commit()?;
    Ok(CreatedAccount::Created)
}

/// Writes over an account row; its password stays.
pub(crate) fn update(connection: &Connection, account: &Account) -> Result<(), Fault> {
    let written = rows::write(
        connection,
        "UPDATE accounts SET email = ?2, email_canonical = ?3, email_verified = ?4, name = ?5, roles = ?6,
            generation = ?7, disabled_at = ?8, created_at = ?9
         WHERE id = ?1",
        params![
            account.id.as_bytes(),
            account.email.as_str(),
            account.email.canonical(),
            account.email_verified,
            account.name,
            roles_text(&account.roles),
            account.generation.as_raw(),
            millis(account.disabled_at),
            account.created_at.as_millis(),
        ],
    )?;
    if written == 1 { Ok(()) } else { Err(Fault::Refused("a rule wrote over an account that does not exist")) }
}

pub(crate) fn by_id(connection: &Connection, id: AccountId) -> Result<Option<Account>, Fault> {
    rows::first(
        connection,
        concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.id = ?"),
        [id.as_bytes()],
        read,
    )
}

pub(crate) fn by_email(connection: &Connection, email: &Email) -> Result<Option<AccountWithPassword>, Fault> {
    rows::first(
        connection,
        concat!("SELECT ", account_columns!(), ", a.password_hash FROM accounts a WHERE a.email_canonical = ?"),
        [email.canonical()],
        |columns| {
            let account = read(columns)?;
            let password_hash = columns.optional_text()?.map(|phc| PasswordHash::from_phc(phc.to_owned()));
            Ok(AccountWithPassword { account, password_hash })
        },
    )
}

pub(crate) fn page(connection: &Connection, after: Option<AccountId>, limit: usize) -> Result<Vec<Account>, Fault> {
    // Every id is greater than the empty blob.
    let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
    rows::all(
        connection,
        concat!("SELECT ", account_columns!(), " FROM accounts a WHERE a.id > ? ORDER BY a.id LIMIT ?"),
        params![after, sql_limit(limit)],
        read,
    )
}
