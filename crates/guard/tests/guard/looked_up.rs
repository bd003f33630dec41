//! What is looked up, and how often: nothing where the token says it all, and never more than once for a request.

use crate::{
    answers::refusal,
    bench::{
        ACCOUNT, Bench, GENERATION, ISSUER, NOW_SECONDS, SESSION, TOKEN, access_cookie, bearer, claims_with,
        session_cookie, step,
    },
    personal_tokens::{issuer_cutoff, personal_text, with_personal_token},
    sessions::{living, secret},
};
use axum::{
    http::{HeaderMap, Method},
    response::IntoResponse,
};
use counterfoil_domain::{
    id::{AccountId, SessionId},
    opaque::SecretKind::{PersonalToken, SessionId as SessionSecret},
    policy::SessionPolicy,
    revocation::Revocation,
    time::UnixMillis,
};
use counterfoil_guard::{CookieRules, FoundSession, Guard, GuardOptions, Rejection};
use std::{pin::pin, task::Poll};

fn cookie_text(number: u8) -> String {
    secret(SessionSecret, number).expose_text()
}

/// A bench with a cookie session, and the request that brings the cookie.
fn with_cookie_session() -> (Bench, HeaderMap) {
    let bench = Bench::with_sessions();
    bench.sessions.add(&secret(SessionSecret, 1), living(SessionPolicy::Session));
    (bench, session_cookie(&cookie_text(1)))
}

/// A bench with a tracked session, and the request that brings its token.
fn with_tracked_session() -> (Bench, HeaderMap) {
    let bench = Bench::with_sessions();
    bench.sessions.add(&secret(SessionSecret, 99), living(SessionPolicy::Tracked));
    let request = bearer(&bench.token_of(SessionPolicy::Tracked));
    (bench, request)
}

// The session cookie.

#[tokio::test]
async fn a_session_cookie_costs_one_look_up_for_each_request() {
    let (bench, request) = with_cookie_session();
    for _ in 0..3 {
        assert_eq!(bench.asked(&Method::GET, &request).await, ("", 1, 0));
    }
    let user = bench.guard.authenticate(&Method::GET, &request).await.unwrap();
    assert_eq!((user.account(), user.session(), user.generation()), (ACCOUNT, SESSION, GENERATION));
    assert_eq!((user.policy(), user.client_id()), (SessionPolicy::Session, "app"));
    assert_eq!((user.roles(), user.methods()), (&["editor".to_owned()][..], &["pwd".to_owned()][..]));
    assert!(user.scope().contains("read") && user.scope().contains("write"));
    assert_eq!(user.authenticated_at(), UnixMillis::from_seconds(NOW_SECONDS - 60));
    assert_eq!(user.issued_at(), UnixMillis::from_seconds(NOW_SECONDS));
    assert_eq!(user.expires_at(), UnixMillis::NEVER);
}

#[tokio::test]
async fn a_session_that_is_not_there_is_refused_at_once() {
    let (bench, request) = with_cookie_session();
    assert_eq!(bench.read(&session_cookie(&cookie_text(2))).await, ("session_ended", 1), "unknown");
    bench.sessions.end_all();
    assert_eq!(bench.read(&request).await, ("session_ended", 1), "dead");
}

/// A text that is no secret of the kind is not worth a look-up.
#[tokio::test]
async fn what_is_no_session_id_costs_no_look_up() {
    let (bench, _) = with_cookie_session();
    let good = cookie_text(1);
    for text in ["", "x", "cfs_", &good[..51], &format!("{good}A"), &good.replace("cfs_", "cfp_"), &personal_text(1)] {
        assert_eq!(bench.read(&session_cookie(text)).await, ("session_ended", 0), "{text}");
    }
    assert_eq!(bench.read(&session_cookie(&bench.good_token())).await, ("session_ended", 0), "a signed token");
    let no_text = crate::bench::headers(&[("cookie", b"__Host-counterfoil-session=cfs_\xff")]);
    assert_eq!(bench.read(&no_text).await, ("session_ended", 0));
}

#[tokio::test]
async fn a_secret_opens_a_session_of_its_own_policy_only() {
    for policy in SessionPolicy::ALL {
        let bench = Bench::with_sessions();
        bench.sessions.add(&secret(SessionSecret, 1), living(policy));
        bench.sessions.add(&secret(PersonalToken, 1), living(policy));
        let code = if policy == SessionPolicy::Session { "" } else { "session_ended" };
        let (by_cookie, by_header) = (session_cookie(&cookie_text(1)), bearer(&personal_text(1)));
        assert_eq!(bench.read(&by_cookie).await, (code, 1), "{policy}");
        let code = if policy == SessionPolicy::Personal { "" } else { "personal_token_refused" };
        assert_eq!(bench.read(&by_header).await, (code, 1), "{policy}");
        let again = u64::from(policy != SessionPolicy::Personal);
        assert_eq!(bench.read(&by_header).await, (code, again), "{policy}: a refusal is not remembered");
    }
}

/// What the store says counts; the feed is for those who do not ask it.
#[tokio::test]
async fn a_session_cookie_does_not_wait_for_the_feed() {
    let bench = Bench::cold_with_sessions();
    bench.sessions.add(&secret(SessionSecret, 1), living(SessionPolicy::Session));
    let request = session_cookie(&cookie_text(1));
    assert_eq!(bench.read(&request).await, ("", 1));
    bench.revoke(issuer_cutoff(ISSUER, NOW_SECONDS));
    assert_eq!(bench.read(&request).await, ("", 1));
}

// A store that does not answer.

#[tokio::test]
async fn a_store_that_fails_signs_nobody_out() {
    for (bench, request) in [with_cookie_session(), with_tracked_session(), with_personal_token()] {
        bench.sessions.break_down(true);
        for _ in 0..2 {
            assert_eq!(bench.read(&request).await, ("store_unavailable", 1), "asked anew each time");
        }
        let rejection = bench.guard.authenticate(&Method::GET, &request).await.unwrap_err();
        assert_eq!(rejection, Rejection::Unavailable);
        // Which checks `Retry-After`, too.
        let told = refusal(rejection.into_response()).await;
        assert_eq!(told, (503, "store_unavailable".to_owned(), String::new()));
        bench.sessions.break_down(false);
        assert_eq!(bench.read(&request).await, ("", 1), "as if nothing had been");
    }
}

#[tokio::test]
async fn a_store_that_hangs_keeps_only_those_waiting_who_need_it() {
    let (bench, request) = with_personal_token();
    bench.sessions.keep_answers_back();
    let mut waiting = pin!(bench.guard.authenticate(&Method::GET, &request));
    assert!(step(&mut waiting).is_pending());
    for (request, code) in [(bearer(&bench.good_token()), ""), (session_cookie("mistyped"), "session_ended")] {
        assert_eq!(step(&mut pin!(bench.read(&request))), Poll::Ready((code, 0)));
    }
    {
        // Given up by its client, as requests are.
        let mut other = Box::pin(bench.guard.authenticate(&Method::GET, &request));
        assert!(step(&mut other.as_mut()).is_pending());
    }
    bench.sessions.let_answers_go();
    let Poll::Ready(Ok(user)) = step(&mut waiting) else { panic!("still waiting") };
    assert_eq!(user.session(), SESSION);
    assert_eq!(bench.read(&request).await, ("", 0));
}

// Signed tokens.

#[tokio::test]
async fn a_tracked_token_costs_its_signature_once_and_a_look_up_each_time() {
    let (bench, request) = with_tracked_session();
    assert_eq!(bench.asked(&Method::GET, &request).await, ("", 1, 1));
    assert_eq!(bench.asked(&Method::GET, &request).await, ("", 1, 0));
    let as_cookie = access_cookie(&bench.token_of(SessionPolicy::Tracked));
    assert_eq!(bench.read(&as_cookie).await, ("", 1));
    let user = bench.guard.authenticate(&Method::GET, &request).await.unwrap();
    assert_eq!((user.policy(), user.token()), (SessionPolicy::Tracked, TOKEN));
    bench.sessions.end_all();
    for _ in 0..2 {
        assert_eq!(bench.asked(&Method::GET, &request).await, ("session_ended", 1, 0));
    }
}

#[tokio::test]
async fn a_tracked_token_needs_its_very_session() {
    let tracked = || living(SessionPolicy::Tracked);
    let others = SessionPolicy::ALL.into_iter().filter(|policy| *policy != SessionPolicy::Tracked).map(living);
    let somebody_elses = FoundSession { account: AccountId::from_bytes([9; 16]), ..tracked() };
    let another = FoundSession { session: SessionId::from_bytes([9; 16]), ..tracked() };
    for found in others.chain([somebody_elses, another]) {
        let bench = Bench::with_sessions();
        bench.sessions.add(&secret(SessionSecret, 99), found.clone());
        let request = bearer(&bench.token_of(SessionPolicy::Tracked));
        assert_eq!(bench.read(&request).await, ("session_ended", 1), "{found:?}");
        assert_eq!(bench.read(&request).await, ("session_ended", 1), "{found:?}");
    }
}

/// What is refused without a look-up does not get one: a stranger's token costs the store nothing.
#[tokio::test]
async fn a_tracked_token_that_is_not_good_is_not_looked_up() {
    let (bench, request) = with_tracked_session();
    let mut ended = claims_with("policy", "tracked");
    ended["exp"] = (NOW_SECONDS - 10).into();
    assert_eq!(bench.read(&bearer(&bench.mint(&ended))).await, ("token_expired", 0));
    let forged = Bench::new().token_of(SessionPolicy::Tracked);
    assert_eq!(bench.read(&bearer(&forged)).await, ("signature_invalid", 0));
    assert_eq!(bench.read(&request).await, ("", 1));
    bench.revoke(Revocation::Session(SESSION));
    assert_eq!(bench.read(&request).await, ("token_revoked", 0));

    let bench = Bench::cold_with_sessions();
    bench.sessions.add(&secret(SessionSecret, 99), living(SessionPolicy::Tracked));
    assert_eq!(bench.read(&bearer(&bench.token_of(SessionPolicy::Tracked))).await, ("not_ready", 0));
}

#[tokio::test]
async fn tokens_of_the_other_policies_are_not_looked_up() {
    let bench = Bench::with_sessions();
    bench.sessions.break_down(true);
    let tokens = [SessionPolicy::Refresh, SessionPolicy::Sliding].map(|policy| bench.token_of(policy));
    for token in tokens.into_iter().chain([bench.good_token()]) {
        for request in [bearer(&token), access_cookie(&token)] {
            assert_eq!(bench.read(&request).await, ("", 0));
            assert_eq!(bench.read(&request).await, ("", 0));
        }
    }
}

/// A signed token cannot say that it is something that is never signed, or something nobody has heard of.
#[tokio::test]
async fn a_signed_token_is_of_a_policy_that_has_signed_tokens() {
    let bench = Bench::with_sessions();
    bench.sessions.add(&secret(SessionSecret, 1), living(SessionPolicy::Session));
    for policy in ["session", "personal", "planet", "", "Refresh"] {
        let token = bench.mint(&claims_with("policy", policy));
        assert_eq!(bench.read(&bearer(&token)).await, ("claims_not_ours", 0), "{policy}");
    }
    let token = bench.mint(&claims_with("policy", 1));
    assert_eq!(bench.read(&bearer(&token)).await, ("claims_do_not_fit", 0));
}

/// Whoever cannot look up says so, and lets nobody in for it.
#[tokio::test]
async fn a_guard_without_look_up_refuses_what_needs_one() {
    let bench = Bench::new();
    let options = GuardOptions { cookies: Some(CookieRules::new(ISSUER)), ..GuardOptions::default() };
    let guard = bench.guard_with(options);
    let code = async |guard: &Guard, request: HeaderMap| {
        guard.authenticate(&Method::GET, &request).await.err().map_or("", |rejection| rejection.code())
    };
    let tracked = bench.token_of(SessionPolicy::Tracked);
    for _ in 0..2 {
        for request in
            [bearer(&tracked), access_cookie(&tracked), bearer(&personal_text(1)), session_cookie(&cookie_text(1))]
        {
            assert_eq!(code(&guard, request.clone()).await, "policy_not_accepted", "{request:?}");
        }
        assert_eq!(guard.authenticate_token(&tracked).unwrap_err().code(), "policy_not_accepted");
        assert_eq!(code(&guard, bearer(&bench.token_of(SessionPolicy::Sliding))).await, "");
    }
    let told = refusal(guard.authenticate_token(&tracked).unwrap_err().into_response()).await;
    let challenge = "Bearer error=\"invalid_token\", error_description=\"policy_not_accepted\"";
    assert_eq!(told, (401, "policy_not_accepted".into(), challenge.into()));
}
