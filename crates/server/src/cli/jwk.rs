//! `counterfoil jwk`: keys at the command line, offline.

use clap::Subcommand;
use std::io;

use super::streams::Streams;
use super::{jwk_convert, jwk_generate, jwk_thumbprint};

/// Make keys, name them, convert them.
#[derive(Subcommand)]
pub(super) enum JwkCommand {
    /// Make a new private key or secret as a JWK.
    Generate(jwk_generate::GenerateArgs),
    /// Print the RFC 7638 thumbprint of a key.
    Thumbprint(jwk_thumbprint::ThumbprintArgs),
    /// Turn a JWK into a PEM, or a PEM into a JWK.
    Convert(jwk_convert::ConvertArgs),
}

/// Runs one of them.
pub(super) fn run(command: &JwkCommand, streams: &mut Streams<'_>) -> io::Result<u8> {
    match command {
        JwkCommand::Generate(args) => jwk_generate::run(args, streams),
        JwkCommand::Thumbprint(args) => jwk_thumbprint::run(args, streams),
        JwkCommand::Convert(args) => jwk_convert::run(args, streams),
    }
}
