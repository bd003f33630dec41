//! `POST /oauth/introspect` (RFC 7662).

use crate::harness::{Carried, Fault, Server, members};
use counterfoil_domain::policy::SessionPolicy;
use serde_json::json;
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";

#[tokio::test]
async fn a_good_token_is_told_about_and_a_bad_one_is_not() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    let tokens = server.sign_up(EMAIL).await;

    let reply = orders.introspect(&server, &tokens.access).await.expect(200);
    assert_eq!((reply.header("cache-control"), reply.header("content-type")), ("no-store", "application/json"));
    let (said, claims) = (reply.json(), tokens.claims());
    assert_eq!(
        (&said["active"], &said["token_type"], &said["policy"]),
        (&true.into(), &"Bearer".into(), &"refresh".into())
    );
    for claim in ["iss", "sub", "aud", "client_id", "scope", "jti", "iat", "nbf", "exp", "sid", "gen", "auth_time"] {
        assert_eq!(said[claim], claims[claim], "{claim}");
    }
    assert!(!reply.text().contains(EMAIL), "no personal data");

    let refresh = orders.introspect(&server, &tokens.refresh).await.expect(200).json();
    assert_eq!((&refresh["active"], &refresh["sid"]), (&true.into(), &said["sid"]));
    assert!(refresh.get("token_type").is_none() && refresh.get("aud").is_none());

    let inactive = json!({ "active": false });
    for garbage in ["x", "a.b.c", "cfr_x", "cfp_x", "cfs_x", &format!("{}x", tokens.access), "line\nfeed", "é"] {
        assert_eq!(orders.introspect(&server, garbage).await.expect(200).json(), inactive, "{garbage}");
    }
    server.with_token("DELETE", "/v1/sessions/current", &tokens.access).await.expect(200);
    for token in [&tokens.access, &tokens.refresh] {
        assert_eq!(orders.introspect(&server, token).await.expect(200).json(), inactive);
    }
}

#[tokio::test]
async fn every_policy_that_has_a_token() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    server.sign_up(EMAIL).await;
    for policy in [SessionPolicy::Tracked, SessionPolicy::Sliding, SessionPolicy::Refresh, SessionPolicy::Personal] {
        let held = server.sign_in_with(EMAIL, policy).await;
        let Carried::Bearer(token) = &held.carried else { panic!("a token") };
        let said = orders.introspect(&server, token).await.expect(200).json();
        assert_eq!(
            (&said["active"], &said["policy"], &said["sid"]),
            (&true.into(), &policy.as_str().into(), &held.id.clone().into())
        );
        if policy == SessionPolicy::Personal {
            assert!(said.get("exp").is_none(), "it has no end");
        }
    }
    // An opaque session id is between a browser and this server.
    let held = server.sign_in_with(EMAIL, SessionPolicy::Session).await;
    let Carried::Cookie(cookie) = &held.carried else { panic!("a cookie") };
    let id = cookie.split_once('=').unwrap().1;
    assert_eq!(orders.introspect(&server, id).await.expect(200).json(), json!({ "active": false }));
}

#[tokio::test]
async fn what_is_past_or_spent_is_not_active() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    let tokens = server.sign_up(EMAIL).await;
    let active = async |token: &str| orders.introspect(&server, token).await.expect(200).json()["active"] == true;
    server.pass(Duration::from_mins(31)).await;
    assert!(!active(&tokens.access).await);
    let second = server.refresh(&tokens.refresh).await.expect(200).tokens();
    server.pass(Duration::from_mins(1)).await;
    let third = server.refresh(&second.refresh).await.expect(200).tokens();
    server.pass(Duration::from_mins(1)).await;
    let fourth = server.refresh(&third.refresh).await.expect(200).tokens();
    assert!(!active(&tokens.refresh).await, "spent long ago");
    // Asking about a spent token is no theft: the session goes on.
    assert!(active(&fourth.refresh).await && active(&fourth.access).await);
    server.account(&fourth.access).await.expect(200);
    server.disable(&fourth.account()).await;
    assert!(!active(&fourth.refresh).await && !active(&fourth.access).await);
}

#[tokio::test]
async fn a_store_that_does_not_answer_makes_nobody_inactive() {
    let (server, probes) = Server::start_probed().await;
    let orders = server.register("orders").await;
    let tokens = server.sign_up(EMAIL).await;
    orders.introspect(&server, &tokens.access).await.expect(200);
    for token in [&tokens.access, &tokens.refresh] {
        probes.fail(1, Fault::Unreachable);
        let refused = orders.introspect(&server, token).await;
        refused.expect_refusal(503, "temporarily_unavailable");
    }
    let missing = server.request("POST", "/oauth/introspect").form(&[("token", "")]);
    server.send(orders.with(missing)).await.expect_refusal(400, "invalid_request");
}

#[tokio::test]
async fn the_metadata_says_where_it_is() {
    let server = Server::start().await;
    let metadata = server.get("/.well-known/oauth-authorization-server").await.expect(200).json();
    let same = server.get("/.well-known/openid-configuration").await.expect(200).json();
    assert_eq!(metadata, same);
    let issuer = metadata["issuer"].as_str().unwrap();
    assert_eq!(metadata["introspection_endpoint"], format!("{issuer}/oauth/introspect"));
    assert_eq!(metadata["counterfoil_feed_endpoint"], format!("{issuer}/v1/feed"));
    assert_eq!(metadata["introspection_endpoint_auth_methods_supported"], json!(["client_secret_basic"]));
    assert!(members(&metadata).contains(&"jwks_uri"));
}
