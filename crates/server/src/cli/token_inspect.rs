//! `counterfoil token inspect`: what a token says, explained, without believing a word of it.

use std::io;

use clap::Args;
use counterfoil_jwt::{Algorithm, NumericDate, UnverifiedToken};
use serde_json::{Map, Value};

use super::EXIT_DONE;
use super::json_text::{compact, printable};
use super::streams::{Line, Streams};
use super::token_verify::refused;

/// Decode a token without a key and explain it. Nothing is verified: anybody can write such a token.
#[derive(Args)]
pub(super) struct InspectArgs {
    /// Print JSON for programs instead.
    #[arg(long)]
    json: bool,
    /// The time to reckon from, in seconds since 1970, instead of now.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
    /// The token; `-`, or nothing, reads it from standard input.
    token: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &InspectArgs, streams: &mut Streams<'_>, now_unix_seconds: u64) -> io::Result<u8> {
    let token = match args.token.as_deref() {
        Some(token) if token != "-" => token.to_owned(),
        _ => match streams.next_line()? {
            Some(Line::Text(line)) => line,
            Some(Line::NotText | Line::TooLong) | None => String::new(),
        },
    };
    // A person pastes with blanks around; what is checked for its form is what is left.
    let decoded = match UnverifiedToken::decode(token.trim()) {
        Ok(decoded) => decoded,
        Err(refusal) => return refused(refusal, streams),
    };
    let account = Account::of(&decoded, args.now.unwrap_or(now_unix_seconds));
    if args.json {
        account.write_json(&decoded, streams.out)?;
    } else {
        account.write_text(streams.out)?;
    }
    Ok(EXIT_DONE)
}

/// One line of the explanation.
struct Entry {
    name: String,
    value: String,
    meaning: String,
}

/// What there is to say about a token.
struct Account {
    header: Vec<Entry>,
    /// `None` if the payload is no claims set.
    claims: Option<Vec<Entry>>,
    payload_bytes: usize,
    signature_bytes: usize,
    warnings: Vec<String>,
}

impl Account {
    fn of(token: &UnverifiedToken, now: u64) -> Self {
        let header = object(token.header_json());
        let mut warnings = Vec::new();
        warn_about_header(&header, token.signature_bytes(), &mut warnings);
        let claims = match token.claims_json() {
            Ok(claims_json) => {
                let claims = object(claims_json);
                warn_about_claims(&claims, now, &mut warnings);
                Some(entries(&claims, CLAIM_ORDER, |name, value| claim_meaning(name, value, now)))
            }
            Err(refusal) => {
                warnings.push(format!("no claims to explain: {refusal}"));
                None
            }
        };
        Self {
            header: entries(&header, HEADER_ORDER, header_meaning),
            claims,
            payload_bytes: token.payload().len(),
            signature_bytes: token.signature_bytes(),
            warnings,
        }
    }

    fn write_text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(out, "Not verified: this is what the token says of itself, and anybody can write one.")?;
        writeln!(out, "To check it: counterfoil token verify --key FILE TOKEN")?;
        writeln!(out, "\nHeader")?;
        write_entries(&self.header, out)?;
        match &self.claims {
            Some(claims) => {
                writeln!(out, "\nClaims")?;
                write_entries(claims, out)?;
            }
            None => writeln!(out, "\nPayload: {} bytes", self.payload_bytes)?,
        }
        writeln!(out, "\nSignature: {} bytes, not checked", self.signature_bytes)?;
        if !self.warnings.is_empty() {
            writeln!(out, "\nMind")?;
            for warning in &self.warnings {
                writeln!(out, "  - {warning}")?;
            }
        }
        Ok(())
    }

    fn write_json(&self, token: &UnverifiedToken, out: &mut dyn io::Write) -> io::Result<()> {
        let claims = token.claims_json().map_or_else(|_| "null".to_owned(), compact);
        let header = compact(token.header_json());
        let warnings = serde_json::to_string(&self.warnings)?;
        writeln!(out, r#"{{"verified":false,"header":{header},"claims":{claims},"warnings":{warnings}}}"#)
    }
}

/// A thumbprint in quotes, and a little more.
const VALUE_WIDTH_MAX: usize = 48;

fn write_entries(entries: &[Entry], out: &mut dyn io::Write) -> io::Result<()> {
    if entries.is_empty() {
        return writeln!(out, "  (none)");
    }
    let width = |text: fn(&Entry) -> &str| entries.iter().map(|entry| text(entry).chars().count()).max().unwrap_or(0);
    let name_width = width(|entry| &entry.name);
    // Long values push their meaning to the right of themselves only, not of everything.
    let value_width = width(|entry| &entry.value).min(VALUE_WIDTH_MAX);
    for Entry { name, value, meaning } in entries {
        let line = format!("  {name:name_width$}  {value:value_width$}  {meaning}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The decoder has checked that this is one object. A number too large for the reader leaves nothing to explain.
fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

const HEADER_ORDER: &[&str] = &["alg", "typ", "kid"];
const CLAIM_ORDER: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// The known members in their usual order, then the others.
fn entries(object: &Map<String, Value>, order: &[&str], meaning: impl Fn(&str, &Value) -> String) -> Vec<Entry> {
    let known = order.iter().filter_map(|name| object.get_key_value(*name));
    let others = object.iter().filter(|(name, _)| !order.contains(&name.as_str()));
    let entry = |(name, value): (&String, &Value)| Entry {
        name: printable(name),
        value: printable(&value.to_string()),
        meaning: meaning(name, value),
    };
    known.chain(others).map(entry).collect()
}

fn header_meaning(name: &str, value: &Value) -> String {
    match (name, value.as_str()) {
        ("alg", Some(name)) => match name.parse::<Algorithm>() {
            Ok(algorithm) if algorithm.is_symmetric() => "signed with a shared secret".into(),
            Ok(_) => "signed with a private key".into(),
            Err(_) => "no signature algorithm known here".into(),
        },
        ("typ", Some(name)) if name.eq_ignore_ascii_case("at+jwt") => "the type: an access token (RFC 9068)".into(),
        ("typ", _) => "the type of token".into(),
        ("kid", _) => "which key signed; proves nothing by itself".into(),
        ("cty", _) => "the type of the payload".into(),
        ("crit", _) => "extensions that must be understood".into(),
        ("jwk" | "jku" | "x5u" | "x5c", _) => "a key that the token offers for itself; never use it".into(),
        _ => String::new(),
    }
}

fn claim_meaning(name: &str, value: &Value, now: u64) -> String {
    let date = || match date(value) {
        Some(date) => format!("{}, {}", date_text(date), distance(date.unix_seconds(), now)),
        None => "not a date".into(),
    };
    match name {
        "iss" => "who signed it".into(),
        "sub" => "whom it speaks about".into(),
        "aud" => "for whom it is".into(),
        "exp" => match date_of(value, now) {
            Some((date, true)) => format!("ended {date}"),
            Some((date, false)) => format!("ends {date}"),
            None => "the end; not a date".into(),
        },
        "nbf" => format!("not before {}", date()),
        "iat" => format!("signed {}", date()),
        "auth_time" => format!("signed in {}", date()),
        "jti" => "the token's own id".into(),
        "client_id" => "the application it was issued to".into(),
        "scope" => "what it may do".into(),
        "sid" => "the session it belongs to".into(),
        "gen" => "the account's generation; signing out everywhere raises it".into(),
        "cnf" => "bound to a key (RFC 7800)".into(),
        "amr" => "how they signed in".into(),
        _ => String::new(),
    }
}

fn date(value: &Value) -> Option<NumericDate> {
    serde_json::from_value(value.clone()).ok()
}

/// A date with its distance, and whether it has passed.
fn date_of(value: &Value, now: u64) -> Option<(String, bool)> {
    let date = date(value)?;
    let words = format!("{}, {}", date_text(date), distance(date.unix_seconds(), now));
    Some((words, date.unix_seconds() <= now))
}

fn date_text(date: NumericDate) -> String {
    let timestamp =
        i64::try_from(date.unix_seconds()).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    timestamp.map_or_else(|| "after the year 9999".into(), |timestamp| timestamp.to_string())
}

/// "in 12 min", "3 days ago": the largest unit of which there are two, or one and nothing smaller to say.
fn distance(then: u64, now: u64) -> String {
    let seconds = then.abs_diff(now);
    let words = match seconds {
        0 => return "now".into(),
        1..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        172_800..63_072_000 => format!("{} days", seconds / 86_400),
        _ => format!("{} years", seconds / 31_536_000),
    };
    if then > now { format!("in {words}") } else { format!("{words} ago") }
}

fn warn_about_header(header: &Map<String, Value>, signature_bytes: usize, warnings: &mut Vec<String>) {
    match header.get("alg").and_then(Value::as_str) {
        None => warnings.push("there is no alg: no verifier can accept this".into()),
        Some(name) if name.trim().eq_ignore_ascii_case("none") => {
            warnings.push("alg is none: the token is not signed, and no verifier must accept it".into());
        }
        Some(_) if signature_bytes == 0 => warnings.push("the signature is empty".into()),
        Some(_) => {}
    }
    for name in ["jwk", "jku", "x5u", "x5c"] {
        if header.contains_key(name) {
            warnings.push(format!("{name} offers a key; a verifier must use its own (RFC 8725 §3.10)"));
        }
    }
    if header.contains_key("crit") {
        warnings.push("crit names extensions; a verifier that does not know them must refuse".into());
    }
}

fn warn_about_claims(claims: &Map<String, Value>, now: u64, warnings: &mut Vec<String>) {
    match claims.get("exp").map(|exp| date_of(exp, now)) {
        None => warnings.push("there is no exp: the token never ends by itself".into()),
        Some(None) => warnings.push("exp is not a date: no verifier can accept this".into()),
        Some(Some((_, true))) => warnings.push("the token has ended".into()),
        Some(Some((_, false))) => {}
    }
    if claims.get("nbf").and_then(date).is_some_and(|not_before| not_before.unix_seconds() > now) {
        warnings.push("the token is not valid yet".into());
    }
    if !claims.contains_key("aud") {
        warnings.push("there is no aud: nothing says for whom the token is".into());
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_jwt::{Signer, SigningKey, sign};
    use serde_json::json;

    use super::super::streams::tests::with_input;
    use super::*;

    const NOW: u64 = 1_750_000_000;

    fn inspect(token: &str, json: bool) -> (u8, String, String) {
        let args = InspectArgs { json, now: None, token: Some(token.into()) };
        with_input("", |streams| run(&args, streams, NOW))
    }

    #[test]
    fn each_claim_is_explained_and_the_end_is_said_in_words() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let claims = json!({
            "iss": "https://login.example", "aud": "api", "sub": "alice", "exp": NOW + 750, "nbf": NOW - 30, "iat": NOW - 90_000 * 2,
        });
        let (status, out, err) = inspect(&sign(&key, "at+jwt", &claims).unwrap(), false);
        assert_eq!((status, err.as_str()), (0, ""));
        assert!(out.starts_with("Not verified: "), "{out}");
        for line in [
            "  alg  \"EdDSA\"",
            "  typ  \"at+jwt\"",
            "an access token (RFC 9068)",
            "  iss  \"https://login.example\"  who signed it",
            "ends 2025-06-15T15:19:10Z, in 12 min",
            "not before 2025-06-15T15:06:10Z, 30 s ago",
            "signed 2025-06-13T13:06:40Z, 2 days ago",
            "Signature: 64 bytes, not checked",
        ] {
            assert!(out.contains(line), "{line:?} is not in:\n{out}");
        }
        assert!(!out.contains("Mind"), "{out}");
    }

    #[test]
    fn what_to_mind() {
        let (status, out, _) = inspect("eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", false);
        assert_eq!(status, 0);
        for line in
            ["alg is none: the token is not signed", "there is no exp: the token never ends by itself", "no aud"]
        {
            assert!(out.contains(line), "{line:?} is not in:\n{out}");
        }
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let token = sign(&key, "JWT", &json!({"exp": NOW - 7200, "aud": "x"})).unwrap();
        assert!(inspect(&token, false).1.contains("2 h ago"));
        assert!(inspect(&token, false).1.contains("the token has ended"));
        let token = Signer::new(&key).sign_bytes(b"\xff\xfe").unwrap();
        let out = inspect(&token, false).1;
        assert!(
            out.contains("Payload: 2 bytes") && out.contains("no claims to explain: the payload is not UTF-8"),
            "{out}"
        );
    }

    #[test]
    fn programs_get_json() {
        let (_, out, _) = inspect("eyJhbGciOiJub25lIn0.eyJhIjoxLjUwfQ.", true);
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&json["verified"], &json["header"]["alg"]), (&json!(false), &json!("none")));
        assert!(out.contains("\"claims\":{\"a\":1.50}"), "{out}");
    }

    #[test]
    fn a_token_does_not_write_to_the_terminal() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let token = sign(&key, "JWT", &json!({"exp": NOW, "aud": "x", "\u{9b}31m": "\u{202e}x\u{1b}[0m"})).unwrap();
        let out = inspect(&token, false).1;
        assert!(
            out.chars().all(|character| character == '\n' || !character.is_control() && character != '\u{202e}'),
            "{out}"
        );
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let (status, out, err) = inspect("a.b", false);
        assert_eq!((status, out.as_str()), (1, ""));
        assert!(err.starts_with("refused: not_a_compact_jws: "), "{err}");
        let args = InspectArgs { json: false, now: None, token: None };
        let (status, out, _) = with_input(" eyJhbGciOiJub25lIn0.eyJhIjoxfQ.\n", |streams| run(&args, streams, NOW));
        assert_eq!(status, 0);
        assert!(out.contains("Claims"));
    }

    #[test]
    fn distances_are_rounded_down() {
        for (seconds, words) in [
            (0, "now"),
            (1, "in 1 s"),
            (119, "in 119 s"),
            (120, "in 2 min"),
            (750, "in 12 min"),
            (7_199, "in 119 min"),
            (7_200, "in 2 h"),
            (172_800, "in 2 days"),
            (63_072_000, "in 2 years"),
        ] {
            assert_eq!(distance(NOW + seconds, NOW), words);
        }
        assert_eq!(distance(NOW - 60, NOW), "60 s ago");
    }
}
