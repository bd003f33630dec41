//! `counterfoil session …`.

use super::{
    ConfigArgs, EXIT_DONE,
    account::refuse,
    administration::{Administration, block_on},
    output, receipt,
};
use crate::{
    app::{AppError, device_name, feed_place, session_body},
    receipt_socket::AskedOf,
    system::SystemClock,
};
use clap::{Args, Subcommand};
use counterfoil_domain::{
    id::SessionId,
    session::{Session, SessionView},
    time::{Clock, UnixMillis},
};
use serde_json::json;
use std::{io::Write, time::Duration};

/// Rows read at a time.
const PAGE_ROWS: usize = 500;

/// Sessions: list, end.
#[derive(Subcommand)]
pub(super) enum SessionCommand {
    /// List living sessions, oldest first.
    List(ListArgs),
    /// End one session, every session of an account, or of everybody. A running server obeys within a second.
    #[command(
        override_usage = "counterfoil session end <SESSION>\n       counterfoil session end --account <ACCOUNT>\n       counterfoil session end --everybody"
    )]
    End(EndArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only this account's: its address or id.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Args)]
pub(super) struct EndArgs {
    /// The session's id, or that of a personal token.
    #[arg(required_unless_present_any = ["account", "everybody"], conflicts_with_all = ["account", "everybody"])]
    session: Option<String>,
    /// Every session of this account, its address or id; personal tokens go on.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Every session and personal token of every account, at once: for when something has leaked and there is no time.
    #[arg(long, conflicts_with = "account")]
    everybody: bool,
    /// Wait for the verifiers that follow the running server, at most so long (such as 1s, up to 10s), and say who has heard
    /// of it. Exit status 1 if somebody has not, or no server could be asked: the sessions are ended all the same.
    #[arg(long, value_name = "TIME", value_parser = receipt::parse_wait)]
    wait: Option<Duration>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(command: &SessionCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    match command {
        SessionCommand::List(args) => list(args, out, err),
        SessionCommand::End(args) => end(args, out, err),
    }
}

fn list(args: &ListArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.config)?;
    let found = block_on(async {
        match &args.account {
            None => Ok(Ok(all_sessions(&administration).await?)),
            Some(account) => Ok(sessions_of(&administration, account).await),
        }
    })?;
    let mut views = match found {
        Ok(views) => views,
        Err(error) => return refuse(error, err),
    };
    let now = SystemClock.now();
    views.retain(|view| view.session.dead_reason(&view.account, now).is_none());
    if args.json {
        let body = |view: &SessionView| {
            let mut body = json!(session_body(&view.session, None));
            if let Some(members) = body.as_object_mut() {
                members.remove("current"); // nobody is asking from within a session
                members.insert(
                    "account".to_owned(),
                    json!({ "id": view.account.id, "email": view.account.email.as_str() }),
                );
            }
            body
        };
        output::json(out, &json!({ "sessions": views.iter().map(body).collect::<Vec<_>>() }))?;
    } else {
        let row = |view: &SessionView| {
            let [id, policy, device, from, seen, ends] = session_row(&view.session);
            [id, view.account.email.to_string(), policy, device, from, seen, ends]
        };
        let headings = ["session", "account", "policy", "device", "from", "last seen", "ends if unused"];
        output::list(out, "no living sessions", headings, views.iter().map(row))?;
    }
    Ok(EXIT_DONE)
}

async fn all_sessions(administration: &Administration) -> anyhow::Result<Vec<SessionView>> {
    let mut views: Vec<SessionView> = Vec::new();
    loop {
        let after = views.last().map(|view| view.session.id);
        let page = administration.accounts.store.sessions(after, PAGE_ROWS).await?;
        let last = page.len() < PAGE_ROWS;
        views.extend(page);
        if last {
            return Ok(views);
        }
    }
}

async fn sessions_of(administration: &Administration, account: &str) -> Result<Vec<SessionView>, AppError> {
    let account = administration.accounts.find(account).await?;
    let sessions = administration.accounts.store.sessions_of_account(account.id).await?;
    // The store gives the newest first; the list is oldest first.
    Ok(sessions.into_iter().rev().map(|session| SessionView { session, account: account.clone() }).collect())
}

fn end(args: &EndArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.config)?;
    let accounts = &administration.accounts;
    if args.everybody {
        return everybody(&administration, args, out, err);
    }
    let ended = block_on(async {
        let ended = match (&args.session, &args.account) {
            (Some(session), _) => match session.parse::<SessionId>() {
                Ok(session) => accounts.end_session(session).await.map(|ended| (ended, AskedOf::Session(session))),
                Err(_) => Err(AppError::SessionNotFound),
            },
            (None, account) => match accounts.find(account.as_deref().unwrap_or_default()).await {
                Ok(account) => {
                    accounts.end_sessions(account.id).await.map(|ended| (ended, AskedOf::Account(account.id)))
                }
                Err(error) => Err(error),
            },
        };
        Ok(ended)
    })?;
    let (ended, of) = match ended {
        Ok(ended) => ended,
        Err(AppError::SessionNotFound) => {
            writeln!(err, "counterfoil: there is no such session")?;
            return Ok(super::EXIT_REFUSED);
        }
        Err(error) => return refuse(error, err),
    };
    let receipt = args.wait.map(|wait| receipt::ask(&administration.config.data, of, ended.feed, wait));
    if args.json {
        output::json(out, &receipt::with_receipt(json!({ "revoked": ended.revoked }), receipt.as_ref()))?;
    } else if ended.revoked == 0 {
        writeln!(out, "nothing to end: already over")?;
    } else {
        writeln!(out, "ended {}", output::count(ended.revoked, "session"))?;
    }
    receipt::tell(receipt, args.json, out, err)
}

/// The panic switch. How many there were is not counted: it is one step, whatever their number.
fn everybody(
    administration: &Administration,
    args: &EndArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<u8> {
    let feed = match block_on(async { Ok(administration.accounts.sign_everybody_out(&SystemClock).await) })? {
        Ok(feed) => feed,
        Err(error) => return refuse(error, err),
    };
    let receipt = args.wait.map(|wait| receipt::ask(&administration.config.data, AskedOf::Everybody, feed, wait));
    if args.json {
        output::json(out, &receipt::with_receipt(json!({ "feed": feed_place(feed) }), receipt.as_ref()))?;
    } else {
        writeln!(out, "everybody is signed out; personal tokens are ended too")?;
    }
    receipt::tell(receipt, args.json, out, err)
}

/// The sessions of one account as a table.
pub(super) fn session_table(sessions: &[&Session]) -> String {
    let headings = ["session", "policy", "device", "from", "last seen", "ends if unused"];
    output::table(headings, sessions.iter().map(|session| session_row(session)))
}

fn session_row(session: &Session) -> [String; 6] {
    let device = device_name(&session.device).or_else(|| session.device.user_agent.clone());
    let ip = session.device.ip.map(|ip| ip.to_string());
    [
        session.id.to_string(),
        session.policy.to_string(),
        output::or_dash(device.as_deref()),
        output::or_dash(ip.as_deref()),
        output::time(session.last_seen_at),
        if session.ends_at() == UnixMillis::NEVER { "never".to_owned() } else { output::time(session.ends_at()) },
    ]
}
