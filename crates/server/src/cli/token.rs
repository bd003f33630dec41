//! `counterfoil token`: tokens at the command line, offline. No store, no server, no network.

use clap::Subcommand;
use std::io;

use super::streams::Streams;
use super::{token_inspect, token_sign, token_verify};

/// Look at, verify and make tokens.
#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Decode a token without a key and explain it. Nothing is verified.
    Inspect(token_inspect::InspectArgs),
    /// Verify a token with a key.
    Verify(token_verify::VerifyArgs),
    /// Sign claims with a key.
    Sign(token_sign::SignArgs),
}

/// Runs one of them. The clock is the caller's, so that every answer can be had again.
pub(super) fn run(command: &TokenCommand, streams: &mut Streams<'_>, now_unix_seconds: u64) -> io::Result<u8> {
    match command {
        TokenCommand::Inspect(args) => token_inspect::run(args, streams, now_unix_seconds),
        TokenCommand::Verify(args) => token_verify::run(args, streams, now_unix_seconds),
        TokenCommand::Sign(args) => token_sign::run(args, streams),
    }
}
