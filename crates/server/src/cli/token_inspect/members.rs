//! What the members of a header and of a claims set mean.

use super::personal;
use super::speaker::{Speaker, date};
use super::text::Text;
use counterfoil_jwt::Algorithm;
use serde_json::Value;

/// Header members in the order that people look for them; others follow.
pub(super) const HEADER_ORDER: &[&str] = &["alg", "typ", "kid"];

/// The registered claims in the order of RFC 7519 §4.1, but `sub` beside `iss` and the times together.
pub(super) const CLAIM_ORDER: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// What a header member means (RFC 7515 §4.1); empty for one that nobody has registered.
pub(super) fn header_meaning(name: &str, value: &Value, speaker: &Speaker) -> String {
    let text = match (name, value.as_str()) {
        ("alg", Some(name)) => match name.parse::<Algorithm>() {
            Ok(algorithm) if algorithm.is_symmetric() => Text::AlgSecret,
            Ok(_) => Text::AlgPrivateKey,
            Err(_) => Text::AlgUnknown,
        },
        ("typ", Some(name)) if is_access_token(name) => Text::TypAccessToken,
        ("typ", _) => Text::Typ,
        ("kid", _) => Text::Kid,
        ("cty", _) => Text::Cty,
        ("crit", _) => Text::Crit,
        ("jwk" | "jku" | "x5u" | "x5c", _) => Text::OfferedKey,
        ("x5t" | "x5t#S256", _) => Text::Fingerprint,
        ("enc" | "zip", _) => Text::Enc,
        ("b64", _) => Text::B64,
        _ => return String::new(),
    };
    speaker.say(text).to_owned()
}

/// RFC 7515 §4.1.9: a reader treats a type without a slash as if `application/` stood before it.
fn is_access_token(typ: &str) -> bool {
    let (family, name) = typ.split_once('/').unwrap_or(("application", typ));
    family.eq_ignore_ascii_case("application") && name.eq_ignore_ascii_case("at+jwt")
}

/// What a claim means: those of RFC 7519 §4.1, and the others of IANA's register that access and ID tokens carry.
pub(super) fn claim_meaning(name: &str, value: &Value, speaker: &Speaker) -> String {
    let text = match name {
        "exp" | "nbf" | "iat" | "auth_time" | "updated_at" => return date_meaning(name, value, speaker),
        "iss" => Text::Iss,
        "sub" => Text::Sub,
        "aud" => Text::Aud,
        "jti" => Text::Jti,
        "client_id" | "azp" => Text::ClientId,
        "scope" | "scp" => Text::Scope,
        "sid" => Text::Sid,
        "gen" => Text::Gen,
        "cnf" => Text::Cnf,
        "amr" => Text::Amr,
        "acr" => Text::Acr,
        "nonce" => Text::Nonce,
        "at_hash" | "c_hash" | "s_hash" | "ath" => Text::HashOfAnother,
        "policy" => Text::Policy,
        "roles" | "groups" | "entitlements" => Text::Roles,
        "act" | "may_act" => Text::Act,
        "email_verified" | "phone_number_verified" => Text::Verified,
        name if personal::is_personal_name(name) => Text::Person,
        _ => return String::new(),
    };
    speaker.say(text).to_owned()
}

fn date_meaning(name: &str, value: &Value, speaker: &Speaker) -> String {
    let Some(date) = date(value) else { return speaker.say(Text::NotADate).to_owned() };
    let text = match name {
        "exp" if date.unix_seconds() <= speaker.now => Text::Expired,
        "exp" => Text::Exp,
        "nbf" => Text::Nbf,
        "iat" => Text::Iat,
        "updated_at" => Text::UpdatedAt,
        _ => Text::AuthTime,
    };
    speaker.fill_date(text, date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_750_000_000;

    #[test]
    fn every_registered_claim_is_explained() {
        let speaker = Speaker::to_program(NOW);
        for name in CLAIM_ORDER {
            assert!(!claim_meaning(name, &json!(NOW), &speaker).is_empty(), "{name}");
        }
        for name in ["alg", "typ", "kid", "cty", "crit", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"] {
            assert!(!header_meaning(name, &json!("x"), &speaker).is_empty(), "{name}");
        }
        assert!(claim_meaning("given_name", &json!("x"), &speaker).contains("not hidden"));
        assert_eq!(claim_meaning("something", &json!(1), &speaker), "");
        assert_eq!(header_meaning("something", &json!(1), &speaker), "");
    }

    #[test]
    fn the_meaning_goes_by_the_value() {
        let speaker = Speaker::to_program(NOW);
        assert!(claim_meaning("exp", &json!(NOW), &speaker).starts_with("ended "));
        assert!(claim_meaning("exp", &json!(NOW + 1), &speaker).starts_with("ends "));
        assert!(claim_meaning("exp", &json!("tomorrow"), &speaker).starts_with("should be a date"));
        assert!(header_meaning("typ", &json!("application/AT+JWT"), &speaker).contains("access token"));
        assert!(!header_meaning("typ", &json!("text/at+jwt"), &speaker).contains("access token"));
        assert!(header_meaning("alg", &json!("HS256"), &speaker).contains("shared secret"));
        assert!(header_meaning("alg", &json!("ES384"), &speaker).contains("private key"));
        assert!(header_meaning("alg", &json!("none"), &speaker).contains("no signature algorithm"));
    }
}
