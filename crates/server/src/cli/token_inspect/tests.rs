//! The command from its arguments to what it writes.

use clap::Parser;
use counterfoil_jwt::{Algorithm, Signer, SigningKey, sign};
use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};

use super::super::language::Language;
use super::super::streams::tests::{with_input, with_input_on};
use super::super::terminal::Terminal;
use super::*;

const NOW: u64 = 1_750_000_000;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: InspectArgs,
}

fn args(arguments: &[&str]) -> InspectArgs {
    Command::try_parse_from([&["inspect"], arguments].concat()).unwrap().args
}

fn inspect(token: &str, json: bool) -> (u8, String, String) {
    let args = InspectArgs { json, now: None, token: vec![token.into()] };
    with_input("", |streams| run(&args, streams, NOW))
}

#[test]
fn each_claim_is_explained_and_the_end_is_said_in_words() {
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let claims = json!({
        "iss": "https://login.example", "aud": "api", "sub": "alice", "exp": NOW + 750, "nbf": NOW - 30, "iat": NOW - 80_000,
    });
    let (status, out, err) = inspect(&sign(&key, "at+jwt", &claims).unwrap(), false);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("Not verified: "), "{out}");
    for line in [
        "  alg  \"EdDSA\"",
        "  typ  \"at+jwt\"",
        "an access token (RFC 9068)",
        "  iss  \"https://login.example\"  who signed it",
        "ends 2025-06-15 15:19:10 +00:00, in 12 min",
        "not before 2025-06-15 15:06:10 +00:00, 30 s ago",
        "signed 2025-06-14 16:53:20 +00:00, 22 h ago",
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
    for line in ["alg is none: the token is not signed", "there is no exp: the token never ends by itself", "no aud"] {
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
    let args = InspectArgs { json: false, now: None, token: Vec::new() };
    let (status, out, _) = with_input(" eyJhbGciOiJub25lIn0.eyJhIjoxfQ.\n", |streams| run(&args, streams, NOW));
    assert_eq!(status, 0);
    assert!(out.contains("Claims"));
}

#[test]
fn standard_input_has_one_token_a_line() {
    let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.";
    let input = format!("{token}\n\nBearer {token}\r\nnonsense\ncfr_AAAA\n{token}");
    let (status, out, err) = with_input(&input, |streams| run(&args(&["-"]), streams, NOW));
    assert_eq!((status, out.matches("Not verified").count()), (1, 3), "{out}");
    let refusals: Vec<_> = err.lines().collect();
    assert_eq!(refusals.len(), 2, "{err}");
    assert!(refusals[0].starts_with("refused: not_a_compact_jws: ") && refusals[0].ends_with(" (line 4)"), "{err}");
    assert!(refusals[1].starts_with("refused: refresh_token: ") && refusals[1].ends_with(" (line 5)"), "{err}");

    let (status, out, err) = with_input(&input, |streams| run(&args(&["--json", "-"]), streams, NOW));
    assert_eq!((status, err.as_str()), (1, ""));
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<_> = answers.iter().map(|answer| (answer["code"].as_str(), answer["line"].as_u64())).collect();
    let refused = |code, line| (Some(code), Some(line));
    let not_a_token = |line| refused("not_a_compact_jws", line);
    let good = (None, None);
    assert_eq!(found, [good, not_a_token(2), good, not_a_token(4), refused("refresh_token", 5), good]);
    assert!(answers[3]["text"].as_str().is_some_and(|text| text.contains("three parts")));

    for nothing in ["", "\n\n"] {
        let (status, out, err) = with_input(nothing, |streams| run(&args(&[]), streams, NOW));
        assert_eq!((status, out.as_str()), (1, ""));
        assert!(err.starts_with("refused: not_a_compact_jws: "), "{err}");
    }
    let typing = Terminal { asks_a_person: true, ..Terminal::plain() };
    let (_, out, _) = with_input_on(&typing, &input, |streams| run(&args(&[]), streams, NOW));
    assert_eq!(out.matches("Not verified").count(), 1, "a person waits for the answer");
}

#[test]
fn korean_where_the_locale_says_so_and_programs_get_english() {
    let key = SigningKey::generate(Algorithm::Hs256).unwrap();
    let claims = json!({"iss": "a", "exp": NOW + 750, "email": "minsu@example.com"});
    let token = sign(&key, "JWT", &claims).unwrap();
    let zone = TimeZone::fixed(Offset::constant(9));
    let korean = Terminal { language: Language::Korean, zone, ..Terminal::plain() };
    let (_, out, _) = with_input_on(&korean, "", |streams| run(&args(&[&token]), streams, NOW));
    for line in [
        "검증하지 않았습니다.",
        "헤더\n  alg  \"HS256\"",
        "공유 비밀로 서명",
        "서명한 곳(발행자)",
        "2025-06-16 00:19:10 +09:00에 만료, 12분 뒤",
        "서명: 32바이트, 확인하지 않음",
        "aud가 없습니다",
        "개인정보를 읽을 수 있습니다: email",
    ] {
        assert!(out.contains(line), "{line:?} is not in:\n{out}");
    }
    let program = args(&["--json", &token]);
    let (_, in_korea, _) = with_input_on(&korean, "", |streams| run(&program, streams, NOW));
    assert_eq!(in_korea, inspect(&token, true).1);
    assert!(in_korea.contains("there is no aud"), "{in_korea}");
}

#[test]
fn colours_are_for_terminals() {
    let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.";
    let colored = Terminal { colors: true, ..Terminal::plain() };
    let (_, out, _) = with_input_on(&colored, "", |streams| run(&args(&[token]), streams, NOW));
    assert!(out.contains("\u{1b}[36malg\u{1b}[0m"), "{out}");
    let (_, json, _) = with_input_on(&colored, "", |streams| run(&args(&["--json", token]), streams, NOW));
    assert!(!json.contains('\u{1b}') && !inspect(token, false).1.contains('\u{1b}'));
}

#[test]
fn a_pasted_header_is_understood() {
    let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.";
    let expected = inspect(token, false);
    assert_eq!(expected.0, 0);
    let header = format!("Authorization: Bearer {token}");
    for arguments in [vec![header.as_str()], vec!["Authorization:", "Bearer", token], vec!["Bearer", token]] {
        assert_eq!(with_input("", |streams| run(&args(&arguments), streams, NOW)), expected, "{arguments:?}");
    }
    assert_eq!(with_input(format!("{header}\n"), |streams| run(&args(&["-"]), streams, NOW)), expected);
}

#[test]
fn a_refresh_token_is_told_what_it_is() {
    let (status, out, err) = inspect("Bearer cfr_AQEBmAtOfB18Op9-AkKsEgACAAAAAAAAAAE", false);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.starts_with("refused: refresh_token: this is a Counterfoil refresh token"), "{err}");
    assert!(!err.contains("AQEB"), "a secret is not repeated: {err}");
}

#[test]
fn a_person_is_told_that_they_are_waited_for() {
    let typing = Terminal { asks_a_person: true, ..Terminal::plain() };
    let token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.\n";
    assert!(with_input_on(&typing, token, |streams| run(&args(&[]), streams, NOW)).2.starts_with("Paste a token"));
    assert_eq!(with_input(token, |streams| run(&args(&[]), streams, NOW)).2, "");
}
