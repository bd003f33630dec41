//! A guard that has lost its server: what each policy does, by the clock of the request.

use crate::{
    bench::{Bench, SESSION, ask, bearer, get, post, until},
    server::{FEED, INTROSPECT, endless, unavailable},
};
use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
    response::IntoResponse,
};
use counterfoil_domain::{id::SessionId, revocation::Revocation};
use counterfoil_guard::{CurrentUser, Guard, GuardState, StalePolicy, WhenStale};
use std::{sync::Arc, time::Duration};
use tower::ServiceExt;

const SECOND: Duration = Duration::from_secs(1);

/// A guard whose server has fallen silent, and a good token that it remembers.
async fn silent() -> (Bench, Guard, String) {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let token = bench.token();
    assert_eq!((get(&guard, &token).await, post(&guard, &token).await), ("", ""));
    bench.server.fall_silent();
    (bench, guard, token)
}

#[tokio::test]
async fn policies_change_over_five_seconds_after_the_last_proof() {
    let (bench, guard, token) = silent().await;
    let closed = guard.when_stale(WhenStale::always(StalePolicy::Closed));
    let briefly = guard.when_stale(WhenStale::always(StalePolicy::Open(10 * SECOND)));
    let (anew, revoked) = (bench.token_with("jti", SessionId::from_bytes([5; 16]).to_string()), "token_missing");
    bench.hands.pass(3 * SECOND);
    for guard in [&guard, &closed, &briefly] {
        assert_eq!((get(guard, &token).await, post(guard, &token).await), ("", ""));
    }
    bench.hands.pass(3 * SECOND);
    assert_eq!(guard.status().state, GuardState::Stale);
    // Nobody answers introspection, so what may change something waits.
    assert_eq!((get(&guard, &token).await, post(&guard, &token).await), ("", "revocations_stale"));
    assert_eq!((get(&closed, &token).await, get(&briefly, &token).await), ("revocations_stale", ""));
    assert_eq!(get(&guard, &anew).await, "", "also what is verified only now");
    assert_eq!(guard.authenticate(&Method::GET, &HeaderMap::default()).await.unwrap_err().code(), revoked);
    bench.hands.pass(10 * SECOND);
    assert_eq!((get(&guard, &token).await, get(&briefly, &token).await), ("", "revocations_stale"));
    bench.hands.pass(60 * SECOND);
    assert_eq!(get(&guard, &token).await, "revocations_stale");
    assert!(bench.metrics.count("counterfoil_guard_stale_requests_total{outcome=refused}") >= 4);
    assert!(bench.metrics.count("counterfoil_guard_stale_requests_total{outcome=accepted}") >= 4);
    // It comes back by itself.
    for path in [FEED, INTROSPECT] {
        bench.server.be_honest(path);
    }
    until("in sync", || guard.status().state == GuardState::InSync).await;
    assert_eq!((get(&closed, &token).await, post(&guard, &token).await), ("", ""));
}

/// The process was stopped for a minute: the very first request knows that, before any task has run.
#[tokio::test]
async fn the_first_request_after_a_long_sleep_obeys() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let closed = guard.when_stale(WhenStale::always(StalePolicy::Closed));
    let token = bench.token();
    assert_eq!(get(&closed, &token).await, "");
    bench.hands.pass(60 * SECOND);
    assert_eq!(get(&closed, &token).await, "revocations_stale");
}

#[tokio::test]
async fn a_stale_answer_is_503_and_says_when_to_come_back() {
    let (bench, guard, token) = silent().await;
    let guard = guard.when_stale(WhenStale::always(StalePolicy::Closed));
    bench.hands.pass(6 * SECOND);
    let inner = tower::service_fn(async |_: Request<Body>| Ok::<_, std::convert::Infallible>("".into_response()));
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    *request.headers_mut() = bearer(&token);
    let answer = tower::ServiceBuilder::new().layer(guard.layer()).service(inner).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert!(!answer.headers().contains_key("www-authenticate"), "nobody is signed out by it");
}

#[tokio::test]
async fn a_token_may_be_asked_about() {
    let (bench, guard, token) = silent().await;
    bench.server.be_honest(INTROSPECT);
    bench.hands.pass(600 * SECOND);
    assert_eq!((post(&guard, &token).await, bench.server.calls(INTROSPECT)), ("", 1));
    bench.server.end_at_introspection(&token);
    assert_eq!(post(&guard, &token).await, "token_revoked");
    for lie in [unavailable, || "{}".into_response(), || endless(vec![]), || StatusCode::UNAUTHORIZED.into_response()] {
        bench.server.script(INTROSPECT, move |_| lie());
        assert_eq!(post(&guard, &token).await, "revocations_stale");
    }
    // A token that is not good is refused without asking anybody.
    let calls = bench.server.calls(INTROSPECT);
    assert_eq!(post(&guard, &bench.token_with("exp", 1)).await, "token_expired");
    assert_eq!(bench.server.calls(INTROSPECT), calls);
}

/// Many requests with one token are one question.
#[tokio::test]
async fn a_token_is_asked_about_once_at_a_time() {
    let (bench, guard, token) = silent().await;
    bench.server.be_honest(INTROSPECT);
    bench.hands.pass(6 * SECOND);
    let token = Arc::new(token);
    let asking = (0..100).map(|_| {
        let (guard, token) = (guard.clone(), Arc::clone(&token));
        tokio::spawn(async move { post(&guard, &token).await })
    });
    for answer in asking.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), "");
    }
    assert_eq!(bench.server.calls(INTROSPECT), 1);
}

/// Policies that look sessions up do it by introspection here.
#[tokio::test]
async fn what_is_looked_up_is_asked_for() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let tracked = bench.token_with("policy", "tracked");
    for calls in 1..3 {
        assert_eq!((get(&guard, &tracked).await, bench.server.calls(INTROSPECT)), ("", calls));
    }
    bench.server.end_at_introspection(&tracked);
    assert_eq!(get(&guard, &tracked).await, "session_ended");
    let personal = personal_token();
    assert_eq!((get(&guard, &personal).await, bench.server.calls(INTROSPECT)), ("", 4));
    assert_eq!((get(&guard, &personal).await, bench.server.calls(INTROSPECT)), ("", 4), "it is remembered");
    bench.server.revoke(Revocation::Session(SESSION));
    bench.server.end_at_introspection(&personal);
    until("applied", || guard.status().applied.seq == 1).await;
    assert_eq!(get(&guard, &personal).await, "personal_token_refused", "the feed ends what is remembered");
    bench.server.script(INTROSPECT, |_| unavailable());
    assert_eq!(ask(&guard, Method::GET, &tracked).await, "token_revoked");
    assert_eq!(get(&guard, &personal).await, "store_unavailable");
}

fn personal_token() -> String {
    use counterfoil_domain::{
        entropy::Entropy,
        opaque::{OpaqueSecret, SecretKind},
    };
    struct Ones;
    impl Entropy for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }
    OpaqueSecret::generate(SecretKind::PersonalToken, &Ones).expose_text()
}

#[tokio::test]
async fn the_user_of_the_layer_is_that_of_the_handler() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let app = axum::Router::new()
        .route("/", axum::routing::get(async |user: CurrentUser| user.account().to_string()))
        .layer(guard.layer())
        .with_state(guard.clone());
    // A tracked token shows how often it was asked about.
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    *request.headers_mut() = bearer(&bench.token_with("policy", "tracked"));
    assert_eq!(app.oneshot(request).await.unwrap().status(), StatusCode::OK);
    assert_eq!(bench.server.calls(INTROSPECT), 1);
}
