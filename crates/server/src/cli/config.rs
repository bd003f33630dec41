//! `counterfoil config …`.

use super::{ConfigArgs, EXIT_DONE, EXIT_REFUSED, output, streams::Streams, wrap::wrap};
use crate::config::{Setting, settings};
use crate::keys::check_secret_file;
use clap::{Args, Subcommand, builder::styling::Style};
use serde_json::{Value, json};
use std::io;

/// Configuration: show what is in force, check it.
#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Every option: its value, where that came from, and what it means.
    Show(ShowArgs),
    /// Refuse what is unknown or unsafe, naming line and option.
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

pub(super) fn run(command: &ConfigCommand, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    match command {
        ConfigCommand::Show(args) => {
            let settings = settings(&args.config.sources())?;
            if args.json {
                output::json(streams.out, &json!({ "settings": settings.iter().map(body).collect::<Vec<_>>() }))?;
            } else {
                show(&settings, streams)?;
            }
            Ok(EXIT_DONE)
        }
        ConfigCommand::Check(args) => match check(args) {
            Ok(()) => {
                writeln!(streams.out, "the configuration is good")?;
                Ok(EXIT_DONE)
            }
            Err(error) => {
                writeln!(streams.err, "counterfoil: {error}")?;
                Ok(EXIT_REFUSED)
            }
        },
    }
}

/// What `serve` would refuse at start, as far as the options and the files they name tell.
fn check(args: &ConfigArgs) -> anyhow::Result<()> {
    let signing = args.load()?.signing;
    check_secret_file(&signing.algorithm, signing.secret_file.as_deref())?;
    Ok(())
}

fn body(setting: &Setting) -> Value {
    let Setting { name, value, source, meaning } = setting;
    json!({ "option": name, "value": value, "source": source, "meaning": meaning })
}

/// The table, with each option's meaning below its line: a column of its own would leave none of them room.
fn show(settings: &[Setting], streams: &mut Streams<'_>) -> io::Result<()> {
    let row = |setting: &Setting| {
        let value = match &setting.value {
            Value::Null => "(none)".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(values) if values.is_empty() => "(none)".to_owned(),
            other => other.to_string(),
        };
        [setting.name.clone(), value, setting.source.clone()]
    };
    let table = output::table(["option", "value", "from"], settings.iter().map(row));
    let (heading, lines) = table.split_once('\n').unwrap_or_default();
    writeln!(streams.out, "{heading}")?;
    let faint = if streams.terminal.colors { Style::new().dimmed() } else { Style::new() };
    for (line, setting) in lines.lines().zip(settings) {
        writeln!(streams.out, "{line}")?;
        for line in wrap(setting.meaning, streams.terminal.columns.saturating_sub(5)) {
            writeln!(streams.out, "     {faint}{line}{faint:#}")?;
        }
    }
    Ok(())
}
