//! What no trying mends is said at the start, in words that tell what to do.

use crate::{
    bench::{AUDIENCE, Bench, get, until},
    server::{FEED, KEYS, METADATA, SECRET, SNAPSHOT, json_answer, unavailable},
};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use counterfoil_guard::{FollowError, Guard, GuardState};
use serde_json::json;

#[tokio::test]
async fn a_wrong_secret_is_an_error() {
    let bench = Bench::new().await;
    for guard in [bench.follow().client("billing", "cfk_wrong"), Guard::follow(&bench.server.issuer).audience(AUDIENCE)]
    {
        let error = guard.start().await.err().unwrap();
        assert!(matches!(error, FollowError::SecretRefused { .. }), "{error}");
        assert!(!error.to_string().contains("cfk_"), "{error}");
    }
    let calls = bench.server.all_calls();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(bench.server.all_calls(), calls, "nothing goes on behind it");
    bench.server.script(SNAPSHOT, |_| StatusCode::FORBIDDEN.into_response());
    let error = bench.follow().start().await.err().unwrap();
    assert!(matches!(error, FollowError::NotAVerifier { .. }), "{error}");
}

#[tokio::test]
async fn another_issuer_is_an_error() {
    let bench = Bench::new().await;
    let (issuer, keys) = (bench.server.issuer.clone(), format!("{}{KEYS}", bench.server.issuer));
    let feed = format!("{issuer}{FEED}");
    for (metadata, expected) in [
        (json!({"issuer": format!("{issuer}/"), "jwks_uri": keys, "counterfoil_feed_endpoint": feed}), "calls itself"),
        (json!({"issuer": issuer, "jwks_uri": keys}), "offers no feed"),
        (json!({"issuer": issuer, "counterfoil_feed_endpoint": feed}), "`jwks_uri`"),
        (
            json!({"issuer": issuer, "jwks_uri": "http://keys.example/", "counterfoil_feed_endpoint": feed}),
            "only https",
        ),
    ] {
        bench.server.script(METADATA, move |_| json_answer(&metadata));
        let error = bench.follow().start().await.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
    bench.server.script(METADATA, |_| StatusCode::NOT_FOUND.into_response());
    let error = bench.follow().start().await.err().unwrap();
    assert!(matches!(error, FollowError::NoMetadata { status: 404, .. }), "{error}");
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_before_anybody_is_asked() {
    let bench = Bench::new().await;
    let follow = |issuer: &str| Guard::follow(issuer).client("billing", SECRET).audience(AUDIENCE);
    for (guard, expected) in [
        (follow("http://auth.example.com"), "only https"),
        (follow("auth.example.com"), "no URL"),
        (follow("https://auth.example.com?tenant=1"), "no query"),
        (follow("https://auth.example.com").reached_at("http://10.0.0.1"), "only https"),
        (bench.follow().name("two words"), "1 to 48"),
    ] {
        let error = guard.start().await.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let without_audience = Guard::follow(&bench.server.issuer).without_feed().start().await;
    assert!(without_audience.err().unwrap().to_string().contains(".audience("));
    assert_eq!(bench.server.all_calls(), 0);
}

/// A server that does not answer is no mistake of whoever set this up.
#[tokio::test]
async fn a_server_that_is_away_makes_a_cold_guard_that_goes_on_trying() {
    let bench = Bench::new().await;
    for away in [unavailable, || Redirect::temporary("/elsewhere").into_response(), || "<html>".into_response()] {
        bench.server.script(METADATA, move |_| away());
        let guard = bench.follow().start().await.unwrap();
        let status = guard.status();
        assert_eq!((status.state, status.proof_age), (GuardState::Cold, None));
        assert_eq!(get(&guard, &bench.token()).await, "not_ready");
        assert!(status.last_failure.is_some());
        bench.server.be_honest(METADATA);
        guard.ready().await;
        assert_eq!(get(&guard, &bench.token()).await, "");
    }
    assert!(bench.log.has("the guard starts cold"));
}

/// Nobody listens there at all.
#[tokio::test]
async fn a_port_where_nobody_listens() {
    let bench = Bench::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let guard = Guard::follow(nobody).client("billing", SECRET).audience(AUDIENCE).start().await.unwrap();
    until("tried again", || bench.metrics.count("counterfoil_guard_failures_total{kind=unreachable}") >= 2).await;
    assert_eq!(get(&guard, &bench.token()).await, "not_ready");
}

/// The server is reached under another name than its own.
#[tokio::test]
async fn an_issuer_may_be_reached_elsewhere() {
    let bench = Bench::new().await;
    let issuer = "https://auth.example.com";
    bench.server.script(METADATA, move |_| {
        json_answer(&json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}{KEYS}"),
            "counterfoil_feed_endpoint": format!("{issuer}{FEED}"),
        }))
    });
    let follow = Guard::follow(issuer).reached_at(&bench.server.issuer).client("billing", SECRET).audience(AUDIENCE);
    let guard = follow.start().await.unwrap();
    assert_eq!(guard.status().state, GuardState::InSync);
    assert_eq!(get(&guard, &bench.token_with("iss", issuer)).await, "");
    assert_eq!(get(&guard, &bench.token()).await, "issuer_mismatch");
}
