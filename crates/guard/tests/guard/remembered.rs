//! A token that was verified before costs no signature check, and is refused all the same when something has changed.

use crate::bench::{
    ACCOUNT, AUDIENCE, Bench, GENERATION, ISSUER, KID, LEEWAY_SECONDS, LIFETIME_SECONDS, NOW_SECONDS, SESSION, TOKEN,
    claims, claims_with, key, policy, set,
};
use counterfoil_domain::{
    id::{SessionId, TokenId},
    revocation::{FeedHead, Revocation},
    time::UnixMillis,
};
use counterfoil_guard::Guard;
use counterfoil_jwt::{Algorithm, KeyId, Policy, SigningKey, sign};
use serde_json::Value;
use std::sync::Arc;

/// What the guard says, and how many tokens it had to verify for it.
fn asked(bench: &Bench, token: &str) -> (&'static str, u64) {
    asked_of(&bench.guard, token)
}

fn asked_of(guard: &Guard, token: &str) -> (&'static str, u64) {
    let before = guard.verifications();
    let code = guard.authenticate_token(token).err().map_or("", |rejection| rejection.code());
    (code, guard.verifications() - before)
}

fn warm(bench: &Bench) -> String {
    let token = bench.good_token();
    assert_eq!(asked(bench, &token), ("", 1));
    assert_eq!(asked(bench, &token), ("", 0));
    token
}

#[test]
fn a_warm_token_costs_no_signature_check_and_tells_the_same() {
    let bench = Bench::new();
    let token = bench.good_token();
    let verified = bench.verdict(&token).unwrap();
    for _ in 0..3 {
        let remembered = bench.verdict(&token).unwrap();
        assert_eq!((&remembered, format!("{remembered:?}")), (&verified, format!("{verified:?}")));
        assert_eq!(remembered.clone(), verified);
    }
    assert_eq!(bench.guard.verifications(), 1);
    assert_eq!(asked_of(&bench.guard.clone(), &token), ("", 0), "all clones are the same guard");
}

/// Whoever holds a `CurrentUser` keeps it, whatever happens to the place where it was found.
#[test]
fn a_user_outlives_the_entry() {
    let bench = Bench::new();
    let token = warm(&bench);
    let many: Vec<_> = (0..100).map(|_| bench.verdict(&token).unwrap()).collect();
    bench.guard.replace_keys(set(&[]));
    assert!(many.iter().all(|user| user.account() == ACCOUNT && user.client_id() == "app"));
    let elsewhere = std::thread::spawn(move || many.into_iter().map(|user| user.session()).collect::<Vec<_>>());
    assert_eq!(elsewhere.join().unwrap(), [SESSION; 100]);
}

#[test]
fn times_are_checked_at_every_hit() {
    let bench = Bench::new();
    let token = warm(&bench);
    let leeway = i64::try_from(LEEWAY_SECONDS).unwrap();
    let (begin, end) = (NOW_SECONDS, NOW_SECONDS + LIFETIME_SECONDS);
    for (now, code) in [
        (end + leeway - 1, ""),
        (end + leeway, "token_expired"),
        (begin - leeway, ""),
        (begin - leeway - 1, "token_not_yet_valid"),
        (begin, ""),
    ] {
        bench.turn_clock_to(now);
        assert_eq!(asked(&bench, &token), (code, 0), "{now}");
    }
    bench.turn_clock_to(end + leeway);
    let remembered = bench.verdict(&token).unwrap_err();
    let anew = bench.another_guard(policy()).authenticate_token(&token).unwrap_err();
    assert_eq!(remembered, anew, "the same words as for a token that was never seen");
}

#[test]
fn revocations_are_checked_at_every_hit() {
    let issuer = |key: &str| Revocation::Issuer { key: key.to_owned(), cutoff: UnixMillis::from_seconds(NOW_SECONDS) };
    for revocation in [
        Revocation::Session(SESSION),
        Revocation::Token(TOKEN),
        Revocation::Subject { account: ACCOUNT, minimum_generation: GENERATION.next() },
        issuer(ISSUER),
        issuer(KID),
    ] {
        let bench = Bench::new();
        let token = warm(&bench);
        for other in 0..3 {
            bench.revoke(Revocation::Session(SessionId::from_bytes([100 + other; 16])));
            assert_eq!(asked(&bench, &token), ("", 0), "somebody else's");
        }
        bench.revoke(revocation.clone());
        for _ in 0..2 {
            assert_eq!(asked(&bench, &token), ("token_revoked", 0), "{revocation:?}");
        }
        bench.revoke(Revocation::Session(SessionId::from_bytes([99; 16])));
        bench.revocations.take_snapshot(FeedHead::default(), std::time::Duration::ZERO, std::time::Duration::ZERO);
        assert_eq!(asked(&bench, &token), ("token_revoked", 0), "{revocation:?}");
    }
}

/// By whichever way the keys change: another set without the key, one with another key of that name, or the same again.
#[test]
fn an_entry_ends_with_its_keys() {
    let bench = Bench::new();
    let token = warm(&bench);
    bench.guard.replace_keys(set(&[&key("k2")]));
    assert_eq!(asked(&bench, &token), ("unknown_key", 1));
    bench.guard.replace_keys(set(&[&key(KID)]));
    assert_eq!(asked(&bench, &token), ("signature_invalid", 1));
    bench.guard.replace_keys(set(&[&bench.key]));
    assert_eq!(asked(&bench, &token), ("", 1), "verified anew");
    assert_eq!(asked(&bench, &token), ("", 0));
}

/// What one guard has accepted says nothing to a guard with other rules.
#[test]
fn an_entry_belongs_to_one_policy() {
    let bench = Bench::new();
    let token = warm(&bench);
    let rules = |algorithm: Algorithm| Policy::new(algorithm).leeway_seconds(LEEWAY_SECONDS);
    for (policy, code) in [
        (
            rules(Algorithm::EdDsa).issuer("https://b.example").audience(AUDIENCE).token_type("at+jwt"),
            "issuer_mismatch",
        ),
        (
            rules(Algorithm::EdDsa).issuer(ISSUER).audience("https://b.example").token_type("at+jwt"),
            "audience_mismatch",
        ),
        (rules(Algorithm::EdDsa).issuer(ISSUER).audience(AUDIENCE).token_type("JWT"), "type_mismatch"),
        (rules(Algorithm::Es256).issuer(ISSUER).audience(AUDIENCE).token_type("at+jwt"), "algorithm_not_allowed"),
    ] {
        let other = bench.another_guard(policy);
        assert_eq!(asked_of(&other, &token), (code, 1));
    }
    assert_eq!(asked(&bench, &token), ("", 0));
}

#[test]
fn a_refusal_is_not_remembered() {
    let bench = Bench::new();
    let later = bench.mint(&claims_with("nbf", NOW_SECONDS + 60));
    assert_eq!(asked(&bench, &later), ("token_not_yet_valid", 1));
    assert_eq!(asked(&bench, &later), ("token_not_yet_valid", 1));
    bench.turn_clock_to(NOW_SECONDS + 60);
    assert_eq!(asked(&bench, &later), ("", 1), "good in time");
    assert_eq!(asked(&bench, &later), ("", 0));

    let revoked = bench.mint(&claims_with("jti", TokenId::from_bytes([8; 16]).to_string()));
    bench.revoke(Revocation::Token(TokenId::from_bytes([8; 16])));
    assert_eq!(asked(&bench, &revoked), ("token_revoked", 1));
    assert_eq!(asked(&bench, &revoked), ("token_revoked", 1));
}

/// The end of a token chooses its slot: every change before it leads to the very entry that it must not be taken for.
#[test]
fn a_token_that_differs_in_one_byte_is_another_token() {
    let bench = Bench::new();
    let token = warm(&bench);
    for (place, was) in token.bytes().enumerate() {
        let mut other = token.clone().into_bytes();
        other[place] = if was == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        let (code, verifications) = asked(&bench, &other);
        assert!(!code.is_empty(), "byte {place}");
        assert_eq!(verifications, 1, "byte {place}");
    }
    for other in [&token[1..], &token[..token.len() - 1], &token[token.len() - 48..], &format!("{token}A"), ""] {
        assert!(!asked(&bench, other).0.is_empty(), "{other}");
    }
    assert_eq!(asked(&bench, &token), ("", 0));
}

/// ECDSA lets anybody make a second signature out of one (s and n − s), so one token has two texts. They are two entries,
/// and both end with the session.
#[test]
fn two_texts_of_one_token_are_two_entries() {
    let bench = Bench::new();
    let es256 = SigningKey::generate(Algorithm::Es256).unwrap().with_key_id(KeyId::new(KID).unwrap());
    let guard = bench.another_guard_with(
        Policy::new(Algorithm::Es256).issuer(ISSUER).audience(AUDIENCE).token_type("at+jwt"),
        set(&[&es256]),
    );
    let (one, two) = (sign(&es256, "at+jwt", &claims()).unwrap(), sign(&es256, "at+jwt", &claims()).unwrap());
    assert_ne!(one, two, "signatures are randomized");
    assert_eq!((asked_of(&guard, &one), asked_of(&guard, &two)), (("", 1), ("", 1)));
    assert_eq!((asked_of(&guard, &one), asked_of(&guard, &two)), (("", 0), ("", 0)));
    bench.revoke(Revocation::Session(SESSION));
    assert_eq!((asked_of(&guard, &one), asked_of(&guard, &two)), (("token_revoked", 0), ("token_revoked", 0)));
}

fn numbered(bench: &Bench, number: u16) -> String {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&number.to_be_bytes());
    bench.mint(&claims_with("jti", TokenId::from_bytes(id).to_string()))
}

/// However many come, no more than the bound are kept, and what is in use stays.
#[test]
fn the_cache_is_bounded_and_keeps_what_is_used() {
    let bench = Bench::remembering(64);
    let tokens: Vec<_> = (0..512).map(|number| numbered(&bench, number)).collect();
    let favourite = warm(&bench);
    for token in &tokens {
        assert_eq!(asked(&bench, token), ("", 1));
        assert_eq!(asked(&bench, &favourite).0, "");
    }
    let kept = tokens.iter().rev().filter(|token| asked(&bench, token).1 == 0).count();
    assert!((1..=64).contains(&kept), "{kept} of {} are kept", tokens.len());

    let before = bench.guard.verifications();
    for token in &tokens {
        bench.verdict(token).unwrap();
        bench.verdict(&favourite).unwrap();
    }
    let again = bench.guard.verifications() - before;
    assert!(again <= 512 + 8, "the one in use is driven out by the crowd: {again} verifications");
}

/// Where each token goes is chance, so a few may have to give way. With one set of slots for each token, and not a choice of
/// two, some thirty of these would.
#[test]
fn a_cache_that_is_not_half_full_keeps_nearly_all() {
    let bench = Bench::remembering(4_096);
    let tokens: Vec<_> = (0..1_600).map(|number| numbered(&bench, number)).collect();
    for token in &tokens {
        assert_eq!(asked(&bench, token), ("", 1));
    }
    let given_way: u64 = tokens.iter().map(|token| asked(&bench, token).1).sum();
    assert!(given_way <= 8, "{given_way} of 1,600");
}

#[test]
fn a_very_long_token_is_accepted_and_not_kept() {
    let bench = Bench::new();
    let long = bench.mint(&claims_with("note", "x".repeat(5_000)));
    assert_eq!((asked(&bench, &long), asked(&bench, &long)), (("", 1), ("", 1)));
}

/// Ended tokens make room before living ones do.
#[test]
fn ended_tokens_give_way_first() {
    let bench = Bench::remembering(1);
    let short = |number: u16| {
        let mut claims: Value =
            claims_with("jti", TokenId::from_bytes([u8::try_from(number).unwrap(); 16]).to_string());
        claims["exp"] = (NOW_SECONDS + 10).into();
        bench.mint(&claims)
    };
    let living = warm(&bench);
    let ended: Vec<_> = (10..13).map(short).collect();
    for token in &ended {
        assert_eq!((asked(&bench, token), asked(&bench, token)), (("", 1), ("", 0)));
    }
    bench.turn_clock_to(NOW_SECONDS + 20);
    for number in 0..3 {
        assert_eq!(asked(&bench, &numbered(&bench, number)), ("", 1));
    }
    assert_eq!(asked(&bench, &living), ("", 0), "three ended, three came");
}

/// Many threads, one token, revoked in the middle: once the revocation has returned nobody gets in. The orders of steps
/// are gone through in `tests/slots`; this is the real thing.
#[test]
fn a_revocation_reaches_all_threads() {
    for _ in 0..50 {
        let bench = Arc::new(Bench::new());
        let token = warm(&bench);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| while asked(&bench, &token).0.is_empty() {});
            }
            bench.revoke(Revocation::Session(SESSION));
            assert_eq!(asked(&bench, &token).0, "token_revoked");
        });
    }
}

/// What a server does at a refresh: an ended token is recognized with or without the cache, and never let in by it.
#[test]
fn recognizing_a_token_remembers_nothing() {
    let bench = Bench::new();
    let token = bench.good_token();
    bench.guard.recognize_token(&token).unwrap();
    assert_eq!(asked(&bench, &token), ("", 1));
}

#[tokio::test]
async fn a_warm_token_in_a_request_needs_its_header_as_well() {
    let bench = Bench::new();
    let token = warm(&bench);
    let before = bench.guard.verifications();
    for (header, status) in [
        (format!("Bearer {token}"), 200),
        (format!("bearer   {token}  "), 200),
        (format!("Basic {token}"), 401),
        (format!("Bearer {token} {token}"), 400),
        (format!("Bearer {token},"), 400),
        (token.clone(), 401),
    ] {
        assert_eq!(bench.ask(&[&header]).await.status(), status, "{header}");
    }
    assert_eq!(bench.guard.verifications(), before);
}
