//! The command line, a file per command. People read tables; `--json` is for programs; errors go to stderr; exit status
//! 0 is done, 1 refused, 2 wrong usage or environment.

mod account;
mod account_change;
mod administration;
mod algorithm_name;
mod client;
mod config;
mod distance;
mod json_text;
mod jwk;
mod jwk_convert;
mod jwk_generate;
mod jwk_thumbprint;
mod key;
mod key_change;
mod key_file;
mod language;
mod log_format;
mod new_file;
mod output;
mod receipt;
mod refusal;
mod serve;
mod session;
mod streams;
mod terminal;
mod token;
mod token_inspect;
mod token_sign;
mod token_verify;
mod wrap;

use crate::{
    config::{ConfigError, ConfigSources, load},
    system::SystemClock,
};
use clap::{Args, Parser, Subcommand};
use counterfoil_domain::time::Clock;
use std::{io, path::PathBuf, process::ExitCode};
use streams::Streams;
use terminal::Terminal;

/// Done.
pub(crate) const EXIT_DONE: u8 = 0;
/// Refused: a token that is not good, an address that is taken.
pub(crate) const EXIT_REFUSED: u8 = 1;
/// Wrong usage or environment.
pub(crate) const EXIT_USAGE: u8 = 2;

/// An authentication server: accounts, access tokens, rotating refresh tokens, and a sign-out that counts at once.
#[derive(Parser)]
#[command(name = "counterfoil", version, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::ServeArgs),
    /// Make, list, show and change accounts.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// List and end sessions.
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Make, list and delete clients: programs that follow the revocation feed.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// The server's own keys: list, rotate, import.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Show and check the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Look at, verify and make tokens; offline.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Make keys, name them and convert them; offline.
    #[command(subcommand)]
    Jwk(jwk::JwkCommand),
}

/// Options that say where configuration and data are; every command that needs the store takes them.
#[derive(Args, Clone, Default)]
pub(crate) struct ConfigArgs {
    /// The configuration file; by default counterfoil.toml in this folder, if there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder for the SQLite file and the master key [default: counterfoil-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where accounts and sessions are kept, as sqlite:PATH [default: counterfoil.sqlite in the data folder].
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl ConfigArgs {
    fn sources(&self) -> ConfigSources {
        let data = self.data.as_ref().map(|path| ("data", path.display().to_string()));
        let store = self.store.as_ref().map(|url| ("store", url.clone()));
        ConfigSources { file: self.config.clone(), flags: data.into_iter().chain(store).collect() }
    }

    fn load(&self) -> Result<crate::Config, ConfigError> {
        load(&self.sources())
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let status = match command_line.command {
        Command::Serve(args) => serve::run(&args),
        Command::Account(command) => with_streams(|streams, _| account::run(&command, streams)),
        Command::Session(command) => with_streams(|streams, _| session::run(&command, streams.out, streams.err)),
        Command::Client(command) => with_streams(|streams, _| client::run(&command, streams.out, streams.err)),
        Command::Key(command) => with_streams(|streams, _| key::run(&command, streams.out, streams.err)),
        Command::Config(command) => with_streams(|streams, _| config::run(&command, streams)),
        Command::Token(command) => with_streams(|streams, now| Ok(token::run(&command, streams, now)?)),
        Command::Jwk(command) => with_streams(|streams, _| Ok(jwk::run(&command, streams)?)),
    };
    ExitCode::from(status.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return EXIT_DONE;
        }
        // `eprintln!` panics where nobody reads any more.
        drop(io::Write::write_fmt(&mut io::stderr(), format_args!("counterfoil: {error:#}\n")));
        EXIT_USAGE
    }))
}

/// Whether the reader of the output has gone (`… | head -1`): it has what it wanted.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<io::Error>().map(io::Error::kind);
    error.chain().any(|cause| kind(cause) == Some(io::ErrorKind::BrokenPipe))
}

/// Runs a command that needs the terminal and the time. (The server takes neither: it holds no lock on its streams.)
fn with_streams(run: impl FnOnce(&mut Streams<'_>, u64) -> anyhow::Result<u8>) -> anyhow::Result<u8> {
    let now_unix_seconds = u64::try_from(SystemClock.now().as_seconds()).unwrap_or_default();
    let (mut input, mut out, mut err) = (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    run(
        &mut Streams { input: &mut input, out: &mut out, err: &mut err, terminal: &Terminal::of_process() },
        now_unix_seconds,
    )
}
