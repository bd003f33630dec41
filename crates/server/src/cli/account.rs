//! `counterfoil account …`.

use super::{
    ConfigArgs, EXIT_DONE, EXIT_REFUSED,
    account_change::{self, AccountArgs, AttributeArgs, DeleteArgs, RolesArgs, SetPasswordArgs},
    administration::{Administration, block_on},
    output,
    streams::Streams,
};
use crate::{
    app::{AppError, NewPerson, StandingChange, account_body, personal_token_body, session_body, timestamp},
    hashing::PasswordHasher,
    system::SystemClock,
};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use counterfoil_domain::{account::Account, event::Event, secret::PasswordText, session::Session, time::Clock};
use serde_json::json;
use std::io::{self, BufRead, IsTerminal, Read, Write};

/// Rows read at a time.
const PAGE_ROWS: usize = 500;
/// Lines of the audit log that `show` tells.
const EVENTS_SHOWN: usize = 20;
/// No password is longer than this many bytes.
const PASSWORD_BYTES_MAX: u64 = 4 * 1024;

/// Accounts: make, list, show, change.
#[derive(Subcommand)]
pub(super) enum AccountCommand {
    /// Make an account. The password is asked for, or read from standard input with --password-stdin.
    Create(CreateArgs),
    /// List accounts, oldest first.
    List(ListArgs),
    /// Show one account, its living sessions and the newest lines of its audit log.
    Show(ShowArgs),
    /// Let an account sign in no more, and end every session and personal token of it.
    Disable(AccountArgs),
    /// Let an account sign in again.
    Enable(AccountArgs),
    /// Forget an account, and end every session and personal token of it.
    Delete(DeleteArgs),
    /// Set a password, and end every session but the personal tokens. It is asked for, or read from standard input with --password-stdin.
    SetPassword(SetPasswordArgs),
    /// Give and take roles.
    Roles(RolesArgs),
    /// Set attributes, which the configuration may turn into claims of access tokens.
    Attribute(AttributeArgs),
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// The address by which the person will sign in.
    #[arg(value_name = "EMAIL", required_unless_present = "email_option")]
    email: Option<String>,
    /// The address, as an option.
    #[arg(long = "email", value_name = "EMAIL", conflicts_with = "email", id = "email_option")]
    email_option: Option<String>,
    /// What the person calls themselves.
    #[arg(long)]
    name: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// The account's address or id.
    account: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(command: &AccountCommand, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    match command {
        AccountCommand::Create(args) => create(args, streams),
        AccountCommand::List(args) => list(args, streams.out),
        AccountCommand::Show(args) => show(args, streams.out, streams.err),
        AccountCommand::Disable(args) => account_change::change(args, &StandingChange::Disable, streams),
        AccountCommand::Enable(args) => account_change::change(args, &StandingChange::Enable, streams),
        AccountCommand::Delete(args) => account_change::delete(args, streams),
        AccountCommand::SetPassword(args) => account_change::set_password(args, streams),
        AccountCommand::Roles(args) => account_change::roles(args, streams),
        AccountCommand::Attribute(args) => account_change::attribute(args, streams),
    }
}

fn create(args: &CreateArgs, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    let email = args.email.as_deref().or(args.email_option.as_deref()).unwrap_or_default();
    let config = args.config.load()?;
    let store = config.sqlite_path()?;
    let is_new = !store.exists();
    let administration = Administration::open_or_make(config)?;
    if is_new {
        // A mistyped folder would go unnoticed otherwise: the server would know nothing of the account.
        writeln!(streams.err, "counterfoil: there was no store yet: made a new one at {}", store.display())?;
    }
    let rules = administration.config.password_rules()?;
    let password = read_password(args.password_stdin.then_some(&mut *streams.input))?;
    let made = block_on(async {
        let hasher = PasswordHasher::start(1, 1, &administration.accounts.entropy)?;
        let person = NewPerson { email: email.to_owned(), password, name: args.name.clone() };
        Ok(administration.accounts.create(&person, rules, &hasher, &SystemClock).await)
    })?;
    match made {
        Ok(account) if args.json => output::json(streams.out, &account_body(&account))?,
        Ok(account) => writeln!(streams.out, "made account {} for {}", account.id, account.email)?,
        Err(error) => return refuse(error, streams.err),
    }
    Ok(EXIT_DONE)
}

/// A refusal by the rules is exit status 1; a fault of the environment is 2.
pub(super) fn refuse(error: AppError, err: &mut dyn Write) -> anyhow::Result<u8> {
    if matches!(error, AppError::Store(_) | AppError::Hashing(_)) {
        return Err(error.into());
    }
    writeln!(err, "counterfoil: {error}")?;
    Ok(EXIT_REFUSED)
}

pub(super) fn read_password(given: Option<&mut dyn BufRead>) -> anyhow::Result<PasswordText> {
    if let Some(input) = given {
        let mut text = String::new();
        input.take(PASSWORD_BYTES_MAX).read_to_string(&mut text).context("the password on standard input")?;
        let line_bytes = text.find(['\r', '\n']).unwrap_or(text.len());
        text.truncate(line_bytes);
        return Ok(PasswordText::new(text));
    }
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask for the password: give it on standard input with --password-stdin");
    }
    let password = PasswordText::new(rpassword::prompt_password("Password: ")?);
    let again = PasswordText::new(rpassword::prompt_password("Again: ")?);
    if password.expose() != again.expose() {
        bail!("the two passwords are not the same");
    }
    Ok(password)
}

fn list(args: &ListArgs, out: &mut dyn Write) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.config)?;
    let accounts = block_on(all_accounts(&administration))?;
    if args.json {
        output::json(out, &json!({ "accounts": accounts.iter().map(account_body).collect::<Vec<_>>() }))?;
    } else {
        let row = |account: &Account| {
            let state = if account.disabled_at.is_some() { "disabled" } else { "enabled" };
            let (id, email) = (account.id.to_string(), account.email.to_string());
            [id, email, output::or_dash(account.name.as_deref()), state.to_owned(), output::time(account.created_at)]
        };
        let headings = ["id", "e-mail", "name", "state", "made"];
        output::list(out, "no accounts", headings, accounts.iter().map(row))?;
    }
    Ok(EXIT_DONE)
}

async fn all_accounts(administration: &Administration) -> anyhow::Result<Vec<Account>> {
    let mut accounts: Vec<Account> = Vec::new();
    loop {
        let page = administration.accounts.store.accounts(accounts.last().map(|account| account.id), PAGE_ROWS).await?;
        let last = page.len() < PAGE_ROWS;
        accounts.extend(page);
        if last {
            return Ok(accounts);
        }
    }
}

fn show(args: &ShowArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.config)?;
    let accounts = &administration.accounts;
    let found = block_on(async {
        let account = match accounts.find(&args.account).await {
            Ok(account) => account,
            Err(error) => return Ok(Err(error)),
        };
        let mut sessions = accounts.store.sessions_of_account(account.id).await?;
        let now = SystemClock.now();
        sessions.retain(|session| session.dead_reason(&account, now).is_none());
        let events = accounts.store.events_of_account(account.id, EVENTS_SHOWN).await?;
        Ok(Ok((account, sessions, events)))
    })?;
    let (account, sessions, events) = match found {
        Ok(found) => found,
        Err(error) => return refuse(error, err),
    };
    if args.json {
        let (tokens, sessions): (Vec<_>, Vec<_>) = sessions.iter().partition(|session| session.is_personal_token());
        let events: Vec<_> = events.iter().map(event_json).collect();
        output::json(
            out,
            &json!({
                "account": account_body(&account),
                "disabled_at": account.disabled_at.map(timestamp),
                "password_changed_at": account.password_changed_at.map(timestamp),
                "attributes": account.attributes.as_json(),
                "sessions": sessions.into_iter().map(|session| session_body(session, None)).collect::<Vec<_>>(),
                "personal_tokens": tokens.into_iter().map(personal_token_body).collect::<Vec<_>>(),
                "events": events,
            }),
        )?;
    } else {
        show_account(out, &account, &sessions, &events)?;
    }
    Ok(EXIT_DONE)
}

fn event_json(event: &Event) -> serde_json::Value {
    json!({
        "id": event.id, "at": timestamp(event.at), "kind": event.kind.as_str(),
        "session": event.session, "ip": event.ip, "detail": event.detail,
    })
}

fn show_account(out: &mut dyn Write, account: &Account, sessions: &[Session], events: &[Event]) -> io::Result<()> {
    let verified = if account.email_verified { "verified" } else { "not verified" };
    let state =
        account.disabled_at.map_or_else(|| "enabled".to_owned(), |at| format!("disabled since {}", output::time(at)));
    writeln!(out, "account   {}", account.id)?;
    writeln!(out, "e-mail    {} ({verified})", account.email)?;
    writeln!(out, "name      {}", output::or_dash(account.name.as_deref()))?;
    writeln!(out, "state     {state}")?;
    writeln!(out, "roles     {}", if account.roles.is_empty() { "-".to_owned() } else { account.roles.join(", ") })?;
    if !account.attributes.is_empty() {
        writeln!(out, "attributes {}", serde_json::Value::Object(account.attributes.as_json().clone()))?;
    }
    writeln!(
        out,
        "password  {}",
        account
            .password_changed_at
            .map_or_else(|| "the first one".to_owned(), |at| format!("changed {}", output::time(at)))
    )?;
    writeln!(out, "made      {}", output::time(account.created_at))?;
    let (tokens, sessions): (Vec<_>, Vec<_>) = sessions.iter().partition(|session| session.is_personal_token());
    for (sessions, what) in [(sessions, "living session"), (tokens, "personal token")] {
        writeln!(out, "\n{}", output::count(sessions.len(), what))?;
        if !sessions.is_empty() {
            write!(out, "{}", super::session::session_table(&sessions))?;
        }
    }
    writeln!(out, "\nnewest events")?;
    let row = |event: &Event| {
        let session = event.session.map(|session| session.to_string());
        let ip = event.ip.map(|ip| ip.to_string());
        let (session, ip) = (output::or_dash(session.as_deref()), output::or_dash(ip.as_deref()));
        let what = match &event.detail {
            Some(detail) => format!("{}: {detail}", event.kind.as_str()),
            None => event.kind.as_str().to_owned(),
        };
        [output::time(event.at), what, session, ip]
    };
    write!(out, "{}", output::table(["at", "what", "session", "from"], events.iter().map(row)))
}
