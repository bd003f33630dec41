//! `counterfoil key …`.

use super::{
    ConfigArgs, EXIT_DONE,
    administration::{Administration, block_on},
    output,
};
use crate::app::timestamp;
use clap::{Args, Subcommand};
use counterfoil_domain::key::StoredKey;
use serde_json::json;
use std::io::Write;

/// The server's own keys.
#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// List keys, oldest first. Secrets are never shown.
    List(ListArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(command: &KeyCommand, out: &mut dyn Write) -> anyhow::Result<u8> {
    let KeyCommand::List(args) = command;
    let administration = Administration::open(&args.config)?;
    let keys = block_on(async { Ok(administration.accounts.store.keys().await?) })?;
    if args.json {
        let body = |key: &StoredKey| {
            json!({
                "kid": key.kid, "use": key.key_use.as_str(), "algorithm": key.algorithm,
                "state": key.state.as_str(), "created_at": timestamp(key.created_at),
            })
        };
        output::json(out, &json!({ "keys": keys.iter().map(body).collect::<Vec<_>>() }))?;
    } else {
        let row = |key: &StoredKey| {
            let (key_use, state) = (key.key_use.as_str().to_owned(), key.state.as_str().to_owned());
            [key.kid.clone(), key_use, key.algorithm.clone(), state, output::time(key.created_at)]
        };
        let headings = ["kid", "use", "algorithm", "state", "made"];
        output::list(out, "no keys yet: the server makes them when it starts", headings, keys.iter().map(row))?;
    }
    Ok(EXIT_DONE)
}
