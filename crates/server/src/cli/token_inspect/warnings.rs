//! What to mind about a token.

use super::super::json_text::printable;
use super::personal;
use super::speaker::{Speaker, date};
use super::text::Text;
use counterfoil_jwt::NumericDate;
use serde_json::{Map, Value};

/// An access token of longer life than this is as good as a password (RFC 9700 §2.2.2 wants minutes).
const LIFE_SECONDS_MAX: u64 = 24 * 3_600;

/// Clocks may differ; by more than this, one of them is wrong.
const CLOCKS_DIFFER_SECONDS_MAX: u64 = 300;

/// What to mind about the header.
pub(super) fn about_header(header: &Map<String, Value>, signature_bytes: usize, speaker: &Speaker) -> Vec<String> {
    let mut warnings = Vec::new();
    match header.get("alg").and_then(Value::as_str) {
        None => warnings.push(speaker.say(Text::WarnAlgMissing).to_owned()),
        Some(name) if name.trim().eq_ignore_ascii_case("none") => {
            warnings.push(speaker.say(Text::WarnAlgNone).to_owned());
        }
        Some(_) if signature_bytes == 0 => warnings.push(speaker.say(Text::WarnSignatureEmpty).to_owned()),
        Some(_) => {}
    }
    for name in ["jwk", "jku", "x5u", "x5c"] {
        if header.contains_key(name) {
            warnings.push(speaker.fill(Text::WarnOfferedKey, &[("name", name)]));
        }
    }
    if header.contains_key("crit") {
        warnings.push(speaker.say(Text::WarnCrit).to_owned());
    }
    if header.get("kid").and_then(Value::as_str).is_some_and(is_suspicious_key_id) {
        warnings.push(speaker.say(Text::WarnKid).to_owned());
    }
    warnings
}

/// What to mind about the claims.
pub(super) fn about_claims(claims: &Map<String, Value>, speaker: &Speaker) -> Vec<String> {
    let mut warnings = Vec::new();
    let seconds = |name| claims.get(name).and_then(date).map(NumericDate::unix_seconds);
    let (expires, not_before, issued) = (seconds("exp"), seconds("nbf"), seconds("iat"));
    match expires {
        None if claims.contains_key("exp") => warnings.push(speaker.say(Text::WarnExpNotADate).to_owned()),
        None => warnings.push(speaker.say(Text::WarnNoExp).to_owned()),
        Some(expires) => {
            if expires <= speaker.now {
                warnings.push(speaker.say(Text::WarnExpired).to_owned());
            }
            // Without a beginning, what is left of its life is all that can be told.
            let life = expires.saturating_sub(issued.or(not_before).unwrap_or(speaker.now));
            if life > LIFE_SECONDS_MAX {
                warnings.push(speaker.fill(Text::WarnLongLife, &[("span", &speaker.span(life))]));
            }
        }
    }
    if not_before.is_some_and(|not_before| not_before > speaker.now) {
        warnings.push(speaker.say(Text::WarnNotYetValid).to_owned());
    }
    if issued.is_some_and(|issued| issued > speaker.now.saturating_add(CLOCKS_DIFFER_SECONDS_MAX)) {
        warnings.push(speaker.say(Text::WarnIssuedInFuture).to_owned());
    }
    if !claims.contains_key("aud") {
        warnings.push(speaker.say(Text::WarnNoAud).to_owned());
    }
    warn_about_personal_data(claims, speaker, &mut warnings);
    warnings
}

fn warn_about_personal_data(claims: &Map<String, Value>, speaker: &Speaker, warnings: &mut Vec<String>) {
    let found = personal::find(claims);
    let names = found.personal.iter().map(|(name, kind)| match kind {
        Some(kind) => format!("{} ({})", printable(name), speaker.say(*kind)),
        None => printable(name),
    });
    let names = names.collect::<Vec<_>>().join(", ");
    if !names.is_empty() {
        warnings.push(speaker.fill(Text::WarnPersonal, &[("names", &names)]));
    }
    let names = found.secrets.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
    if !names.is_empty() {
        warnings.push(speaker.fill(Text::WarnSecret, &[("names", &names)]));
    }
}

/// RFC 8725 §3.10: verifiers that used `kid` as a file name, in SQL or in a command were broken into. Names of keys need
/// none of these characters; a slash alone is in ordinary base64.
fn is_suspicious_key_id(kid: &str) -> bool {
    let lower = kid.to_ascii_lowercase();
    kid.starts_with(['/', '~'])
        || ["../", "./", "..%2f", "://", "/etc/", "/dev/"].iter().any(|part| lower.contains(part))
        || kid.contains(|character: char| {
            matches!(character, '\\' | '\'' | '"' | ';' | '|' | '`' | '$' | '<' | '>' | '*') || character.is_control()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_750_000_000;

    fn said(claims: &Value) -> Vec<String> {
        about_claims(claims.as_object().unwrap(), &Speaker::to_program(NOW))
    }

    #[test]
    fn a_sound_token_needs_no_warning() {
        let claims = json!({"iss": "a", "aud": "b", "exp": NOW + 1800, "iat": NOW, "nbf": NOW, "sub": "x"});
        assert_eq!(said(&claims), [""; 0]);
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"});
        assert_eq!(about_header(header.as_object().unwrap(), 64, &Speaker::to_program(NOW)), [""; 0]);
    }

    #[test]
    fn each_fault_is_said_once() {
        for (claims, beginning) in [
            (json!({"aud": "b"}), "there is no exp"),
            (json!({"aud": "b", "exp": "x"}), "exp is not a date"),
            (json!({"aud": "b", "exp": NOW}), "the token has ended"),
            (json!({"aud": "b", "exp": NOW + 86_401}), "it is good for 24 h"),
            (json!({"aud": "b", "exp": NOW + 5, "iat": NOW - 864_000}), "it is good for 10 days"),
            (json!({"aud": "b", "exp": NOW + 50, "nbf": NOW + 5}), "the token is not valid yet"),
            (json!({"aud": "b", "exp": NOW + 900, "iat": NOW + 301}), "iat is in the future"),
            (json!({"exp": NOW + 5}), "there is no aud"),
            (
                json!({"aud": "b", "exp": NOW + 5, "email": "a@b.kr", "sub": "a@b.kr"}),
                "everybody who sees the token can read this personal data: email, sub (looks like an e-mail address)",
            ),
            (json!({"aud": "b", "exp": NOW + 5, "password": "x"}), "this looks like a secret"),
        ] {
            let said = said(&claims);
            assert!(matches!(said.as_slice(), [only] if only.starts_with(beginning)), "{claims}: {said:?}");
        }
    }

    #[test]
    fn key_ids_that_want_to_be_more_than_a_name() {
        for kid in
            ["../../dev/null", "/etc/passwd", "https://a.example/key", "x' UNION SELECT 'y", "a|id", "a\\b", "k\0"]
        {
            assert!(is_suspicious_key_id(kid), "{kid:?}");
        }
        for kid in ["key-1", "2026-11", "dGVz/HQ+x==", "urn:ietf:params:oauth:jwk-thumbprint:sha-256:abc", "a.b", "키"]
        {
            assert!(!is_suspicious_key_id(kid), "{kid:?}");
        }
    }
}
