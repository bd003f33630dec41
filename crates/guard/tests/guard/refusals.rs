//! Which tokens are let in, and why the others are not.

use crate::bench::{
    ACCOUNT, Bench, GENERATION, KID, LEEWAY_SECONDS, LIFETIME_SECONDS, NOW_SECONDS, SESSION, TOKEN, claims,
    claims_with, key, set,
};
use counterfoil_domain::time::UnixMillis;
use counterfoil_guard::Rejection;
use counterfoil_jwt::{Algorithm, KeyId, SigningKey, sign};
use serde_json::{Value, json};

#[test]
fn a_good_token_tells_who_is_asking() {
    let bench = Bench::new();
    let user = bench.verdict(&bench.good_token()).unwrap();
    assert_eq!((user.account(), user.session(), user.token()), (ACCOUNT, SESSION, TOKEN));
    assert_eq!((user.generation(), user.client_id()), (GENERATION, "app"));
    assert!(user.scope().contains("read") && user.scope().contains("write"));
    assert_eq!(user.authenticated_at(), UnixMillis::from_seconds(NOW_SECONDS - 60));
    assert_eq!(user.expires_at(), UnixMillis::from_seconds(NOW_SECONDS + LIFETIME_SECONDS));
    assert_eq!(user.methods(), ["pwd"]);
}

#[test]
fn operators_may_add_claims() {
    let bench = Bench::new();
    assert_eq!(bench.code(&bench.mint(&claims_with("tenant", "blue"))), "");
}

#[test]
fn each_refusal_has_its_code() {
    let bench = Bench::new();
    let cases: [(&str, Value, &str); 17] = [
        ("iss", "https://other.example.com".into(), "issuer_mismatch"),
        ("iss", "https://auth.example.com/".into(), "issuer_mismatch"),
        ("aud", "https://other.example.com".into(), "audience_mismatch"),
        ("aud", Value::Null, "claim_missing"),
        ("exp", NOW_SECONDS.saturating_sub(10).into(), "token_expired"),
        ("exp", Value::Null, "claim_missing"),
        ("exp", "soon".into(), "claim_wrong_type"),
        ("nbf", (NOW_SECONDS + 60).into(), "token_not_yet_valid"),
        ("sub", "minsu".into(), "claims_not_ours"),
        ("sub", ACCOUNT.to_string().replace('-', "").into(), "claims_not_ours"),
        ("sid", "1".into(), "claims_not_ours"),
        ("jti", "1".into(), "claims_not_ours"),
        ("scope", "a  b".into(), "claims_not_ours"),
        ("gen", "4".into(), "claims_do_not_fit"),
        ("gen", Value::Null, "claims_do_not_fit"),
        ("sid", Value::Null, "claims_do_not_fit"),
        ("amr", json!("pwd"), "claims_do_not_fit"),
    ];
    for (name, value, code) in cases {
        let rejection = bench.verdict(&bench.mint(&claims_with(name, value.clone()))).unwrap_err();
        assert_eq!(rejection.code(), code, "{name}: {value}");
        assert!(matches!(rejection, Rejection::Refused { .. }), "{name}: {value}");
    }
}

#[test]
fn signatures_keys_and_types() {
    let bench = Bench::new();
    let good = bench.good_token();
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let es256 = SigningKey::generate(Algorithm::Es256).unwrap().with_key_id(KeyId::new(KID).unwrap());
    let refresh_token = format!("cfr_{}", "A".repeat(56));
    for (token, code) in [
        (format!("{rest}.{first}{}", &signature[1..]), "signature_invalid"),
        (sign(&key(KID), "at+jwt", &claims()).unwrap(), "signature_invalid"),
        (sign(&key("k2"), "at+jwt", &claims()).unwrap(), "unknown_key"),
        (sign(&es256, "at+jwt", &claims()).unwrap(), "algorithm_not_allowed"),
        (sign(&bench.key, "JWT", &claims()).unwrap(), "type_mismatch"),
        (sign(&bench.key, "rt+jwt", &claims()).unwrap(), "type_mismatch"),
        (rest.to_owned(), "not_a_compact_jws"),
        (String::new(), "not_a_compact_jws"),
        ("x".repeat(17 * 1024), "too_large"),
        (refresh_token, "refresh_token_presented"),
    ] {
        assert_eq!(bench.code(&token), code, "{token}");
    }
}

#[test]
fn leeway_is_tolerated_at_both_ends_and_no_more() {
    let bench = Bench::new();
    let token = bench.good_token();
    let leeway = i64::try_from(LEEWAY_SECONDS).unwrap();
    let (begin, end) = (NOW_SECONDS, NOW_SECONDS + LIFETIME_SECONDS);
    for (now, code) in [
        (begin - leeway - 1, "token_not_yet_valid"),
        (begin - leeway, ""),
        (end - 1, ""),
        (end + leeway - 1, ""),
        (end + leeway, "token_expired"),
        (-1, "token_not_yet_valid"),
        (i64::MAX / 1000, "token_expired"),
    ] {
        bench.turn_clock_to(now);
        assert_eq!(bench.code(&token), code, "{now}");
    }
}

#[test]
fn replaced_keys_count_from_the_next_token_on() {
    let bench = Bench::new();
    let next = key("k2");
    let (old, new) = (bench.good_token(), sign(&next, "at+jwt", &claims()).unwrap());
    let clone = bench.guard.clone();
    assert_eq!((bench.code(&old), bench.code(&new)), ("", "unknown_key"));
    bench.guard.replace_keys(set(&[&bench.key, &next]));
    assert_eq!((bench.code(&old), bench.code(&new)), ("", ""));
    bench.guard.replace_keys(set(&[&next]));
    assert_eq!((bench.code(&old), bench.code(&new)), ("unknown_key", ""));
    assert!(clone.authenticate_token(&old).is_err(), "all clones are the same guard");
}

/// For telling which session a request is about: an ended token will do, a bad one will not.
#[test]
fn an_ended_token_is_recognized_and_a_bad_one_is_not() {
    let bench = Bench::new();
    let token = bench.good_token();
    bench.turn_clock_to(NOW_SECONDS + 1_000_000);
    assert_eq!(bench.code(&token), "token_expired");
    assert_eq!(bench.guard.recognize_token(&token).unwrap().session(), SESSION);
    for (token, code) in [
        (bench.mint(&claims_with("iss", "https://other.example.com")), "issuer_mismatch"),
        (bench.mint(&claims_with("aud", "https://other.example.com")), "audience_mismatch"),
        (bench.mint(&claims_with("sid", "1")), "claims_not_ours"),
        (sign(&bench.key, "JWT", &claims()).unwrap(), "type_mismatch"),
        (sign(&key(KID), "at+jwt", &claims()).unwrap(), "signature_invalid"),
    ] {
        assert_eq!(bench.guard.recognize_token(&token).unwrap_err().code(), code);
    }
}
