//! `counterfoil client …`: programs with a name and a secret.

use super::{
    ConfigArgs, EXIT_DONE, EXIT_REFUSED,
    administration::{Administration, block_on},
    output,
};
use crate::{
    app::timestamp,
    system::{OsEntropy, SystemClock},
};
use clap::{Args, Subcommand, ValueEnum};
use counterfoil_domain::{
    client::{CLIENTS_MAX, Client, ClientId, ClientKind, CreatedClient},
    event::{EventKind, Occasion},
    opaque::{OpaqueSecret, SecretKind},
    time::Clock,
};
use serde_json::json;
use std::io::Write;

/// Programs with a name and a secret: verifiers that follow the revocation feed.
#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// Make a client and print its secret. It is shown this once: only its digest is kept.
    Create(CreateArgs),
    /// List clients. Secrets are not known, and not shown.
    List(ListArgs),
    /// Delete a client. A running server refuses it within ten seconds.
    Delete(DeleteArgs),
}

/// What a client may do.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Follow the revocation feed, ask about single tokens, read the metrics.
    Verifier,
}

#[derive(Args)]
pub(super) struct CreateArgs {
    /// Its name: 1 to 64 letters of ASCII, digits, `.`, `_` or `-`. Processes that share it tell themselves apart.
    name: String,
    /// What it may do.
    #[arg(long)]
    kind: Kind,
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
pub(super) struct DeleteArgs {
    /// Its name.
    name: String,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(command: &ClientCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    match command {
        ClientCommand::Create(args) => create(args, out, err),
        ClientCommand::List(args) => list(args, out),
        ClientCommand::Delete(args) => delete(args, out, err),
    }
}

fn create(args: &CreateArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    let id = match args.name.parse::<ClientId>() {
        Ok(id) => id,
        Err(refusal) => return refuse(err, &refusal.to_string()),
    };
    let Kind::Verifier = args.kind;
    let administration = Administration::open(&args.config)?;
    let secret = OpaqueSecret::generate(SecretKind::ClientSecret, &OsEntropy);
    let (now, kind) = (SystemClock.now(), ClientKind::Verifier);
    let client = Client { id, kind, secret: secret.digest(), created_at: now };
    let event = client.event(EventKind::ClientCreated, &Occasion { now, ip: None, entropy: &OsEntropy });
    let store = &administration.accounts.store;
    match block_on(async { Ok(store.create_client(client.clone(), event).await?) })? {
        CreatedClient::NameTaken => {
            return refuse(err, "there is a client of this name: delete it first, or choose another");
        }
        CreatedClient::TooMany => return refuse(err, &format!("there are {CLIENTS_MAX} clients, as many as may be")),
        CreatedClient::Created => {}
    }
    let secret = secret.expose_text();
    if args.json {
        let body = json!({ "client_id": client.id.as_str(), "client_secret": secret, "kind": kind.as_str() });
        output::json(out, &body)?;
    } else {
        writeln!(out, "client_id      {}", client.id)?;
        writeln!(out, "client_secret  {secret}")?;
        writeln!(out, "\nThe secret is shown this once. Keep it where the program finds it, and nowhere else.")?;
    }
    Ok(EXIT_DONE)
}

fn list(args: &ListArgs, out: &mut dyn Write) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.config)?;
    let clients = block_on(async { Ok(administration.accounts.store.clients().await?) })?;
    if args.json {
        let body = |client: &Client| {
            let (id, kind) = (client.id.as_str(), client.kind.as_str());
            json!({ "client_id": id, "kind": kind, "created_at": timestamp(client.created_at) })
        };
        output::json(out, &json!({ "clients": clients.iter().map(body).collect::<Vec<_>>() }))?;
    } else {
        let row =
            |client: &Client| [client.id.to_string(), client.kind.as_str().to_owned(), output::time(client.created_at)];
        output::list(out, "no clients", ["client", "kind", "made"], clients.iter().map(row))?;
    }
    Ok(EXIT_DONE)
}

fn delete(args: &DeleteArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.config)?;
    let store = &administration.accounts.store;
    let deleted = block_on(async {
        let Ok(id) = args.name.parse::<ClientId>() else { return Ok(false) };
        let Some(client) = store.client(&id).await? else { return Ok(false) };
        let occasion = Occasion { now: SystemClock.now(), ip: None, entropy: &OsEntropy };
        Ok(store.delete_client(&id, client.event(EventKind::ClientDeleted, &occasion)).await?)
    })?;
    if !deleted {
        return refuse(err, "there is no such client");
    }
    writeln!(out, "deleted client {}", args.name)?;
    Ok(EXIT_DONE)
}

fn refuse(err: &mut dyn Write, why: &str) -> anyhow::Result<u8> {
    writeln!(err, "counterfoil: {why}")?;
    Ok(EXIT_REFUSED)
}
