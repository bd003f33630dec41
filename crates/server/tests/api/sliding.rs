//! Sliding sessions: extended by asking, by a layer, by a gateway; and what is refused.

use crate::harness::{ACCESS_COOKIE, Carried, Held, PASSWORD, Server};
use counterfoil_domain::policy::SessionPolicy;
use counterfoil_jwt::UnverifiedToken;
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";
const MINUTE: Duration = Duration::from_mins(1);

fn claims(token: &str) -> Value {
    serde_json::from_str(UnverifiedToken::decode(token).unwrap().claims_json().unwrap()).unwrap()
}

fn token(held: &Held) -> &str {
    match &held.carried {
        Carried::Bearer(token) => token,
        Carried::Cookie(pair) => pair.split_once('=').unwrap().1,
    }
}

async fn signed_in() -> (Server, Held) {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let held = server.sign_in_with(EMAIL, SessionPolicy::Sliding).await;
    (server, held)
}

#[tokio::test]
async fn the_token_before_stays_good_until_its_own_end_and_dies_with_the_session() {
    let (server, first) = signed_in().await;
    server.pass(20 * MINUTE).await;
    let mut second = first.clone();
    assert_eq!(second.renew(&server).await, "");
    assert_eq!(claims(token(&second))["exp"].as_i64(), claims(token(&first))["exp"].as_i64().map(|exp| exp + 1_200));
    assert_eq!(claims(token(&second))["policy"], "sliding");
    for held in [&first, &second] {
        held.ask(&server).await.expect(200);
    }
    server.pass(11 * MINUTE).await;
    assert_eq!((first.code(&server).await.as_str(), second.code(&server).await.as_str()), ("token_expired", ""));
    second.send(&server, "DELETE", "/v1/sessions/current", None).await.expect(200);
    assert_eq!(second.code(&server).await, "token_revoked");
}

#[tokio::test]
async fn near_its_absolute_limit_the_token_ends_there() {
    let (server, mut held) = signed_in().await;
    let until = claims(token(&held))["iat"].as_i64().unwrap() + 12 * 3600;
    for _ in 0..35 {
        server.pass(20 * MINUTE).await;
        assert_eq!(held.renew(&server).await, "");
    }
    assert_eq!(claims(token(&held))["exp"], until);
    server.pass(20 * MINUTE).await;
    // Within the leeway the token still verifies; the session is over all the same.
    let before = server.snapshot().await;
    assert_eq!(held.renew(&server).await, "token_revoked");
    assert_eq!(server.snapshot().await, before);
}

#[tokio::test]
async fn other_policies_are_not_extended() {
    let (server, _) = signed_in().await;
    for policy in SessionPolicy::ALL.into_iter().filter(|policy| *policy != SessionPolicy::Sliding) {
        let held = server.sign_in_with(EMAIL, policy).await;
        let before = server.snapshot().await;
        let reply = held.send(&server, "POST", "/v1/sessions/current/extend", None).await;
        if policy == SessionPolicy::Personal {
            reply.expect_refusal(409, "not_sliding");
            continue; // its first use was written down
        }
        reply.expect_refusal(409, "not_sliding");
        assert_eq!(server.snapshot().await, before, "{policy}");
    }
}

#[tokio::test]
async fn an_extension_keeps_the_scope() {
    let (server, _) = signed_in().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "policy": "sliding", "scope": "" });
    let narrow = server.post_json("/v1/sessions", &body).await.expect(201).json();
    let token = narrow["access_token"].as_str().unwrap();
    let extended = server.with_token("POST", "/v1/sessions/current/extend", token).await.expect(200).json();
    assert_eq!(extended["scope"], "");
    server.account(extended["access_token"].as_str().unwrap()).await.expect_refusal(403, "insufficient_scope");
}

/// A service's handler that is marked as extending: `/extending` in the harness.
#[tokio::test]
async fn a_marked_handler_brings_a_new_token_once_the_old_one_is_a_minute_old() {
    let (server, held) = signed_in().await;
    let ask = || held.send(&server, "GET", "/extending", None);
    assert!(ask().await.expect(200).headers.get("counterfoil-access-token").is_none());
    server.pass(MINUTE).await;
    let reply = ask().await.expect(200);
    let new = reply.header("counterfoil-access-token").to_owned();
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(claims(&new)["exp"].as_i64(), claims(token(&held))["exp"].as_i64().map(|exp| exp + 60));
    server.account(&new).await.expect(200);
    // A refusal is no use, and other policies are left alone.
    let missing = held.send(&server, "GET", "/extending?fail=true", None).await.expect(422);
    assert!(missing.headers.get("counterfoil-access-token").is_none());
    let refresh = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    server.pass(MINUTE).await;
    let reply = refresh.send(&server, "GET", "/extending", None).await.expect(200);
    assert!(reply.headers.get("counterfoil-access-token").is_none());
    held.send(&server, "GET", "/guarded", None).await.expect(200);
}

#[tokio::test]
async fn what_came_as_a_cookie_goes_back_as_a_cookie() {
    let (server, _) = signed_in().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "policy": "sliding", "transport": "cookie" });
    let pair = server.post_json("/v1/sessions", &body).await.expect(201).cookie(ACCESS_COOKIE).unwrap();
    let carried = Carried::Cookie(pair.clone());
    server.pass(MINUTE).await;
    for path in ["/extending", "/v1/forward-auth?extend=true"] {
        let reply = server.send(carried.with(server.request("GET", path))).await.expect(200);
        let renewed = reply.cookie(ACCESS_COOKIE).unwrap();
        assert_ne!(renewed, pair, "{path}");
        assert!(reply.headers.get("counterfoil-access-token").is_none());
        server.send(Carried::Cookie(renewed).with(server.request("GET", "/v1/account"))).await.expect(200);
    }
    // Behind HTTP Basic too: in the body or another header, scripts could read it.
    for (method, path) in
        [("GET", "/extending"), ("GET", "/v1/forward-auth?extend=true"), ("POST", "/v1/sessions/current/extend")]
    {
        let request = carried.with(server.request(method, path)).header("authorization", "Basic bWluc3U6cGx1bQ==");
        let reply = server.send(request).await.expect(200);
        assert!(reply.cookie(ACCESS_COOKIE).is_some(), "{path}");
        assert!(reply.headers.get("counterfoil-access-token").is_none() && !reply.text().contains("eyJ"), "{path}");
    }
    let reply = server.send(carried.with(server.request("GET", "/v1/forward-auth"))).await.expect(200);
    assert!(reply.cookie(ACCESS_COOKIE).is_none(), "the gateway did not ask for it");
}

#[tokio::test]
async fn a_store_that_fails_does_not_touch_the_request() {
    let (server, probes) = Server::start_probed().await;
    server.sign_up(EMAIL).await;
    let held = server.sign_in_with(EMAIL, SessionPolicy::Sliding).await;
    server.pass(MINUTE).await;
    probes.fail(1, crate::harness::Fault::Unreachable);
    let reply = held.send(&server, "GET", "/extending", None).await.expect(200);
    assert!(probes.has_failed() && reply.headers.get("counterfoil-access-token").is_none());
    probes.fail(1, crate::harness::Fault::Unreachable);
    let refused = held.send(&server, "POST", "/v1/sessions/current/extend", None).await;
    refused.expect_refusal(503, "store_unavailable");
    held.ask(&server).await.expect(200);
}
