//! `token` and `jwk`: offline.

use crate::{run, run_in};
use std::path::Path;

fn generate(folder: &Path, algorithm: &str) {
    let arguments = ["jwk", "generate", "--alg", algorithm, "--out", "key.jwk", "--public-out", "public.jwk"];
    run(folder, &arguments, "").expect(0);
}

fn sign(folder: &Path, claims: &str) -> String {
    run(folder, &["token", "sign", "--key", "key.jwk", claims], "").expect(0).out.trim_end().to_owned()
}

#[test]
fn what_one_key_signs_its_public_half_verifies() {
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        let folder = tempfile::tempdir().unwrap();
        generate(folder.path(), algorithm);
        let token = sign(folder.path(), r#"{"iss":"a","aud":"b","exp":2000000000}"#);
        let verify = ["token", "verify", "--key", "public.jwk", "--issuer", "a", "--audience", "b", &token];
        let accepted = run(folder.path(), &verify, "").expect(0);
        assert_eq!(accepted.json()["claims"]["iss"], "a");
        assert_eq!(accepted.json()["header"]["alg"], algorithm);
        assert!(accepted.err.is_empty());
        let thumbprint = run(folder.path(), &["jwk", "thumbprint", "public.jwk"], "").expect(0).out;
        assert_eq!(accepted.json()["header"]["kid"], thumbprint.trim_end());
    }
}

#[test]
fn refusals_print_nothing_but_the_code() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), "EdDSA");
    let token = sign(folder.path(), r#"{"iss":"a","aud":"b","exp":2000000000,"nbf":1000}"#);
    let (start, end) = token.split_at(token.len() - 4);
    let forged = format!("{start}{}", if end == "AAAA" { "AAAB" } else { "AAAA" });
    for (arguments, code) in [
        (vec!["--now", "2000000000", &token], "token_expired"),
        (vec!["--now", "999", &token], "token_not_yet_valid"),
        (vec!["--issuer", "b", &token], "issuer_mismatch"),
        (vec!["--audience", "c", &token], "audience_mismatch"),
        (vec!["--type", "at+jwt", &token], "type_mismatch"),
        (vec!["--alg", "ES256", &token], "algorithm_not_allowed"),
        (vec![&forged], "signature_invalid"),
        (vec!["a.b"], "not_a_compact_jws"),
        (vec!["eyJhbGciOiJub25lIn0.e30."], "algorithm_none"),
    ] {
        let arguments = [&["token", "verify", "--key", "public.jwk"][..], &arguments].concat();
        let refused = run(folder.path(), &arguments, "").expect(1);
        assert!(refused.out.is_empty());
        assert!(refused.err.starts_with(&format!("refused: {code}: ")), "{}", refused.err);
    }
    let leeway = ["token", "verify", "--key", "public.jwk", "--now", "2000000029", "--leeway", "30", &token];
    run(folder.path(), &leeway, "").expect(0);
}

#[test]
fn a_stream_of_tokens_is_answered_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), "ES256");
    let good = sign(folder.path(), r#"{"exp":2000000000}"#);
    let lines = 10_000;
    let input: String =
        (0..lines).map(|line| if line % 100 == 7 { "nonsense\n".to_owned() } else { format!("{good}\n") }).collect();
    let verify = ["token", "verify", "--key", "public.jwk", "-"];
    let ended = run(folder.path(), &verify, &input).expect(1);
    assert_eq!(ended.out.lines().count(), lines);
    for (number, line) in ended.out.lines().enumerate() {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(answer["ok"], number % 100 != 7, "line {number}: {line}");
    }
    run(folder.path(), &verify, &format!("{good}\n")).expect(0);
}

#[test]
fn a_signature_can_be_checked_without_claims() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), "EdDSA");
    let token = sign(folder.path(), r#"{"exp":1}"#);
    let verify = ["token", "verify", "--key", "public.jwk", "--signature-only", &token];
    assert_eq!(run(folder.path(), &verify, "").expect(0).json()["payload_base64url"], "eyJleHAiOjF9");
}

#[test]
fn secrets_stay_in_private_files_that_are_never_written_over() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), "EdDSA");
    let key = folder.path().join("key.jwk");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&key).unwrap();
    run(folder.path(), &["jwk", "generate", "--out", "key.jwk"], "").expect(2);
    assert_eq!(std::fs::read(&key).unwrap(), before);
}

#[test]
fn inspecting_says_that_nothing_was_verified() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), "EdDSA");
    let token = sign(folder.path(), r#"{"iss":"a","exp":1000}"#);
    for shown in
        [run(folder.path(), &["token", "inspect", &token], ""), run(folder.path(), &["token", "inspect", "-"], &token)]
    {
        let shown = shown.expect(0).out;
        assert!(
            shown.contains("Not verified") && shown.contains("who signed it") && shown.contains("ended"),
            "{shown}"
        );
    }
    run(folder.path(), &["token", "inspect", "nonsense"], "").expect(1);
}

#[test]
fn inspecting_goes_by_locale_time_zone_and_colour_wishes() {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), "EdDSA");
    let token = sign(folder.path(), r#"{"iss":"a","exp":1000000000}"#);
    let shown = |environment: &[(&str, &str)]| {
        run_in(environment, folder.path(), &["token", "inspect", &token], "").expect(0).out
    };
    let korean = shown(&[("LANG", "ko_KR.UTF-8"), ("TZ", "KST-9")]);
    assert!(korean.contains("2001-09-09 10:46:40 +09:00에 만료됨") && !korean.contains('\u{1b}'), "{korean}");
    let english = shown(&[("LC_ALL", "C"), ("LANG", "ko_KR.UTF-8"), ("TZ", "UTC0"), ("CLICOLOR_FORCE", "1")]);
    assert!(english.contains("ended 2001-09-09 01:46:40 +00:00") && english.contains('\u{1b}'), "{english}");
    let plain = shown(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn an_algorithm_that_there_is_not_is_answered_with_those_that_there_are() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["token", "verify", "--key", "k", "--alg", "FOO", "a.b.c"] as &[&str],
        &["token", "sign", "--key", "k", "--alg", "FOO", "{}"],
        &["jwk", "generate", "--alg", "FOO"],
        &["jwk", "convert", "--alg", "FOO", "k"],
    ] {
        let ended = run(folder.path(), arguments, "").expect(2);
        let names = ["HS256", "RS384", "ES256", "PS512", "EdDSA", "Ed25519"];
        assert!(names.iter().all(|name| ended.err.contains(name)), "{}", ended.err);
    }
}

#[test]
fn a_private_key_that_a_standard_prints_verifies_and_does_not_sign() {
    let folder = tempfile::tempdir().unwrap();
    // RFC 8037, appendix A.
    let key = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    std::fs::write(folder.path().join("rfc.jwk"), key).unwrap();
    let refused = run(folder.path(), &["token", "sign", "--key", "rfc.jwk", "{}"], "").expect(1);
    assert!(refused.err.starts_with("refused: key_well_known: ") && refused.out.is_empty(), "{}", refused.err);
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    run(folder.path(), &["token", "verify", "--key", "rfc.jwk", "--signature-only", token], "").expect(0);
}

#[test]
fn a_file_that_is_not_there_is_the_environments_fault() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["token", "verify", "--key", "missing.jwk", "a.b.c"], "").expect(2);
    assert!(ended.err.contains("missing.jwk"), "{}", ended.err);
}
