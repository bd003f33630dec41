//! `counterfoil token inspect`: what a token says, explained, without believing a word of it.
//!
//! The words are a person's: in their language (`text`), with times in their zone (`speaker`). The refusals' codes and
//! `--json` are a program's, and the same everywhere.

mod account;
mod layout;
mod members;
mod pasted;
mod personal;
mod speaker;
mod text;
mod warnings;

use std::io;

use clap::Args;
use counterfoil_jwt::UnverifiedToken;

use super::json_text::compact;
use super::streams::{Line, Streams};
use super::token_verify::refused;
use super::{EXIT_DONE, EXIT_REFUSED};
use account::Account;
use layout::Layout;
use speaker::Speaker;
use text::Text;

/// Decode a token without a key and explain it. Nothing is verified: anybody can write such a token.
#[derive(Args)]
pub(super) struct InspectArgs {
    /// Print JSON for programs instead.
    #[arg(long)]
    json: bool,
    /// The time to reckon from, in seconds since 1970, instead of now.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
    /// The token, as it is or as `Bearer …` or `Authorization: Bearer …`; `-`, or nothing, reads it from standard input.
    #[arg(num_args = 0..)]
    token: Vec<String>,
}

/// Runs the command.
pub(super) fn run(args: &InspectArgs, streams: &mut Streams<'_>, now_unix_seconds: u64) -> io::Result<u8> {
    let now = args.now.unwrap_or(now_unix_seconds);
    let speaker = Speaker::to_person(streams.terminal, now);
    // Pasted without quotes, a header comes as several arguments.
    let pasted = match args.token.join(" ") {
        token if token.is_empty() || token == "-" => read(streams, &speaker)?,
        token => token,
    };
    let token = pasted::token_in(&pasted);
    if pasted::is_refresh_token(token) {
        writeln!(streams.err, "refused: refresh_token: {}", speaker.say(Text::RefreshToken))?;
        return Ok(EXIT_REFUSED);
    }
    let decoded = match UnverifiedToken::decode(token) {
        Ok(decoded) => decoded,
        Err(refusal) => return refused(refusal, streams),
    };
    if args.json {
        write_json(&decoded, &Account::of(&decoded, &Speaker::to_program(now)), streams.out)?;
    } else {
        let account = Account::of(&decoded, &speaker);
        let (colors, columns) = (streams.terminal.colors, streams.terminal.columns);
        Layout { out: streams.out, speaker: &speaker, colors, columns }.write(&account)?;
    }
    Ok(EXIT_DONE)
}

fn read(streams: &mut Streams<'_>, speaker: &Speaker) -> io::Result<String> {
    if streams.terminal.asks_a_person {
        writeln!(streams.err, "{}", speaker.say(Text::PasteHere))?;
    }
    Ok(match streams.next_line()? {
        Some(Line::Text(line)) => line,
        Some(Line::NotText | Line::TooLong) | None => String::new(),
    })
}

fn write_json(token: &UnverifiedToken, account: &Account, out: &mut dyn io::Write) -> io::Result<()> {
    let claims = token.claims_json().map_or_else(|_| "null".to_owned(), compact);
    let header = compact(token.header_json());
    let warnings = serde_json::to_string(&account.warnings)?;
    writeln!(out, r#"{{"verified":false,"header":{header},"claims":{claims},"warnings":{warnings}}}"#)
}

#[cfg(test)]
mod tests;
