//! Each refusal knows its answer (RFC 6750 §3, RFC 9457).

use crate::bench::{ACCOUNT, Bench, SESSION, claims_with};
use axum::{body::Body, http::Response};
use counterfoil_domain::revocation::Revocation;
use http_body_util::BodyExt;
use serde_json::Value;

/// Status, code and challenge of a refusal, whose form is checked on the way.
pub(crate) async fn refusal(answer: Response<Body>) -> (u16, String, String) {
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (status, challenge) = (answer.status().as_u16(), header("www-authenticate"));
    assert_eq!(header("content-type"), "application/problem+json");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("retry-after"), if status == 503 { "1" } else { "" });
    let body: Value = serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!((&body["type"], &body["status"]), (&"about:blank".into(), &status.into()));
    assert!(!body["title"].as_str().unwrap().is_empty() && !body["detail"].as_str().unwrap().is_empty());
    (status, body["code"].as_str().unwrap().to_owned(), challenge)
}

#[tokio::test]
async fn a_good_token_reaches_the_handler() {
    let bench = Bench::new();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = bench.ask(&[&format!("{scheme} {}", bench.good_token())]).await;
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, ACCOUNT.to_string());
    }
}

#[tokio::test]
async fn refusals() {
    let bench = Bench::new();
    let bearer = |token: &str| format!("Bearer {token}");
    let good = bearer(&bench.good_token());
    let cases: [(&[&str], u16, &str, &str); 7] = [
        (&[], 401, "token_missing", "Bearer"),
        (&["Basic bWluc3U6eA=="], 401, "token_missing", "Bearer"),
        (&["Bearer"], 400, "authorization_malformed", "invalid_request"),
        (&["Bearer a b"], 400, "authorization_malformed", "invalid_request"),
        (&[&good, &good], 400, "authorization_malformed", "invalid_request"),
        (&["Bearer garbage"], 401, "not_a_compact_jws", "invalid_token"),
        (&[&bearer(&bench.mint(&claims_with("exp", 1)))], 401, "token_expired", "invalid_token"),
    ];
    for (authorization, status, code, error) in cases {
        let challenge = match error {
            "Bearer" => "Bearer".to_owned(),
            error => format!("Bearer error=\"{error}\", error_description=\"{code}\""),
        };
        let told = refusal(bench.ask(authorization).await).await;
        assert_eq!(told, (status, code.to_owned(), challenge), "{authorization:?}");
    }
}

#[tokio::test]
async fn revoked_and_not_ready() {
    let bench = Bench::new();
    let good = format!("Bearer {}", bench.good_token());
    bench.revoke(Revocation::Session(SESSION));
    let challenge = "Bearer error=\"invalid_token\", error_description=\"token_revoked\"";
    assert_eq!(refusal(bench.ask(&[&good]).await).await, (401, "token_revoked".into(), challenge.into()));

    let bench = Bench::cold();
    let good = format!("Bearer {}", bench.good_token());
    assert_eq!(refusal(bench.ask(&[&good]).await).await, (503, "not_ready".into(), String::new()));
    let nothing = refusal(bench.ask(&[]).await).await;
    assert_eq!((nothing.0, nothing.1.as_str()), (401, "token_missing"));
}
