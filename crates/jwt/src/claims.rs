//! The registered claims (RFC 7519 §4.1), checked by this crate whatever type the caller reads claims into.
//!
//! They are looked at in the same pass that reads the caller's type and looks for duplicate names, and before the caller
//! gets anything: a type that forgets `exp` cannot forget to check it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::RegisteredClaim;
use crate::json::{self, Number, Value, Watch};
use crate::policy::AudienceRule;
use crate::{Error, Policy};

/// A point in time in a token: seconds since 1970-01-01T00:00:00Z (RFC 7519 §2).
///
/// Tokens may carry a fraction. It is rounded up here, because with a clock that counts whole seconds both rules then
/// come out exactly: a token is expired from the first whole second on or after `exp`, and valid from the first on or
/// after `nbf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumericDate(u64);

impl NumericDate {
    /// The last whole number that JSON readers everywhere agree on (2⁵³, RFC 8259 §6); 285 million years from now.
    const MAX: u64 = 1 << 53;

    /// From seconds since the epoch.
    pub const fn from_unix_seconds(unix_seconds: u64) -> Self {
        Self(unix_seconds)
    }

    /// Seconds since the epoch.
    pub const fn unix_seconds(self) -> u64 {
        self.0
    }

    #[inline]
    fn from_whole(seconds: u64) -> Option<Self> {
        (seconds <= Self::MAX).then_some(Self(seconds))
    }

    /// Reads a JSON number. A sign, an overflow, or anything past what a double holds exactly is no date.
    fn from_number(number: Number<'_>) -> Option<Self> {
        match number.whole {
            Some(seconds) => Self::from_whole(seconds),
            None => Self::from_f64(number.text.parse().ok()?),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "in range"
    )]
    fn from_f64(seconds: f64) -> Option<Self> {
        let in_range = seconds.is_sign_positive() && seconds <= Self::MAX as f64;
        in_range.then(|| Self(seconds.ceil() as u64))
    }
}

impl Serialize for NumericDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DateVisitor;
        impl de::Visitor<'_> for DateVisitor {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds since 1970")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<NumericDate, E> {
                if seconds <= NumericDate::MAX {
                    Ok(NumericDate(seconds))
                } else {
                    Err(E::custom("the date is out of range"))
                }
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                NumericDate::from_f64(seconds).ok_or_else(|| E::custom("the date is out of range"))
            }
        }
        deserializer.deserialize_any(DateVisitor)
    }
}

/// The dates of an accepted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dates {
    pub(crate) expires_at: Option<NumericDate>,
    pub(crate) not_before: Option<NumericDate>,
    pub(crate) issued_at: Option<NumericDate>,
}

/// Reads the claims of a verified payload into the caller's type, and holds the registered ones against the policy.
#[inline]
pub(crate) fn read<'a, C: Deserialize<'a>>(
    claims_json: &'a str,
    policy: &Policy,
    now_unix_seconds: u64,
) -> Result<(C, Dates), Error> {
    let mut registered = Registered::default();
    if let Ok(claims) = json::read_object(claims_json, policy.max_depth, &mut registered) {
        return registered.check(policy, now_unix_seconds).map(|dates| (claims, dates));
    }
    // Either something is wrong with the text, or the type asks for more than the quick reader has. The walk finds the
    // right words for the former; after it, `serde_json` has the last word on the latter.
    let dates = validate(claims_json, policy, now_unix_seconds)?;
    serde_json::from_str(claims_json).map(|claims| (claims, dates)).map_err(|_| Error::ClaimsDoNotFit)
}

/// Reads the registered claims alone and holds them against the policy.
#[cold]
fn validate(claims_json: &str, policy: &Policy, now_unix_seconds: u64) -> Result<Dates, Error> {
    let mut registered = Registered::default();
    json::walk_object(claims_json, policy.max_depth, |name, value| {
        if let Some(claim) = RegisteredClaim::from_name(name) {
            registered.see(claim, value);
        }
    })
    .map_err(|fault| fault.in_payload(policy.max_depth))?;
    registered.check(policy, now_unix_seconds)
}

/// What the walk found.
#[derive(Default)]
struct Registered<'a> {
    issuer: Option<Cow<'a, str>>,
    audience: Option<Audience<'a>>,
    dates: Dates,
    /// The first registered claim whose type is not the one that RFC 7519 §4.1 gives it.
    wrong_type: Option<RegisteredClaim>,
}

/// One audience or several (RFC 7519 §4.1.3).
enum Audience<'a> {
    One(Cow<'a, str>),
    /// The array, as written; every item is a string.
    Many(&'a str),
}

impl<'a> Watch<'a> for Registered<'a> {
    type Name = RegisteredClaim;

    #[inline]
    fn name(name: &str) -> Option<RegisteredClaim> {
        RegisteredClaim::from_name(name)
    }

    fn see(&mut self, claim: RegisteredClaim, value: Value<'a>) {
        match (claim, value) {
            (claim, Value::String(text)) => self.text(claim, text),
            (claim, Value::Number(number)) => self.date(claim, NumericDate::from_number(number)),
            (RegisteredClaim::Audience, Value::Array(array)) if json::strings(array, |_| ()) => {
                self.audience = Some(Audience::Many(array));
            }
            _ => self.wrong(claim),
        }
    }

    #[inline]
    fn see_text(&mut self, claim: RegisteredClaim, text: &'a str) {
        self.text(claim, Cow::Borrowed(text));
    }

    #[inline]
    fn see_whole(&mut self, claim: RegisteredClaim, number: u64) {
        self.date(claim, NumericDate::from_whole(number));
    }
}

impl<'a> Registered<'a> {
    /// Types first, whatever the policy asks for; then the rules.
    fn check(&self, policy: &Policy, now_unix_seconds: u64) -> Result<Dates, Error> {
        if let Some(claim) = self.wrong_type {
            return Err(Error::ClaimWrongType(claim));
        }
        validate_times(&self.dates, policy, now_unix_seconds)?;
        validate_issuer(self.issuer.as_deref(), policy)?;
        validate_audience(self.audience.as_ref(), policy)?;
        Ok(self.dates)
    }

    #[inline]
    fn text(&mut self, claim: RegisteredClaim, text: Cow<'a, str>) {
        match claim {
            RegisteredClaim::Issuer => self.issuer = Some(text),
            RegisteredClaim::Audience => self.audience = Some(Audience::One(text)),
            RegisteredClaim::Subject | RegisteredClaim::TokenId => {}
            _ => self.wrong(claim),
        }
    }

    #[inline]
    fn date(&mut self, claim: RegisteredClaim, date: Option<NumericDate>) {
        match (claim, date) {
            (RegisteredClaim::ExpiresAt, Some(_)) => self.dates.expires_at = date,
            (RegisteredClaim::NotBefore, Some(_)) => self.dates.not_before = date,
            (RegisteredClaim::IssuedAt, Some(_)) => self.dates.issued_at = date,
            _ => self.wrong(claim),
        }
    }

    fn wrong(&mut self, claim: RegisteredClaim) {
        self.wrong_type.get_or_insert(claim);
    }
}

/// `exp` and `nbf`, as far as the policy asks for them.
pub(crate) fn validate_times(dates: &Dates, policy: &Policy, now_unix_seconds: u64) -> Result<(), Error> {
    if dates.expires_at.is_none() && policy.expiry_required {
        return Err(Error::ClaimMissing(RegisteredClaim::ExpiresAt));
    }
    if !policy.times_checked {
        return Ok(());
    }
    // RFC 7519 §4.1.4: "on or after" is too late.
    if let Some(NumericDate(expires_at)) = dates.expires_at
        && now_unix_seconds >= expires_at.saturating_add(policy.leeway_seconds)
    {
        return Err(Error::TokenExpired { ago_seconds: now_unix_seconds.saturating_sub(expires_at) });
    }
    if let Some(NumericDate(not_before)) = dates.not_before
        && now_unix_seconds.saturating_add(policy.leeway_seconds) < not_before
    {
        return Err(Error::TokenNotYetValid { in_seconds: not_before.saturating_sub(now_unix_seconds) });
    }
    Ok(())
}

/// RFC 9068 §4: exactly the same characters, without any normalisation.
fn validate_issuer(found: Option<&str>, policy: &Policy) -> Result<(), Error> {
    match (policy.issuer.as_deref(), found) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Error::ClaimMissing(RegisteredClaim::Issuer)),
        (Some(wanted), Some(found)) if wanted == found => Ok(()),
        (Some(_), Some(_)) => Err(Error::IssuerMismatch),
    }
}

/// RFC 7519 §4.1.3: a verifier that does not find itself in `aud` must refuse — also one that has no name for itself.
fn validate_audience(found: Option<&Audience<'_>>, policy: &Policy) -> Result<(), Error> {
    let AudienceRule::Among(ours) = &policy.audience else {
        return Ok(());
    };
    let Some(found) = found else {
        return if ours.is_empty() { Ok(()) } else { Err(Error::ClaimMissing(RegisteredClaim::Audience)) };
    };
    let is_ours = |audience: &str| ours.iter().any(|ours| **ours == *audience);
    let named = match found {
        Audience::One(audience) => is_ours(audience),
        Audience::Many(array) => {
            let mut named = false;
            json::strings(array, |audience| named |= is_ours(&audience));
            named
        }
    };
    if named { Ok(()) } else { Err(Error::AudienceMismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    const NOW: u64 = 1_000_000;

    fn policy() -> Policy {
        Policy::new(Algorithm::EdDsa).allow_missing_expiry()
    }

    #[test]
    fn expiry_is_on_or_after() {
        let strict = policy();
        let lenient = policy().leeway_seconds(30);
        for (exp, now, leeway_0, leeway_30) in [
            ("1000", 999, true, true),
            ("1000", 1000, false, true),
            ("1000", 1029, false, true),
            ("1000", 1030, false, false),
            ("1000.5", 1000, true, true),
            ("1000.5", 1001, false, true),
            ("1000.0", 1000, false, true),
            ("1e3", 999, true, true),
            ("1e3", 1000, false, true),
            ("9007199254740992", NOW, true, true),
            ("0", 0, false, true),
        ] {
            let claims = format!("{{\"exp\":{exp}}}");
            assert_eq!(validate(&claims, &strict, now).is_ok(), leeway_0, "exp {exp} at {now}");
            assert_eq!(validate(&claims, &lenient, now).is_ok(), leeway_30, "exp {exp} at {now} with leeway");
        }
        assert_eq!(validate("{\"exp\":1000}", &lenient, 1030), Err(Error::TokenExpired { ago_seconds: 30 }));
    }

    #[test]
    fn not_before_is_before() {
        let lenient = policy().leeway_seconds(30);
        for (nbf, now, leeway_0, leeway_30) in [
            ("1000", 999, false, true),
            ("1000", 1000, true, true),
            ("1000.5", 1000, false, true),
            ("1000", 969, false, false),
        ] {
            let claims = format!("{{\"nbf\":{nbf}}}");
            assert_eq!(validate(&claims, &policy(), now).is_ok(), leeway_0, "nbf {nbf} at {now}");
            assert_eq!(validate(&claims, &lenient, now).is_ok(), leeway_30, "nbf {nbf} at {now} with leeway");
        }
        assert_eq!(validate("{\"nbf\":1000}", &policy(), 990), Err(Error::TokenNotYetValid { in_seconds: 10 }));
    }

    #[test]
    fn no_leeway_overflows() {
        let boundless = policy().leeway_seconds(u64::MAX);
        assert!(validate("{\"exp\":5,\"nbf\":9007199254740992}", &boundless, u64::MAX - 1).is_ok());
    }

    #[test]
    fn wrong_types_are_refused_whatever_the_policy_asks() {
        use RegisteredClaim::*;
        let policy = policy().any_audience().ignore_times();
        for (claim, values) in [
            (ExpiresAt, ["\"1\"", "null", "-1", "1e400", "-0", "9007199254740994", "true"].as_slice()),
            (NotBefore, &["\"1\"", "{}", "-0.5"]),
            (IssuedAt, &["[1]", "\"now\"", "1e20"]),
            (Issuer, &["1", "null", "[\"a\"]"]),
            (Subject, &["1", "null", "{}"]),
            (TokenId, &["1", "[]"]),
            (Audience, &["1", "null", "{}", "[1]", "[\"a\",null]", "[[\"a\"]]"]),
        ] {
            for value in values {
                let claims = format!("{{\"{claim}\":{value}}}");
                assert_eq!(validate(&claims, &policy, NOW), Err(Error::ClaimWrongType(claim)), "{claims}");
            }
        }
    }

    #[test]
    fn issuer_and_audience_must_be_named() {
        let policy = policy().issuer("https://a").audience("api").audience("web");
        for (claims, expected) in [
            (r#"{"iss":"https://a","aud":"api"}"#, Ok(())),
            (r#"{"iss":"https:\/\/\u0061","aud":["x","web"]}"#, Ok(())),
            (r#"{"aud":"api"}"#, Err(Error::ClaimMissing(RegisteredClaim::Issuer))),
            (r#"{"iss":"https://a/","aud":"api"}"#, Err(Error::IssuerMismatch)),
            (r#"{"iss":"HTTPS://a","aud":"api"}"#, Err(Error::IssuerMismatch)),
            (r#"{"iss":"https://a"}"#, Err(Error::ClaimMissing(RegisteredClaim::Audience))),
            (r#"{"iss":"https://a","aud":"other"}"#, Err(Error::AudienceMismatch)),
            (r#"{"iss":"https://a","aud":"ap"}"#, Err(Error::AudienceMismatch)),
            (r#"{"iss":"https://a","aud":"api web"}"#, Err(Error::AudienceMismatch)),
            (r#"{"iss":"https://a","aud":[]}"#, Err(Error::AudienceMismatch)),
            (r#"{"iss":"https://a","aud":["API"]}"#, Err(Error::AudienceMismatch)),
        ] {
            assert_eq!(validate(claims, &policy, NOW).map(|_| ()), expected, "{claims}");
        }
    }

    #[test]
    fn a_nameless_verifier_refuses_tokens_for_somebody() {
        assert_eq!(validate(r#"{"aud":"api"}"#, &policy(), NOW), Err(Error::AudienceMismatch));
        assert!(validate(r#"{"aud":"api"}"#, &policy().any_audience(), NOW).is_ok());
        assert!(validate("{}", &policy(), NOW).is_ok());
    }

    #[test]
    fn expiry_is_required_unless_said_otherwise() {
        let missing = Err(Error::ClaimMissing(RegisteredClaim::ExpiresAt));
        assert_eq!(validate("{}", &Policy::new(Algorithm::EdDsa), NOW), missing);
        assert_eq!(validate("{}", &Policy::new(Algorithm::EdDsa).ignore_times(), NOW), missing);
        assert!(validate("{\"exp\":1}", &Policy::new(Algorithm::EdDsa).ignore_times(), NOW).is_ok());
    }

    #[test]
    fn the_callers_type_reads_dates_as_we_do() {
        for (json, expected) in
            [("1000", Some(1000)), ("1000.25", Some(1001)), ("1e3", Some(1000)), ("-1", None), ("\"1\"", None)]
        {
            let read = serde_json::from_str::<NumericDate>(json).ok().map(NumericDate::unix_seconds);
            assert_eq!(read, expected, "{json}");
            let ours = validate(&format!("{{\"iat\":{json}}}"), &policy(), NOW).ok().and_then(|dates| dates.issued_at);
            assert_eq!(ours.map(NumericDate::unix_seconds), expected, "{json}");
        }
        assert_eq!(serde_json::to_string(&NumericDate::from_unix_seconds(7)).unwrap(), "7");
    }
}
