//! `counterfoil config …`.

use super::{ConfigArgs, EXIT_DONE, EXIT_REFUSED, output};
use crate::config::{Setting, settings};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;

/// Configuration: show what is in force, check it.
#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Every option, its value, and where it came from.
    Show(ShowArgs),
    /// Refuse what is unknown or unsafe, naming the option.
    Check(ConfigArgs),
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(command: &ConfigCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    match command {
        ConfigCommand::Show(args) => {
            let settings = settings(&args.config.sources())?;
            if args.json {
                let body = |setting: &Setting| json!({ "option": setting.name, "value": setting.value, "source": setting.source });
                output::json(out, &json!({ "settings": settings.iter().map(body).collect::<Vec<_>>() }))?;
            } else {
                let row = |setting: Setting| [setting.name, setting.value, setting.source];
                write!(out, "{}", output::table(["option", "value", "from"], settings.into_iter().map(row)))?;
            }
            Ok(EXIT_DONE)
        }
        ConfigCommand::Check(args) => match args.load() {
            Ok(_) => {
                writeln!(out, "the configuration is good")?;
                Ok(EXIT_DONE)
            }
            Err(error) => {
                writeln!(err, "counterfoil: {error}")?;
                Ok(EXIT_REFUSED)
            }
        },
    }
}
