//! Saying why something was refused, the same way for every command that judges.
//!
//! The library's sentences repeat nothing of what was judged, for they end up in servers' logs. At the command line it is
//! the asker's own token, and what they most want to know is how what they asked for differs from what is there: so that
//! is added, for the members that are no secrets, and made harmless for a terminal.

use counterfoil_jwt::{AlgorithmSet, Error, KeySet, RegisteredClaim, UnverifiedToken, VerifyingKey};
use serde_json::Value;
use std::io;

use super::EXIT_REFUSED;
use super::distance::span;
use super::json_text::compact;
use super::language::Language;
use super::streams::Streams;

/// Says why on the error stream, and with which exit status.
pub(super) fn refused(refusal: Error, streams: &mut Streams<'_>) -> io::Result<u8> {
    refused_saying(refusal.code(), &sentence(refusal), streams)
}

/// The same, with a sentence that says more.
pub(super) fn refused_saying(code: &str, sentence: &str, streams: &mut Streams<'_>) -> io::Result<u8> {
    writeln!(streams.err, "refused: {code}: {sentence}")?;
    Ok(EXIT_REFUSED)
}

/// The members of a JSON object that say why, for an answer to one line of many.
pub(super) fn members(code: &str, sentence: &str, line: usize) -> String {
    format!(r#""code":"{code}","text":{},"line":{line}"#, compact(&Value::from(sentence).to_string()))
}

/// What is the matter, in a sentence. The library counts seconds, for logs; a person asks whether it was yesterday or
/// years ago.
pub(super) fn sentence(refusal: Error) -> String {
    let ago = |seconds| span(seconds, Language::English);
    match refusal {
        Error::TokenExpired { ago_seconds: 0 } => "the token expired just now (claim `exp`)".to_owned(),
        Error::TokenExpired { ago_seconds } => format!("the token expired {} ago (claim `exp`)", ago(ago_seconds)),
        Error::TokenNotYetValid { in_seconds } => {
            format!("the token is not valid for another {} (claim `nbf`)", ago(in_seconds))
        }
        refusal => refusal.to_string(),
    }
}

/// What was asked of a token.
pub(super) struct Expected<'e> {
    pub(super) algorithms: AlgorithmSet,
    pub(super) token_type: Option<&'e str>,
    pub(super) issuer: Option<&'e str>,
    pub(super) audiences: &'e [String],
    pub(super) keys: &'e KeySet,
}

impl Expected<'_> {
    /// What is the matter with a token: where something else was expected, what, and what was found.
    pub(super) fn sentence(&self, refusal: Error, token: &str) -> String {
        self.comparison(refusal, token).unwrap_or_else(|| sentence(refusal))
    }

    fn comparison(&self, refusal: Error, token: &str) -> Option<String> {
        let audiences = || any_of(self.audiences.iter().map(|audience| quoted(audience)));
        Some(match refusal {
            Error::AlgorithmNotAllowed => {
                let allowed = any_of(self.algorithms.iter().map(|algorithm| algorithm.name().to_owned()));
                format!("the header's `alg` is {}, expected {allowed}", in_header(token, "alg")?)
            }
            Error::KeyAlgorithmMismatch => {
                let of_keys: AlgorithmSet = self.keys.iter().map(VerifyingKey::algorithm).collect();
                let of_keys = any_of(of_keys.iter().map(|algorithm| algorithm.name().to_owned()));
                format!("the header's `alg` is {}, and the key is for {of_keys}", in_header(token, "alg")?)
            }
            Error::UnknownKey => {
                let named = self.keys.iter().filter_map(VerifyingKey::key_id).map(|key_id| quoted(key_id.as_str()));
                format!("the header's `kid` is {}, expected {}", in_header(token, "kid")?, any_of(named))
            }
            Error::TypeMismatch => {
                format!("the header's `typ` is {}, expected {}", in_header(token, "typ")?, quoted(self.token_type?))
            }
            Error::IssuerMismatch => {
                format!("the claim `iss` is {}, expected {}", in_claims(token, "iss")?, quoted(self.issuer?))
            }
            Error::AudienceMismatch => {
                format!("the claim `aud` is {}, expected {}", in_claims(token, "aud")?, audiences())
            }
            Error::ClaimMissing(claim @ RegisteredClaim::Issuer) => {
                format!("the claim `{claim}` is missing, expected {}", quoted(self.issuer?))
            }
            Error::ClaimMissing(claim @ RegisteredClaim::Audience) => {
                format!("the claim `{claim}` is missing, expected {}", audiences())
            }
            _ => return None,
        })
    }
}

fn in_header(token: &str, name: &str) -> Option<String> {
    Some(member(UnverifiedToken::decode(token).ok()?.header_json(), name))
}

fn in_claims(token: &str, name: &str) -> Option<String> {
    Some(member(UnverifiedToken::decode(token).ok()?.claims_json().ok()?, name))
}

/// A member as JSON: a stranger's text needs its quotes.
fn member(json: &str, name: &str) -> String {
    let object: Value = serde_json::from_str(json).unwrap_or_default();
    object.get(name).map_or_else(|| "missing".to_owned(), |value| shortened(&compact(&value.to_string())))
}

fn quoted(text: &str) -> String {
    shortened(&compact(&Value::from(text).to_string()))
}

/// Enough to recognise it by.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `a`, `a or b`, `a, b or c`; of many the first few.
fn any_of(names: impl Iterator<Item = String>) -> String {
    const NAMES_MAX: usize = 12;
    let mut names: Vec<_> = names.collect();
    let more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_text_is_short_and_harmless() {
        assert_eq!(member(r#"{"iss":"\u001b[31m\u202e"}"#, "iss"), r#""\u001b[31m\u202e""#);
        assert_eq!(member(r#"{"aud":["a", "b"]}"#, "aud"), r#"["a","b"]"#);
        assert_eq!(member("{}", "typ"), "missing");
        assert_eq!(quoted(&"한".repeat(1000)).chars().count(), 201);
        assert_eq!(members("c", "a \"b\"\n", 7), r#""code":"c","text":"a \"b\"\n","line":7"#);
    }

    #[test]
    fn lists_are_read_aloud() {
        let any = |count: usize| any_of((0..count).map(|name| name.to_string()));
        assert_eq!([any(0), any(1), any(2), any(3)], ["nothing", "0", "0 or 1", "0, 1 or 2"]);
        assert!(any(100).ends_with("10, 11 or 88 more"), "{}", any(100));
    }
}
