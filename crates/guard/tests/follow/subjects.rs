//! Issuers that offer no feed.

use crate::{
    bench::{AUDIENCE, Bench, bearer, key, until},
    server::{FEED, KEYS, METADATA, json_answer, unavailable},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
    response::IntoResponse,
    routing::get,
};
use counterfoil_guard::{FollowError, Guard, Subject, SubjectGuard};
use counterfoil_jwt::sign;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

const OPENID: &str = "/.well-known/openid-configuration";

#[derive(serde::Deserialize)]
struct Tenant {
    tenant: String,
}

/// Somebody else's server: it publishes keys under OpenID Connect's address.
async fn elsewhere() -> (Bench, Value) {
    let bench = Bench::new().await;
    let issuer = bench.server.issuer.clone();
    bench.server.script(METADATA, |_| StatusCode::NOT_FOUND.into_response());
    bench.server.script(FEED, |_| panic!("nobody asks for a feed"));
    bench.server.script(OPENID, {
        let issuer = issuer.clone();
        move |_| json_answer(&json!({"issuer": issuer, "jwks_uri": format!("{issuer}{KEYS}")}))
    });
    let claims = json!({
        "iss": issuer, "sub": "auth0|5f7c8ec7c33c6c004bbafe82", "aud": AUDIENCE, "exp": now() + 600, "scope": "read",
        "client_id": "dashboard", "tenant": "acme",
    });
    (bench, claims)
}

/// These go by the machine's own clock: there is no other.
fn now() -> i64 {
    use counterfoil_domain::time::Clock;
    crate::bench::Hands::new().now().as_seconds()
}

fn follow(bench: &Bench) -> counterfoil_guard::Follow {
    Guard::follow(&bench.server.issuer).audience(AUDIENCE).clock(bench.hands.clone())
}

async fn code(guard: &SubjectGuard, token: &str) -> &'static str {
    guard.authenticate(&bearer(token)).await.err().map_or("", |rejection| rejection.code())
}

#[tokio::test]
async fn they_are_followed_when_asked_for_and_not_otherwise() {
    let (bench, claims) = elsewhere().await;
    let openid = json!({"issuer": bench.server.issuer, "jwks_uri": format!("{}{KEYS}", bench.server.issuer)});
    bench.server.script(METADATA, move |_| json_answer(&openid));
    let error = follow(&bench).start().await.err().unwrap();
    assert!(matches!(error, FollowError::NoFeed { .. }), "{error}");
    assert!(error.to_string().contains("call without_feed() if that is acceptable"), "{error}");
    bench.server.script(METADATA, |_| StatusCode::NOT_FOUND.into_response());
    let guard = follow(&bench).without_feed().start().await.unwrap();
    assert!(bench.log.has("a sign-out is not seen here before the token ends"));
    let token = sign(&bench.server.key, "at+jwt", &claims).unwrap();
    let subject = guard.authenticate(&bearer(&token)).await.unwrap();
    assert_eq!((subject.subject(), subject.client_id()), ("auth0|5f7c8ec7c33c6c004bbafe82", Some("dashboard")));
    assert!(subject.require_scope("read").is_ok());
    assert_eq!(subject.require_scope("write").unwrap_err().status(), StatusCode::FORBIDDEN);
    assert_eq!(subject.claims::<Tenant>().unwrap().tenant, "acme");
    assert_eq!(guard.authenticate(&HeaderMap::new()).await.unwrap_err().code(), "token_missing");
}

#[tokio::test]
async fn what_is_not_for_this_service_is_refused() {
    let (bench, claims) = elsewhere().await;
    let strict = follow(&bench).without_feed().start().await.unwrap();
    let any = follow(&bench).without_feed().any_type().start().await.unwrap();
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        sign(&bench.server.key, "at+jwt", &claims).unwrap()
    };
    let id_token = sign(&bench.server.key, "JWT", &claims).unwrap();
    assert_eq!((code(&strict, &id_token).await, code(&any, &id_token).await), ("type_mismatch", ""));
    for (token, expected) in [
        (with("iss", json!("https://other.example")), "issuer_mismatch"),
        (with("aud", json!("another")), "audience_mismatch"),
        (with("exp", json!(now() - 60)), "token_expired"),
        (with("sub", json!("")), "claims_not_usable"),
        (with("scope", json!("read  write")), "claims_not_usable"),
        (sign(&key("x"), "at+jwt", &claims).unwrap(), "unknown_key"),
    ] {
        assert_eq!(code(&strict, &token).await, expected);
    }
}

#[tokio::test]
async fn keys_that_come_later_are_found() {
    let (bench, claims) = elsewhere().await;
    bench.server.script(KEYS, |_| unavailable());
    let guard = follow(&bench).without_feed().start().await.unwrap();
    let token = sign(&bench.server.key, "at+jwt", &claims).unwrap();
    assert_eq!(code(&guard, &token).await, "not_ready");
    bench.server.be_honest(KEYS);
    guard.ready().await;
    assert_eq!(code(&guard, &token).await, "");
    let next = key("k2");
    bench.server.publish(&[&bench.server.key, &next]);
    let token = sign(&next, "at+jwt", &claims).unwrap();
    assert_eq!(code(&guard, &token).await, "");
    let calls = bench.server.all_calls();
    assert_eq!(code(&guard, &token).await, "");
    assert_eq!(bench.server.all_calls(), calls);
    // And an issuer that is away at the start is found when it is back.
    bench.server.script(OPENID, |_| unavailable());
    let guard = follow(&bench).without_feed().start().await.unwrap();
    assert_eq!(code(&guard, &token).await, "not_ready");
    bench.server.be_honest(OPENID);
    let openid = json!({"issuer": bench.server.issuer, "jwks_uri": format!("{}{KEYS}", bench.server.issuer)});
    bench.server.script(OPENID, move |_| json_answer(&openid));
    guard.ready().await;
    assert_eq!(code(&guard, &token).await, "");
    let calls = bench.server.all_calls();
    drop(guard);
    tokio::time::sleep(Duration::from_millis(50)).await;
    until("quiet", || bench.server.all_calls() == calls).await;
}

#[tokio::test]
async fn a_handler_takes_a_subject_or_none() {
    let (bench, claims) = elsewhere().await;
    let guard = follow(&bench).without_feed().start().await.unwrap();
    let who =
        async |subject: Option<Subject>| subject.map_or("nobody".to_owned(), |subject| subject.subject().to_owned());
    let app = Router::new().route("/", get(who)).with_state(guard);
    let ask = async |headers: HeaderMap| {
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        *request.headers_mut() = headers;
        app.clone().oneshot(request).await.unwrap().status()
    };
    let token = sign(&bench.server.key, "at+jwt", &claims).unwrap();
    assert_eq!(ask(HeaderMap::new()).await, StatusCode::OK);
    assert_eq!(ask(bearer(&token)).await, StatusCode::OK);
    assert_eq!(ask(bearer("not.a.token")).await, StatusCode::UNAUTHORIZED);
}
