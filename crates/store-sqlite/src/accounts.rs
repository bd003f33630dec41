//! Account rows.

use crate::{
    events,
    fault::{Fault, is_taken},
    rows::{self, Columns, sql_limit},
    sessions,
    work::Work,
};
use counterfoil_domain::{
    account::{Account, AccountGeneration, AccountWithPassword, Attributes, PasswordHash},
    email::Email,
    id::AccountId,
    store::{CreatedAccount, NewAccount},
    time::UnixMillis,
};
use rusqlite::{Connection, params};

/// What [`read`] reads, in its order, from a table called `a`.
macro_rules! account_columns {
    () => {
        "a.id, a.email, a.email_verified, a.name, a.roles, a.attributes, a.generation, a.password_changed_at, \
         a.disabled_at, a.created_at"
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
        attributes: read_attributes(columns)?,
        generation: AccountGeneration::from_raw(columns.integer()?),
        password_changed_at: columns.optional_instant()?,
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

fn read_attributes(columns: &mut Columns<'_>) -> Result<Attributes, Fault> {
    match columns.text()? {
        "{}" => Ok(Attributes::default()),
        text => serde_json::from_str(text).map(Attributes::from_json).map_err(|error| columns.unreadable(error)),
    }
}

fn read_with_password(columns: &mut Columns<'_>) -> Result<AccountWithPassword, Fault> {
    let account = read(columns)?;
    let password_hash = columns.optional_text()?.map(|phc| PasswordHash::from_phc(phc.to_owned()));
    Ok(AccountWithPassword { account, password_hash })
}

fn roles_text(roles: &[String]) -> String {
    serde_json::Value::from(roles).to_string()
}

fn attributes_text(attributes: &Attributes) -> String {
    serde_json::Value::Object(attributes.as_json().clone()).to_string()
}

fn millis(instant: Option<UnixMillis>) -> Option<i64> {
    instant.map(UnixMillis::as_millis)
}

pub(crate) fn create(work: &mut Work, new: &NewAccount) -> Result<CreatedAccount, Fault> {
    let NewAccount { account, password_hash, session, events } = new;
    let savepoint = work.connection.savepoint()?;
    let created = rows::write(
        &savepoint,
        "INSERT INTO accounts (id, email, email_canonical, email_verified, name, roles, attributes, generation,
            password_changed_at, disabled_at, created_at, password_hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (email_canonical) DO NOTHING",
        params![
            account.id.as_bytes(),
            account.email.as_str(),
            account.email.canonical(),
            account.email_verified,
            account.name,
            roles_text(&account.roles),
            attributes_text(&account.attributes),
            account.generation.as_raw(),
            millis(account.password_changed_at),
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

/// Writes over an account row; its password stays unless there is a new one.
pub(crate) fn update(
    connection: &Connection,
    account: &Account,
    password_hash: Option<&PasswordHash>,
) -> Result<(), Fault> {
    let written = rows::write(
        connection,
        "UPDATE accounts SET email = ?2, email_canonical = ?3, email_verified = ?4, name = ?5, roles = ?6,
            attributes = ?7, generation = ?8, password_changed_at = ?9, disabled_at = ?10, created_at = ?11,
            password_hash = coalesce(?12, password_hash)
         WHERE id = ?1",
        params![
            account.id.as_bytes(),
            account.email.as_str(),
            account.email.canonical(),
            account.email_verified,
            account.name,
            roles_text(&account.roles),
            attributes_text(&account.attributes),
            account.generation.as_raw(),
            millis(account.password_changed_at),
            millis(account.disabled_at),
            account.created_at.as_millis(),
            password_hash.map(PasswordHash::expose),
        ],
    );
    // The address is the only value here that may occur once.
    let written = written.map_err(|fault| if is_taken(&fault) { Fault::EmailTaken } else { fault })?;
    if written == 1 { Ok(()) } else { Err(Fault::Refused("a rule wrote over an account that does not exist")) }
}

/// Forgets an account and every session of it.
pub(crate) fn delete(connection: &Connection, id: AccountId) -> Result<(), Fault> {
    sessions::delete_all_of(connection, id)?;
    let deleted = rows::write(connection, "DELETE FROM accounts WHERE id = ?", [id.as_bytes()])?;
    if deleted == 1 { Ok(()) } else { Err(Fault::Refused("a rule deleted an account that does not exist")) }
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
        read_with_password,
    )
}

pub(crate) fn with_password(connection: &Connection, id: AccountId) -> Result<Option<AccountWithPassword>, Fault> {
    rows::first(
        connection,
        concat!("SELECT ", account_columns!(), ", a.password_hash FROM accounts a WHERE a.id = ?"),
        [id.as_bytes()],
        read_with_password,
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
