//! A good token is refused as soon as an entry of the feed names it, and no other one is.

use crate::bench::{
    ACCOUNT, Bench, GENERATION, ISSUER, KID, LIFETIME_SECONDS, NOW_SECONDS, SESSION, TOKEN, claims_with,
};
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    revocation::{FeedHead, Revocation},
    time::UnixMillis,
};
use counterfoil_guard::Rejection;

fn issuer(key: &str, cutoff_seconds: i64) -> Revocation {
    Revocation::Issuer { key: key.to_owned(), cutoff: UnixMillis::from_seconds(cutoff_seconds) }
}

fn subject(account: AccountId, minimum_generation: AccountGeneration) -> Revocation {
    Revocation::Subject { account, minimum_generation }
}

#[test]
fn each_kind_of_entry_refuses_what_it_names() {
    for revocation in [
        Revocation::Session(SESSION),
        Revocation::Token(TOKEN),
        subject(ACCOUNT, GENERATION.next()),
        issuer(ISSUER, NOW_SECONDS),
        issuer(KID, NOW_SECONDS),
    ] {
        let bench = Bench::new();
        let token = bench.good_token();
        assert_eq!(bench.code(&token), "");
        bench.revoke(revocation.clone());
        assert_eq!(bench.verdict(&token), Err(Rejection::Revoked), "{revocation:?}");
    }
}

#[test]
fn other_tokens_stay_good() {
    for revocation in [
        Revocation::Session(SessionId::from_bytes([9; 16])),
        Revocation::Token(TokenId::from_bytes([9; 16])),
        subject(ACCOUNT, GENERATION),
        subject(AccountId::from_bytes([9; 16]), GENERATION.next()),
        issuer(ISSUER, NOW_SECONDS - 1),
        issuer(KID, NOW_SECONDS - 1),
        issuer("https://other.example.com", NOW_SECONDS),
        Revocation::Keys { version: 7 },
    ] {
        let bench = Bench::new();
        bench.revoke(revocation.clone());
        assert_eq!(bench.code(&bench.good_token()), "", "{revocation:?}");
    }
}

#[test]
fn a_token_of_the_next_generation_is_good_in_the_same_second() {
    let bench = Bench::new();
    bench.revoke(subject(ACCOUNT, GENERATION.next()));
    assert_eq!(bench.code(&bench.good_token()), "token_revoked");
    let next = bench.mint(&claims_with("gen", GENERATION.next().as_raw()));
    assert_eq!(bench.code(&next), "");
}

/// Who has not read the feed cannot know that a token is good.
#[test]
fn before_the_feed_has_been_read_nothing_is_let_in() {
    let bench = Bench::cold();
    let token = bench.good_token();
    assert_eq!(bench.verdict(&token), Err(Rejection::NotReady));
    bench.revoke(Revocation::Session(SESSION));
    assert_eq!(bench.verdict(&token), Err(Rejection::NotReady), "an entry alone is not the whole feed");
    bench.revocations.take_snapshot(FeedHead::default(), std::time::Duration::ZERO, std::time::Duration::ZERO);
    assert_eq!(bench.verdict(&token), Err(Rejection::Revoked));
}

/// An entry is forgotten only when the token would be refused anyway.
#[test]
fn forgetting_lets_nobody_in_again() {
    let bench = Bench::new();
    let token = bench.good_token();
    bench.revoke(Revocation::Session(SESSION));
    for seconds in 0..=LIFETIME_SECONDS + 100 {
        bench.turn_clock_to(NOW_SECONDS + seconds);
        bench.revocations.prune(UnixMillis::from_seconds(NOW_SECONDS + seconds));
        assert!(bench.verdict(&token).is_err(), "after {seconds} s");
    }
    assert!(bench.revocations.is_empty());
}
