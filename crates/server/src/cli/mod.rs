//! The command line, a file per command. People read tables; `--json` is for programs; errors go to stderr; exit status
//! 0 is done, 1 refused, 2 wrong usage or environment.

mod serve;

use crate::config::{ConfigError, ConfigSources, load};
use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Done.
pub(crate) const EXIT_DONE: u8 = 0;
/// Refused: a token that is not good, an address that is taken.
pub(crate) const EXIT_REFUSED: u8 = 1;
/// Wrong usage or environment.
pub(crate) const EXIT_USAGE: u8 = 2;

/// An authentication server: accounts, access tokens, rotating refresh tokens, and a sign-out that reaches every server.
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
    };
    ExitCode::from(status.unwrap_or_else(|error| {
        eprintln!("counterfoil: {error:#}");
        EXIT_USAGE
    }))
}
