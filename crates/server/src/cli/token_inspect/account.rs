//! What there is to say about a token, in words.

use super::super::json_text::printable;
use super::members::{CLAIM_ORDER, HEADER_ORDER, claim_meaning, header_meaning};
use super::speaker::Speaker;
use super::text::Text;
use super::warnings::{about_claims, about_header};
use counterfoil_jwt::UnverifiedToken;
use serde_json::{Map, Value};

/// One line of the explanation.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) meaning: String,
}

impl Entry {
    /// The value as JSON, harmless for a terminal.
    pub(super) fn value_text(&self) -> String {
        printable(&self.value.to_string())
    }
}

/// What there is to say about a token.
pub(super) struct Account {
    pub(super) header: Vec<Entry>,
    /// `None` if the payload is no claims set.
    pub(super) claims: Option<Vec<Entry>>,
    pub(super) payload_bytes: usize,
    pub(super) signature_bytes: usize,
    pub(super) warnings: Vec<String>,
}

impl Account {
    /// Explains the token in the speaker's words.
    pub(super) fn of(token: &UnverifiedToken, speaker: &Speaker) -> Self {
        let header = object(token.header_json());
        let mut warnings = about_header(&header, token.signature_bytes(), speaker);
        let claims = match token.claims_json() {
            Ok(claims_json) => {
                let claims = object(claims_json);
                warnings.extend(about_claims(&claims, speaker));
                Some(entries(claims, CLAIM_ORDER, |name, value| claim_meaning(name, value, speaker)))
            }
            Err(refusal) => {
                warnings.push(speaker.fill(Text::WarnNoClaims, &[("reason", &refusal.to_string())]));
                None
            }
        };
        Self {
            header: entries(header, HEADER_ORDER, |name, value| header_meaning(name, value, speaker)),
            claims,
            payload_bytes: token.payload().len(),
            signature_bytes: token.signature_bytes(),
            warnings,
        }
    }
}

/// The decoder has checked that this is one object. A number too large for the reader leaves nothing to explain.
fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The known members in their usual order, then the others.
fn entries(mut object: Map<String, Value>, order: &[&str], meaning: impl Fn(&str, &Value) -> String) -> Vec<Entry> {
    let known: Vec<_> = order.iter().filter_map(|name| object.remove_entry(*name)).collect();
    let entry =
        |(name, value): (String, Value)| Entry { meaning: meaning(&name, &value), name: printable(&name), value };
    known.into_iter().chain(object).map(entry).collect()
}
