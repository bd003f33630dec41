//! `counterfoil token verify`: one token, or one a line, against a key and what it must say.

use std::io;

use clap::Args;
use counterfoil_jwt::{
    Algorithm, AlgorithmSet, Error, KeySet, Policy, UnverifiedToken, VerifyingKey, verify, verify_signature,
};
use serde::de::IgnoredAny;

use super::algorithm_name::AlgorithmName;
use super::json_text::compact;
use super::key_file::KeyArgs;
use super::refusal::{Expected, members, refused, refused_saying, sentence};
use super::streams::{Line, Streams};
use super::{EXIT_DONE, EXIT_REFUSED, EXIT_USAGE};

/// Verify a token with a key. Accepted: its header and claims as JSON. Refused: the reason, and exit status 1.
#[derive(Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// An algorithm to allow; may be repeated. By default those of the keys. `Ed25519` also allows that name in tokens.
    #[arg(long, value_name = "ALG")]
    alg: Vec<AlgorithmName>,
    /// Check the signature only, and print the payload whatever it is.
    #[arg(long, conflicts_with_all = ["issuer", "audience"])]
    signature_only: bool,
    /// What `iss` must be.
    #[arg(long, value_name = "X")]
    issuer: Option<String>,
    /// What `aud` must name; may be repeated, then one of them. Without it `aud` is not checked.
    #[arg(long, value_name = "X")]
    audience: Vec<String>,
    /// What `typ` must be, such as `at+jwt`.
    #[arg(long = "type", value_name = "T")]
    token_type: Option<String>,
    /// How far clocks may differ.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    leeway: u64,
    /// Accept a token without `exp`.
    #[arg(long)]
    allow_missing_expiry: bool,
    /// The time to judge by, in seconds since 1970, instead of now.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
    /// The token; `-`, or nothing, reads one token a line and answers with one JSON line each.
    token: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &VerifyArgs, streams: &mut Streams<'_>, now_unix_seconds: u64) -> io::Result<u8> {
    let key_file = match args.key.read() {
        Ok(key_file) => key_file,
        Err(error) => {
            writeln!(streams.err, "counterfoil: {error}")?;
            return Ok(EXIT_USAGE);
        }
    };
    let asked: Vec<Algorithm> = args.alg.iter().map(|name| name.algorithm).collect();
    let verifier = key_file.verifying_keys(&asked).map(|keys| Verifier {
        policy: policy(args, &keys),
        keys,
        args,
        now_unix_seconds: args.now.unwrap_or(now_unix_seconds),
    });
    match args.token.as_deref() {
        Some(token) if token != "-" => one(token, verifier, streams),
        _ => each_line(&verifier, streams),
    }
}

/// What was asked for, and nothing more: a check that is not named on the command line is not made, but for the times.
fn policy(args: &VerifyArgs, keys: &KeySet) -> Policy {
    let asked = args.alg.iter().map(|name| name.algorithm);
    let algorithms: AlgorithmSet =
        if args.alg.is_empty() { keys.iter().map(VerifyingKey::algorithm).collect() } else { asked.collect() };
    let mut policy = Policy::new(algorithms).leeway_seconds(args.leeway);
    if args.alg.iter().any(|name| name.is_newer_name) {
        policy = policy.allow_ed25519_name();
    }
    if let Some(issuer) = &args.issuer {
        policy = policy.issuer(issuer.as_str());
    }
    if args.audience.is_empty() {
        policy = policy.any_audience();
    }
    for audience in &args.audience {
        policy = policy.audience(audience.as_str());
    }
    if let Some(token_type) = &args.token_type {
        policy = policy.token_type(token_type.as_str());
    }
    if args.allow_missing_expiry {
        policy = policy.allow_missing_expiry();
    }
    policy
}

struct Verifier<'a> {
    keys: KeySet,
    policy: Policy,
    args: &'a VerifyArgs,
    now_unix_seconds: u64,
}

/// A refusal's code, and what there is to say about it.
type Refusal = (&'static str, String);

impl Verifier<'_> {
    /// The members of the JSON object that says the token is good.
    fn verify(&self, token: &str) -> Result<String, Refusal> {
        self.judge(token).map_err(|refusal| (refusal.code(), self.expected().sentence(refusal, token)))
    }

    fn judge(&self, token: &str) -> Result<String, Error> {
        if self.args.signature_only {
            verify_signature(token, &self.keys, &self.policy)?;
        } else {
            verify::<IgnoredAny>(token, &self.keys, &self.policy, self.now_unix_seconds)?;
        }
        // Verified above; decoded once more for its text, which is printed as it was spelt.
        let decoded = UnverifiedToken::decode(token)?;
        let header = compact(decoded.header_json());
        if self.args.signature_only {
            let payload = token.split('.').nth(1).unwrap_or_default();
            Ok(format!(r#""header":{header},"payload_base64url":"{payload}""#))
        } else {
            Ok(format!(r#""header":{header},"claims":{}"#, compact(decoded.claims_json()?)))
        }
    }

    fn expected(&self) -> Expected<'_> {
        Expected {
            algorithms: self.policy.algorithms(),
            token_type: self.args.token_type.as_deref(),
            issuer: self.args.issuer.as_deref(),
            audiences: &self.args.audience,
            keys: &self.keys,
        }
    }
}

fn said(refusal: Error) -> Refusal {
    (refusal.code(), sentence(refusal))
}

fn one(token: &str, verifier: Result<Verifier<'_>, Error>, streams: &mut Streams<'_>) -> io::Result<u8> {
    match verifier.map_err(said).and_then(|verifier| verifier.verify(token)) {
        Ok(members) => {
            writeln!(streams.out, "{{{members}}}")?;
            Ok(EXIT_DONE)
        }
        Err((code, sentence)) => refused_saying(code, &sentence, streams),
    }
}

/// An answer for every line, also when it is the key that is refused: whoever feeds tokens in reads answers out.
fn each_line(verifier: &Result<Verifier<'_>, Error>, streams: &mut Streams<'_>) -> io::Result<u8> {
    let mut status = EXIT_DONE;
    if let Err(refusal) = verifier {
        status = refused(*refusal, streams)?;
    }
    let mut number = 0;
    while let Some(line) = streams.next_line()? {
        number += 1;
        let verdict = match (verifier, line) {
            (Err(refusal), _) => Err(said(*refusal)),
            (Ok(verifier), Line::Text(token)) => verifier.verify(&token),
            (Ok(_), Line::NotText) => Err(said(Error::NotACompactJws)),
            (Ok(_), Line::TooLong) => {
                Err(said(Error::TooLarge { what: "token", limit_bytes: Policy::DEFAULT_MAX_TOKEN_BYTES }))
            }
        };
        match verdict {
            Ok(members) => writeln!(streams.out, r#"{{"ok":true,{members}}}"#)?,
            Err((code, sentence)) => {
                writeln!(streams.out, r#"{{"ok":false,{}}}"#, members(code, &sentence, number))?;
                status = EXIT_REFUSED;
            }
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;
    use counterfoil_jwt::{SigningKey, sign};
    use serde_json::json;

    use super::super::streams::tests::with_input;
    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: VerifyArgs,
    }

    const NOW: u64 = 1_750_000_000;

    fn verify_with(options: &[&str], input: &str) -> (u8, String, String) {
        let command =
            Command::try_parse_from([&["verify"], options].concat()).unwrap_or_else(|error| panic!("{error}"));
        with_input(input, |streams| run(&command.args, streams, NOW))
    }

    fn key_in(folder: &Path, algorithm: Algorithm) -> (SigningKey, String) {
        let key = SigningKey::generate(algorithm).unwrap();
        let path = folder.join(format!("{algorithm}.jwk"));
        std::fs::write(&path, key.to_private_jwk().unwrap().as_str()).unwrap();
        (key, path.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_good_token_is_printed_and_a_bad_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (key, file) = key_in(folder.path(), Algorithm::EdDsa);
        let token = sign(&key, "at+jwt", &json!({"aud": "api", "exp": NOW + 10, "iss": "me"})).unwrap();
        let kid = key.key_id().unwrap();
        let good = format!(
            "{{\"header\":{{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"{kid}\"}},\"claims\":{{\"aud\":\"api\",\"exp\":1750000010,\"iss\":\"me\"}}}}\n"
        );
        let options =
            ["--key", &file, "--issuer", "me", "--audience", "api", "--type", "at+jwt", "--alg", "EdDSA", &token];
        assert_eq!(verify_with(&options, ""), (0, good.clone(), String::new()));
        assert_eq!(
            verify_with(&["--key", &file, &token], ""),
            (0, good.clone(), String::new()),
            "checks only what is named"
        );

        for (options, code) in [
            (&["--issuer", "you"] as &[&str], "issuer_mismatch"),
            (&["--audience", "web"], "audience_mismatch"),
            (&["--type", "JWT"], "type_mismatch"),
            (&["--alg", "ES256"], "algorithm_not_allowed"),
            (&["--now", "1750000010"], "token_expired"),
        ] {
            let (status, out, err) = verify_with(&[&["--key", &file], options, &[&token]].concat(), "");
            assert_eq!((status, out.as_str()), (1, ""), "{code}");
            assert!(err.starts_with(&format!("refused: {code}: ")), "{err}");
        }
        for (now, words) in [
            (NOW + 10, "the token expired just now (claim `exp`)"),
            (NOW + 70, "the token expired 60 s ago (claim `exp`)"),
            (NOW + 204_747_910, "the token expired 6 years ago (claim `exp`)"),
        ] {
            let (_, _, err) = verify_with(&["--key", &file, "--now", &now.to_string(), &token], "");
            assert_eq!(err, format!("refused: token_expired: {words}\n"));
        }
        let later = ["--key", &file, "--now", "1750000015", "--leeway", "6", &token];
        assert_eq!(verify_with(&later, ""), (0, good, String::new()));
    }

    #[test]
    fn a_refusal_says_what_was_expected_and_what_was_found() {
        let folder = tempfile::tempdir().unwrap();
        let (key, file) = key_in(folder.path(), Algorithm::EdDsa);
        let (_, other) = key_in(folder.path(), Algorithm::Es256);
        let token = sign(&key, "at+jwt", &json!({"aud": ["api", "web"], "exp": NOW + 10, "iss": "me\u{1b}"})).unwrap();
        let bare = sign(&key, "JWT", &json!({"exp": NOW + 10})).unwrap();
        let kid = key.key_id().unwrap();
        for (token, options, said) in [
            (&token, &["--issuer", "you"] as &[&str], r#"the claim `iss` is "me\u001b", expected "you""#),
            (
                &token,
                &["--audience", "a", "--audience", "b"],
                r#"the claim `aud` is ["api","web"], expected "a" or "b""#,
            ),
            (&token, &["--type", "JWT"], r#"the header's `typ` is "at+jwt", expected "JWT""#),
            (
                &token,
                &["--alg", "RS256", "--alg", "ES256"],
                r#"the header's `alg` is "EdDSA", expected RS256 or ES256"#,
            ),
            (&bare, &["--issuer", "you"], r#"the claim `iss` is missing, expected "you""#),
            (&bare, &["--audience", "a"], r#"the claim `aud` is missing, expected "a""#),
        ] {
            let options = [&["--key", &file], options].concat();
            let (_, _, err) = verify_with(&[options.as_slice(), &[token]].concat(), "");
            assert!(err.ends_with(&format!(": {said}\n")), "{err}");
            let (_, out, _) = verify_with(&[options.as_slice(), &["-"]].concat(), token);
            let line: serde_json::Value = serde_json::from_str(&out).unwrap();
            assert_eq!((&line["text"], &line["line"]), (&json!(said), &json!(1)));
        }
        let (_, _, err) = verify_with(&["--key", &other, "--alg", "EdDSA", "--alg", "ES256", &token], "");
        assert!(err.contains(&format!("the header's `kid` is \"{kid}\", expected \"")), "{err}");
    }

    #[test]
    fn expiry_may_be_waived_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (key, file) = key_in(folder.path(), Algorithm::Es256);
        let token = sign(&key, "JWT", &json!({})).unwrap();
        assert!(verify_with(&["--key", &file, &token], "").2.starts_with("refused: claim_missing: "));
        assert_eq!(verify_with(&["--key", &file, "--allow-missing-expiry", &token], "").0, 0);
    }

    #[test]
    fn lines_are_answered_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let (key, file) = key_in(folder.path(), Algorithm::Hs256);
        let token = sign(&key, "JWT", &json!({"exp": NOW + 10})).unwrap();
        let input = format!("{token}\n\n{token}x\r\n{token}");
        let (status, out, err) = verify_with(&["--key", &file, "-"], &input);
        assert_eq!((status, err.as_str()), (1, ""));
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with(r#"{"ok":true,"header":{"alg":"HS256""#) && lines[0] == lines[3]);
        assert_eq!(
            lines[1],
            r#"{"ok":false,"code":"not_a_compact_jws","text":"a signed token has three parts joined by dots","line":2}"#
        );
        assert!(lines[2].starts_with(r#"{"ok":false,"code":"signature_invalid","text":"the signature "#), "{out}");
        assert!(lines[2].ends_with(r#","line":3}"#), "{out}");
        assert_eq!(verify_with(&["--key", &file], &format!("{token}\n")).0, 0);
    }

    #[test]
    fn the_signature_alone_and_the_rfc_example_with_its_line_breaks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a1.jwk");
        let jwk = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
        std::fs::write(&path, jwk).unwrap();
        let file = path.to_str().unwrap();
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let (_, out, _) = verify_with(&["--key", file, "--signature-only", token], "");
        let payload = token.split('.').nth(1).unwrap();
        assert_eq!(
            out,
            format!("{{\"header\":{{\"typ\":\"JWT\",\"alg\":\"HS256\"}},\"payload_base64url\":\"{payload}\"}}\n")
        );
        let (_, out, _) = verify_with(&["--key", file, "--now", "1300819379", token], "");
        assert_eq!(
            out,
            "{\"header\":{\"typ\":\"JWT\",\"alg\":\"HS256\"},\"claims\":{\"iss\":\"joe\",\"exp\":1300819380,\"http://example.com/is_root\":true}}\n"
        );
        assert!(verify_with(&["--key", file, token], "").2.starts_with("refused: token_expired: "));
    }

    #[test]
    fn key_files_are_the_environment_and_keys_are_judged() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let (status, out, err) = verify_with(&["--key", missing.to_str().unwrap(), "a.b.c"], "");
        assert_eq!((status, out.as_str()), (2, ""));
        assert!(err.contains("missing"), "{err}");

        let weak = folder.path().join("weak");
        std::fs::write(&weak, "short\n").unwrap();
        let options = ["--secret-file", weak.to_str().unwrap()];
        let (status, out, err) = verify_with(&[options.as_slice(), &["a.b.c"]].concat(), "");
        assert_eq!((status, out.as_str()), (1, ""));
        assert!(err.starts_with("refused: key_too_weak: "), "{err}");
        let (status, out, _) = verify_with(&options, "a.b.c\nd.e.f\n");
        assert_eq!((status, out.lines().count()), (1, 2));
        assert!(out.lines().all(|line| line.starts_with(r#"{"ok":false,"code":"key_too_weak","text":"#)), "{out}");
    }

    #[test]
    fn usage_is_checked() {
        for wrong in [
            &["a.b.c"] as &[&str],
            &["--key", "a", "--secret-file", "b", "a.b.c"],
            &["--key", "a", "--alg", "none", "a.b.c"],
            &["--key", "a", "--signature-only", "--issuer", "x", "a.b.c"],
            &["--key", "a", "--now", "yesterday", "a.b.c"],
        ] {
            assert!(Command::try_parse_from([&["verify"], wrong].concat()).is_err(), "{wrong:?}");
        }
    }
}
