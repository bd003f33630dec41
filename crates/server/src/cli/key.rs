//! `counterfoil key …`.

use super::{
    ConfigArgs, EXIT_DONE,
    administration::{Administration, block_on},
    key_change::{ImportArgs, RotateArgs, import, rotate},
    output,
};
use crate::app::timestamp;
use clap::{Args, Subcommand};
use counterfoil_domain::{
    key::{KeyState, KeyUse, KeysView, StoredKey, activates_at},
    revocation::FeedHead,
};
use serde_json::{Value, json};
use std::io::Write;

/// The server's own keys.
#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// List keys, oldest first. Secrets are never shown.
    List(ListArgs),
    /// Publish a new signing key. A running server signs with it once everybody who verifies can know it.
    Rotate(RotateArgs),
    /// Publish a private key of your own, from a JWK or PEM file, as the next signing key.
    Import(ImportArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(command: &KeyCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    match command {
        KeyCommand::List(args) => list(args, out),
        KeyCommand::Rotate(args) => rotate(args, out, err),
        KeyCommand::Import(args) => import(args, out, err),
    }
}

fn list(args: &ListArgs, out: &mut dyn Write) -> anyhow::Result<u8> {
    let administration = Administration::open(&args.config)?;
    let keys = block_on(async { Ok(administration.accounts.store.keys().await?) })?;
    let terms = administration.config.key_terms(administration.accounts.longest_token_lifetime);
    let signs_at = activates_at(&KeysView { keys: &keys, feed: FeedHead::default() }, &terms);
    let signs_at = |key: &StoredKey| {
        let is_next = key.key_use == KeyUse::Sign && key.state == KeyState::Upcoming;
        signs_at.filter(|_| is_next)
    };
    if args.json {
        let body = |key: &StoredKey| {
            let mut body = json!({
                "kid": key.kid, "use": key.key_use.as_str(), "algorithm": key.algorithm,
                "state": key.state.as_str(), "since": timestamp(key.state_since), "created_at": timestamp(key.created_at),
            });
            if let (Some(members), Some(at)) = (body.as_object_mut(), signs_at(key)) {
                members.insert("signs_at".to_owned(), Value::String(timestamp(at).to_string()));
            }
            body
        };
        output::json(out, &json!({ "keys": keys.iter().map(body).collect::<Vec<_>>() }))?;
    } else {
        let row = |key: &StoredKey| {
            let (key_use, state) = (key.key_use.as_str().to_owned(), key.state.as_str().to_owned());
            let signs = output::or_dash(signs_at(key).map(output::time).as_deref());
            [key.kid.clone(), key_use, key.algorithm.clone(), state, output::time(key.state_since), signs]
        };
        let headings = ["kid", "use", "algorithm", "state", "since", "signs from"];
        output::list(out, "no keys yet: the server makes them when it starts", headings, keys.iter().map(row))?;
    }
    Ok(EXIT_DONE)
}
