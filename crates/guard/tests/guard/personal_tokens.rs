//! A personal token is looked up once and remembered for some minutes, and ends when the feed or the store says so.

use crate::{
    answers::refusal,
    bench::{
        ACCOUNT, Bench, GENERATION, ISSUER, KID, LEEWAY_SECONDS, NOW_SECONDS, Ones, SESSION, access_cookie, bearer,
        session_cookie, set, step,
    },
    sessions::{living, secret},
};
use axum::{
    http::{HeaderMap, Method},
    response::IntoResponse,
};
use counterfoil_domain::{
    id::{FeedEntryId, SessionId, TokenId},
    opaque::SecretKind::PersonalToken,
    policy::{Lifetimes, Limits, SessionPolicy},
    revocation::{FeedHead, LEDGER_ENTRIES_MAX, Revocation, RevocationDraft},
    time::UnixMillis,
};
use counterfoil_guard::{FoundSession, GuardOptions};
use std::{pin::pin, sync::Arc, task::Poll, time::Duration};

/// What names a personal token in the feed.
const PERSONAL: TokenId = TokenId::from_bytes(*SESSION.as_bytes());
const FIVE_MINUTES: i64 = 300;

fn leeway() -> i64 {
    i64::try_from(LEEWAY_SECONDS).unwrap()
}

pub(crate) fn personal_text(number: u8) -> String {
    secret(PersonalToken, number).expose_text()
}

/// A bench with a personal token, and the request that brings it.
pub(crate) fn with_personal_token() -> (Bench, HeaderMap) {
    with_personal_token_like(|token| token)
}

fn with_personal_token_like(make: impl FnOnce(FoundSession) -> FoundSession) -> (Bench, HeaderMap) {
    let bench = Bench::with_sessions();
    bench.sessions.add(&secret(PersonalToken, 1), make(living(SessionPolicy::Personal)));
    (bench, bearer(&personal_text(1)))
}

/// The same, remembered.
async fn with_remembered_token() -> (Bench, HeaderMap) {
    let (bench, request) = with_personal_token();
    assert_eq!(bench.read(&request).await, ("", 1));
    assert_eq!(bench.read(&request).await, ("", 0));
    (bench, request)
}

pub(crate) fn issuer_cutoff(key: &str, seconds: i64) -> Revocation {
    Revocation::Issuer { key: key.to_owned(), cutoff: UnixMillis::from_seconds(seconds) }
}

#[tokio::test]
async fn a_personal_token_is_looked_up_every_five_minutes() {
    let (bench, request) = with_personal_token();
    let looked_up = bench.guard.authenticate(&Method::GET, &request).await.unwrap();
    let until = FIVE_MINUTES + leeway();
    for (after, lookups) in [(0, 0), (299, 0), (until - 1, 0), (until, 1), (until + 1, 0), (2 * until - 1, 0)] {
        bench.turn_clock_to(NOW_SECONDS + after);
        assert_eq!(bench.asked(&Method::GET, &request).await, ("", lookups, 0), "after {after} s");
        let user = bench.guard.authenticate(&Method::GET, &request).await.unwrap();
        assert_eq!(user, looked_up, "remembered or not, it is the same");
    }
    assert_eq!((looked_up.policy(), looked_up.token()), (SessionPolicy::Personal, PERSONAL));
    assert_eq!((looked_up.account(), looked_up.session()), (ACCOUNT, SESSION));
    assert_eq!(looked_up.expires_at(), UnixMillis::NEVER, "its own end, not that of the remembering");
    bench.sessions.end_all();
    bench.turn_clock_to(NOW_SECONDS + 2 * until);
    assert_eq!(bench.read(&request).await, ("personal_token_refused", 1));
}

#[tokio::test]
async fn it_ends_when_it_ends() {
    let ends_at = UnixMillis::from_seconds(NOW_SECONDS + 60);
    let (bench, request) = with_personal_token_like(|token| FoundSession { ends_at, ..token });
    assert_eq!(bench.read(&request).await, ("", 1));
    let user = bench.guard.authenticate(&Method::GET, &request).await.unwrap();
    assert_eq!(user.expires_at(), ends_at);
    bench.turn_clock_to(NOW_SECONDS + 59);
    assert_eq!(bench.read(&request).await, ("", 0));
    // To the second: leeway is for tokens that others minted by their clocks.
    bench.turn_clock_to(NOW_SECONDS + 60);
    bench.sessions.end_all();
    assert_eq!(bench.read(&request).await, ("personal_token_refused", 1));
}

/// A clock that was wrong for a while must not make the minutes longer.
#[tokio::test]
async fn a_clock_that_goes_back_makes_it_looked_up() {
    let (bench, request) = with_remembered_token().await;
    bench.turn_clock_to(NOW_SECONDS - leeway());
    assert_eq!(bench.read(&request).await, ("", 0), "clocks differ a little");
    bench.turn_clock_to(NOW_SECONDS - leeway() - 1);
    assert_eq!(bench.read(&request).await, ("", 1));
    assert_eq!(bench.read(&request).await, ("", 0));
}

#[tokio::test]
async fn a_mistyped_personal_token_costs_nothing() {
    let (bench, _) = with_remembered_token().await;
    let good = personal_text(1);
    for text in ["cfp_", "cfp_x", &good[..51], &format!("{good}A"), &good.replacen('B', "C", 1), "cfp_=="] {
        let told = bench.asked(&Method::GET, &bearer(text)).await;
        assert_eq!(told, ("personal_token_mistyped", 0, 0), "{text}");
    }
    for text in ["CFP_x", "cfp"] {
        assert_eq!(bench.asked(&Method::GET, &bearer(text)).await, ("not_a_compact_jws", 0, 1), "{text}");
    }
}

#[tokio::test]
async fn an_unknown_personal_token_is_looked_up_and_not_remembered() {
    let (bench, _) = with_remembered_token().await;
    for _ in 0..2 {
        assert_eq!(bench.read(&bearer(&personal_text(2))).await, ("personal_token_refused", 1));
    }
}

/// Each entry that names it, or that might mean it, is only a reason to look. The store decides.
#[tokio::test]
async fn an_entry_of_the_feed_makes_the_next_request_look() {
    for revocation in [
        Revocation::Token(PERSONAL),
        Revocation::Session(SESSION),
        issuer_cutoff(ISSUER, NOW_SECONDS),
        issuer_cutoff(KID, NOW_SECONDS + 60),
        issuer_cutoff("https://other.example.com", NOW_SECONDS),
    ] {
        let (bench, request) = with_remembered_token().await;
        bench.revoke(revocation.clone());
        for _ in 0..2 {
            assert_eq!(bench.read(&request).await, ("", 1), "{revocation:?}");
        }
        bench.sessions.break_down(true);
        assert_eq!(bench.read(&request).await, ("store_unavailable", 1), "{revocation:?}");
        bench.sessions.break_down(false);
        bench.sessions.end_all();
        for _ in 0..2 {
            assert_eq!(bench.read(&request).await, ("personal_token_refused", 1), "{revocation:?}");
        }
    }
}

/// It goes on when its owner signs out everywhere: whatever ends it names it. And others' entries are not its own.
#[tokio::test]
async fn other_entries_leave_it_remembered() {
    let (bench, request) = with_remembered_token().await;
    for revocation in [
        Revocation::Subject { account: ACCOUNT, minimum_generation: GENERATION.next() },
        Revocation::Token(TokenId::from_bytes([9; 16])),
        Revocation::Session(SessionId::from_bytes([9; 16])),
        issuer_cutoff(ISSUER, NOW_SECONDS - 1),
        Revocation::Keys { version: 7 },
    ] {
        bench.revoke(revocation.clone());
        assert_eq!(bench.read(&request).await, ("", 0), "{revocation:?}");
    }
}

/// A personal token that is deleted while its look-up is on its way: that request was in time, the next one is not.
#[tokio::test]
async fn one_that_is_deleted_while_it_is_looked_up_is_found_out_at_the_next_request() {
    for revocation in [Revocation::Token(PERSONAL), issuer_cutoff(ISSUER, NOW_SECONDS)] {
        let (bench, request) = with_personal_token();
        bench.sessions.keep_answers_back();
        let mut waiting = pin!(bench.guard.authenticate(&Method::GET, &request));
        assert!(step(&mut waiting).is_pending());
        bench.sessions.end_all();
        bench.revoke(revocation.clone());
        bench.sessions.let_answers_go();
        let Poll::Ready(verdict) = step(&mut waiting) else { panic!("still waiting") };
        assert!(verdict.is_ok());
        assert_eq!(bench.read(&request).await, ("personal_token_refused", 1), "{revocation:?}");
    }
}

/// Whatever is configured, an entry is kept for as long as a token may be remembered that it ends. Nobody need have asked
/// in between.
#[tokio::test]
async fn an_entry_outlives_the_remembering() {
    let second = Duration::from_secs(1);
    let sliding = Limits { idle_lifetime: second, absolute_lifetime: second };
    let lifetimes = Lifetimes { access_token_lifetime: second, sliding, ..Lifetimes::default() };

    let (bench, request) = with_remembered_token().await;
    bench.sessions.end_all();
    let at = UnixMillis::from_seconds(NOW_SECONDS);
    let draft = RevocationDraft::new(Revocation::Token(PERSONAL), at, lifetimes.longest_token_lifetime(), &Ones);
    bench.revocations.apply([&draft]);
    let last = NOW_SECONDS + FIVE_MINUTES + leeway() - 1;
    bench.turn_clock_to(last);
    bench.revocations.prune(UnixMillis::from_seconds(last));
    assert_eq!(bench.read(&request).await, ("personal_token_refused", 1));
}

/// Too many entries to hold: signed tokens are refused, since nobody knows; a personal token is looked up.
#[tokio::test]
async fn after_the_ledger_overflowed_a_personal_token_works_by_look_up() {
    let (bench, request) = with_remembered_token().await;
    let signed = bearer(&bench.good_token());
    assert_eq!(bench.read(&signed).await, ("", 0));
    let at = UnixMillis::from_seconds(NOW_SECONDS);
    let draft = RevocationDraft {
        id: FeedEntryId::generate(at, &Ones),
        at,
        drop_at: at,
        revocation: Revocation::Keys { version: 1 },
    };
    let entry = |number: usize| {
        let mut id = [0xee; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        RevocationDraft { revocation: Revocation::Session(SessionId::from_bytes(id)), ..draft.clone() }
    };
    for from in (0..=LEDGER_ENTRIES_MAX).step_by(1_000) {
        let entries: Vec<_> = (from..(from + 1_000).min(LEDGER_ENTRIES_MAX + 1)).map(entry).collect();
        bench.revocations.apply(&entries);
    }
    assert!(bench.revocations.is_empty(), "it overflowed");
    assert_eq!(bench.read(&signed).await, ("token_revoked", 0));
    for _ in 0..2 {
        assert_eq!(bench.read(&request).await, ("", 1));
    }
    // One made after it is remembered as ever.
    let later =
        FoundSession { created_at: UnixMillis::from_seconds(NOW_SECONDS + 1), ..living(SessionPolicy::Personal) };
    bench.sessions.add(&secret(PersonalToken, 2), later);
    let request = bearer(&personal_text(2));
    assert_eq!((bench.read(&request).await, bench.read(&request).await), (("", 1), ("", 0)));
}

#[tokio::test]
async fn replaced_keys_make_it_looked_up() {
    let (bench, request) = with_remembered_token().await;
    bench.guard.replace_keys(set(&[]));
    assert_eq!(bench.read(&request).await, ("", 1), "it needs no key");
    assert_eq!(bench.read(&request).await, ("", 0));
    bench.guard.replace_keys(set(&[&bench.key]));
    bench.sessions.end_all();
    assert_eq!(bench.read(&request).await, ("personal_token_refused", 1));
}

/// Remembered or not: a browser is no place for one, and its own pages could not protect it there.
#[tokio::test]
async fn a_personal_token_in_a_cookie_is_refused() {
    let (bench, request) = with_personal_token();
    let as_access_cookie = access_cookie(&personal_text(1));
    let as_session_cookie = session_cookie(&personal_text(1));
    let refused = async || {
        for cookie in [&as_access_cookie, &as_session_cookie] {
            let (code, lookups) = bench.read(cookie).await;
            assert!(!code.is_empty(), "{cookie:?}");
            assert_eq!(lookups, 0, "{cookie:?}");
        }
        let token = bench.guard.authenticate_token(&personal_text(1));
        assert!(token.is_err(), "where no look-up is made it is refused as well");
    };
    refused().await;
    assert_eq!(bench.read(&request).await, ("", 1));
    refused().await;
    assert_eq!(bench.read(&request).await, ("", 0));
}

/// A token that was deleted a minute ago might be in the part of the feed that is not read yet.
#[tokio::test]
async fn a_personal_token_waits_for_the_feed() {
    let bench = Bench::cold_with_sessions();
    bench.sessions.add(&secret(PersonalToken, 1), living(SessionPolicy::Personal));
    let request = bearer(&personal_text(1));
    assert_eq!(bench.read(&request).await, ("not_ready", 0));
    let rejection = bench.guard.authenticate(&Method::GET, &request).await.unwrap_err();
    assert_eq!(refusal(rejection.into_response()).await.0, 503);
    bench.revocations.take_snapshot(FeedHead::default(), Duration::ZERO, Duration::ZERO);
    assert_eq!(bench.read(&request).await, ("", 1));
}

/// All clones are one guard, and another guard knows nothing of what this one remembers.
#[tokio::test]
async fn what_is_remembered_is_the_guards_own() {
    let (bench, request) = with_remembered_token().await;
    let lookups = bench.sessions.lookups();
    bench.guard.clone().authenticate(&Method::GET, &request).await.unwrap();
    assert_eq!(bench.sessions.lookups(), lookups);
    let other =
        bench.guard_with(GuardOptions { lookup: Some(Arc::clone(&bench.sessions) as _), ..GuardOptions::default() });
    other.authenticate(&Method::GET, &request).await.unwrap();
    assert_eq!(bench.sessions.lookups(), lookups + 1);
}
