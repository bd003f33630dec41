//! `counterfoil account disable|enable|delete|set-password|roles|attribute`: what an operator changes of an account. A running
//! server obeys within a second.

use super::{
    ConfigArgs, EXIT_DONE, EXIT_REFUSED,
    account::{read_password, refuse},
    administration::{Administration, block_on},
    output,
    streams::Streams,
};
use crate::{
    app::{AppError, Standing, StandingChange, account_body},
    hashing::PasswordHasher,
};
use clap::Args;
use counterfoil_domain::account::Account;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};

#[derive(Args)]
pub(super) struct AccountArgs {
    /// The account's address or id.
    pub(super) account: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Args)]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    account: AccountArgs,
    /// Do not ask. Without a terminal nothing is asked anyway.
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
pub(super) struct SetPasswordArgs {
    #[command(flatten)]
    account: AccountArgs,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Args)]
pub(super) struct RolesArgs {
    #[command(flatten)]
    account: AccountArgs,
    /// Give a role; may be repeated.
    #[arg(long, value_name = "ROLE")]
    add: Vec<String>,
    /// Take a role away, and end every session and personal token of the account; may be repeated.
    #[arg(long, value_name = "ROLE")]
    remove: Vec<String>,
}

#[derive(Args)]
pub(super) struct AttributeArgs {
    #[command(flatten)]
    account: AccountArgs,
    /// Name and value; JSON, or else text. Nothing behind the `=` takes the attribute away.
    #[arg(value_name = "NAME=VALUE", required = true)]
    attributes: Vec<String>,
}

/// Disables or enables.
pub(super) fn change(args: &AccountArgs, change: &StandingChange, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.config)?;
    let accounts = &administration.accounts;
    let changed = block_on(async {
        Ok(match accounts.find(&args.account).await {
            Ok(account) => accounts.change_standing(account.id, change.clone()).await,
            Err(error) => Err(error),
        })
    })?;
    report(args.json, change, changed, streams)
}

pub(super) fn delete(args: &DeleteArgs, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    if !args.yes && io::stdin().is_terminal() {
        writeln!(
            streams.err,
            "This forgets {} and signs them out everywhere. Type it again to go on:",
            args.account.account
        )?;
        let mut typed = String::new();
        streams.input.read_line(&mut typed)?;
        if typed.trim() != args.account.account {
            writeln!(streams.err, "counterfoil: nothing was deleted")?;
            return Ok(EXIT_REFUSED);
        }
    }
    change(&args.account, &StandingChange::Delete, streams)
}

fn report(
    is_json: bool,
    change: &StandingChange,
    changed: Result<Standing, AppError>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let Standing { account, has_changed, ended } = match changed {
        Ok(standing) => standing,
        Err(error) => return refuse(error, streams.err),
    };
    if is_json {
        let changed = json!({ "account": account_body(&account), "changed": has_changed, "revoked": ended.revoked });
        output::json(streams.out, &changed)?;
        return Ok(EXIT_DONE);
    }
    let email = &account.email;
    let said = match (change, has_changed) {
        (StandingChange::Disable, true) => format!("disabled {email}"),
        (StandingChange::Disable, false) => format!("{email} was disabled before"),
        (StandingChange::Enable, true) => format!("enabled {email}"),
        (StandingChange::Enable, false) => format!("{email} was enabled before"),
        (StandingChange::Delete | StandingChange::DeleteOwn(_), _) => format!("deleted {email}"),
        (StandingChange::Roles(_), _) if account.roles.is_empty() => format!("{email} has no roles"),
        (StandingChange::Roles(_), _) => format!("{email} has the roles {}", account.roles.join(", ")),
    };
    let and = if ended.revoked > 0 {
        format!(", and ended {}", output::count(ended.revoked, "session"))
    } else {
        String::new()
    };
    writeln!(streams.out, "{said}{and}")?;
    Ok(EXIT_DONE)
}

pub(super) fn set_password(args: &SetPasswordArgs, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.account.config)?;
    let rules = administration.config.password_rules()?;
    let accounts = &administration.accounts;
    let account = match block_on(async { Ok(accounts.find(&args.account.account).await) })? {
        Ok(account) => account,
        Err(error) => return refuse(error, streams.err),
    };
    let password = read_password(args.password_stdin.then_some(&mut *streams.input))?;
    let set = block_on(async {
        let hasher = PasswordHasher::start(1, 1, &accounts.entropy)?;
        Ok(accounts.set_password(&account, &password, rules, &hasher).await)
    })?;
    match set {
        Ok(ended) if args.account.json => output::json(streams.out, &json!({ "revoked": ended.revoked }))?,
        Ok(ended) => {
            let ended = output::count(ended.revoked, "session");
            writeln!(streams.out, "set the password of {}, and ended {ended}", account.email)?;
        }
        Err(error) => return refuse(error, streams.err),
    }
    Ok(EXIT_DONE)
}

pub(super) fn roles(args: &RolesArgs, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.account.config)?;
    let accounts = &administration.accounts;
    let account = match block_on(async { Ok(accounts.find(&args.account.account).await) })? {
        Ok(account) => account,
        Err(error) => return refuse(error, streams.err),
    };
    if let Some(role) = args.add.iter().find(|role| !is_role(role)) {
        writeln!(
            streams.err,
            "counterfoil: `{role}` is no role: expected letters of ASCII, digits, `_`, `-`, `:` or `.`"
        )?;
        return Ok(EXIT_REFUSED);
    }
    let kept = account.roles.iter().filter(|role| !args.remove.contains(role));
    let roles = StandingChange::Roles(kept.chain(&args.add).cloned().collect());
    let changed = block_on(async { Ok(accounts.change_standing(account.id, roles.clone()).await) })?;
    report(args.account.json, &roles, changed, streams)
}

/// A word that reads the same everywhere.
fn is_role(text: &str) -> bool {
    let in_a_role = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(in_a_role)
}

pub(super) fn attribute(args: &AttributeArgs, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    let parse = |text: &String| {
        let (name, value) = text.split_once('=')?;
        let value = match value {
            "" => Value::Null,
            value => serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)),
        };
        Some((name.to_owned(), value))
    };
    let Some(attributes) = args.attributes.iter().map(parse).collect::<Option<Vec<_>>>() else {
        anyhow::bail!("expected NAME=VALUE, such as department=sales");
    };
    let administration = Administration::open(&args.account.config)?;
    let claims = administration.config.custom_claims()?;
    let accounts = &administration.accounts;
    let set = block_on(async {
        Ok(match accounts.find(&args.account.account).await {
            Ok(account) => accounts.set_attributes(account.id, attributes, claims).await,
            Err(error) => Err(error),
        })
    })?;
    match set {
        Ok(account) if args.account.json => {
            output::json(streams.out, &json!({ "attributes": account.attributes.as_json() }))?;
        }
        Ok(account) => show_attributes(&account, streams.out)?,
        Err(error) => return refuse(error, streams.err),
    }
    Ok(EXIT_DONE)
}

fn show_attributes(account: &Account, out: &mut dyn Write) -> io::Result<()> {
    if account.attributes.is_empty() {
        return writeln!(out, "{} has no attributes", account.email);
    }
    for (name, value) in account.attributes.as_json() {
        writeln!(out, "{name} = {value}")?;
    }
    Ok(())
}
