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
use counterfoil_jwt::{Error, UnverifiedToken};

use super::json_text::compact;
use super::refusal::{members, refused_saying, sentence};
use super::streams::{Line, Streams};
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
    /// The token, as it is or as `Bearer …` or `Authorization: Bearer …`; `-`, or nothing, reads one a
    /// line from standard input.
    #[arg(num_args = 0..)]
    token: Vec<String>,
}

/// Runs the command.
pub(super) fn run(args: &InspectArgs, streams: &mut Streams<'_>, now_unix_seconds: u64) -> io::Result<u8> {
    let now = args.now.unwrap_or(now_unix_seconds);
    let inspector = Inspector { json: args.json, speaker: Speaker::to_person(streams.terminal, now), now };
    // Pasted without quotes, a header comes as several arguments.
    match args.token.join(" ") {
        token if token.is_empty() || token == "-" => inspector.each_line(streams),
        token => inspector.one(&token, streams),
    }
}

struct Inspector {
    json: bool,
    speaker: Speaker,
    now: u64,
}

/// A refusal's code, and what there is to say about it.
type Refusal = (&'static str, String);

impl Inspector {
    fn one(&self, pasted: &str, streams: &mut Streams<'_>) -> io::Result<u8> {
        match self.decode(pasted) {
            Ok(decoded) => self.explain(&decoded, streams),
            Err((code, sentence)) => refused_saying(code, &sentence, streams),
        }
    }

    /// One token a line, as many as there are. A person pastes one and waits for the answer.
    fn each_line(&self, streams: &mut Streams<'_>) -> io::Result<u8> {
        if streams.terminal.asks_a_person {
            writeln!(streams.err, "{}", self.speaker.say(Text::PasteHere))?;
            return match streams.next_line()? {
                Some(Line::Text(line)) => self.one(&line, streams),
                _ => self.one("", streams),
            };
        }
        let (mut status, mut number, mut inspected) = (EXIT_DONE, 0, 0);
        while let Some(line) = streams.next_line()? {
            number += 1;
            let decoded = match line {
                // Between explanations an empty line is only space; a program's answers stand line by line.
                Line::Text(line) if line.trim().is_empty() && !self.json => continue,
                Line::Text(line) => self.decode(&line),
                Line::NotText => Err(said(Error::NotACompactJws)),
                Line::TooLong => Err(said(Error::TooLarge { what: "token", limit_bytes: UnverifiedToken::MAX_BYTES })),
            };
            if inspected > 0 && decoded.is_ok() && !self.json {
                writeln!(streams.out)?;
            }
            match decoded {
                Ok(decoded) => {
                    self.explain(&decoded, streams)?;
                    inspected += 1;
                }
                Err((code, sentence)) if self.json => {
                    writeln!(streams.out, r#"{{"verified":false,{}}}"#, members(code, &sentence, number))?;
                    status = EXIT_REFUSED;
                }
                Err((code, sentence)) => {
                    status = refused_saying(code, &format!("{sentence} (line {number})"), streams)?;
                }
            }
        }
        // No input at all is no token either.
        if inspected == 0 && status == EXIT_DONE { self.one("", streams) } else { Ok(status) }
    }

    fn decode(&self, pasted: &str) -> Result<UnverifiedToken, Refusal> {
        let token = pasted::token_in(pasted);
        if pasted::is_refresh_token(token) {
            return Err(("refresh_token", self.speaker.say(Text::RefreshToken).to_owned()));
        }
        if pasted::is_opaque_secret(token) {
            return Err(("opaque_secret", self.speaker.say(Text::OpaqueSecret).to_owned()));
        }
        UnverifiedToken::decode(token).map_err(said)
    }

    fn explain(&self, decoded: &UnverifiedToken, streams: &mut Streams<'_>) -> io::Result<u8> {
        if self.json {
            write_json(decoded, &Account::of(decoded, &Speaker::to_program(self.now)), streams.out)?;
        } else {
            let account = Account::of(decoded, &self.speaker);
            let (colors, columns) = (streams.terminal.colors, streams.terminal.columns);
            Layout { out: streams.out, speaker: &self.speaker, colors, columns }.write(&account)?;
        }
        Ok(EXIT_DONE)
    }
}

fn said(refusal: Error) -> Refusal {
    (refusal.code(), sentence(refusal))
}

fn write_json(token: &UnverifiedToken, account: &Account, out: &mut dyn io::Write) -> io::Result<()> {
    let claims = token.claims_json().map_or_else(|_| "null".to_owned(), compact);
    let header = compact(token.header_json());
    let warnings = serde_json::to_string(&account.warnings)?;
    writeln!(out, r#"{{"verified":false,"header":{header},"claims":{claims},"warnings":{warnings}}}"#)
}

#[cfg(test)]
mod tests;
