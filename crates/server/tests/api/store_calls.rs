//! What each request costs the store, counted: verification nothing, everything else as little as it can.

use crate::harness::{Client, PASSWORD, Probes, Reply, Server};
use serde_json::json;

const EMAIL: &str = "minsu@example.com";

/// The calls of one request.
async fn calls(probes: &Probes, request: impl Future<Output = Reply>, status: u16) -> Vec<&'static str> {
    probes.take_calls();
    request.await.expect(status);
    probes.take_calls()
}

fn delete<'a>(client: &'a Client, path: &'a str, token: &'a str) -> impl Future<Output = Reply> + 'a {
    client.with_token("DELETE", path, token)
}

#[tokio::test]
async fn verification_asks_no_store() {
    let (server, probes) = Server::start_probed().await;
    let tokens = server.sign_up(EMAIL).await;
    let get = |path: &'static str| server.with_token("GET", path, &tokens.access);
    assert_eq!(calls(&probes, get("/v1/forward-auth"), 200).await, [""; 0]);
    assert_eq!(calls(&probes, get("/guarded"), 200).await, [""; 0]);
    assert_eq!(calls(&probes, server.account("garbage"), 401).await, [""; 0]);
    assert_eq!(calls(&probes, server.get("/v1/account"), 401).await, [""; 0]);
    assert_eq!(calls(&probes, server.get("/.well-known/jwks.json"), 200).await, [""; 0]);
    assert_eq!(calls(&probes, server.get("/.well-known/oauth-authorization-server"), 200).await, [""; 0]);
    assert_eq!(calls(&probes, server.get("/healthz"), 200).await, [""; 0]);
    assert_eq!(calls(&probes, get("/v1/account"), 200).await, ["account"]);
    assert_eq!(calls(&probes, get("/v1/sessions"), 200).await, ["sessions_of_account"]);
}

#[tokio::test]
async fn sign_up_is_one_write_and_sign_in_one_read_and_one_write() {
    let (server, probes) = Server::start_probed().await;
    let account = json!({ "email": EMAIL, "password": PASSWORD, "sign_in": {} });
    let sign_up = || server.post_json("/v1/accounts", &account);
    assert_eq!(calls(&probes, sign_up(), 201).await, ["create_account"]);
    assert_eq!(calls(&probes, sign_up(), 409).await, ["create_account"]);
    let weak = json!({ "email": EMAIL, "password": "x" });
    assert_eq!(calls(&probes, server.post_json("/v1/accounts", &weak), 422).await, [""; 0]);

    let sign_in = |email: &'static str, password| server.try_sign_in(email, password);
    assert_eq!(calls(&probes, sign_in(EMAIL, PASSWORD), 201).await, ["account_by_email", "update_account"]);
    // A refusal writes nothing, whatever its reason: nobody fills the disk by guessing.
    assert_eq!(calls(&probes, sign_in(EMAIL, "wrong"), 401).await, ["account_by_email"]);
    assert_eq!(calls(&probes, sign_in("nobody@example.com", PASSWORD), 401).await, ["account_by_email"]);
    assert_eq!(calls(&probes, sign_in("no address", PASSWORD), 401).await, [""; 0]);
}

#[tokio::test]
async fn refresh_and_sign_out_are_one_call_each_and_forged_tokens_none() {
    let (server, probes) = Server::start_probed().await;
    let tokens = server.sign_up(EMAIL).await;
    let update = ["update_session"];
    assert_eq!(calls(&probes, server.refresh(&tokens.refresh), 200).await, update);
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    assert_eq!(calls(&probes, server.post_form("/oauth/token", &form), 200).await, update);
    let along = json!({ "refresh_token": tokens.refresh, "access_token": "a.b.c" });
    let along = server.post_json("/v1/sessions/current/refresh", &along);
    assert_eq!(calls(&probes, along, 401).await, [""; 0]);
    let mut forged = tokens.refresh.clone();
    let last = forged.pop();
    forged.push(if last == Some('A') { 'B' } else { 'A' });
    for token in [forged.as_str(), "cfr_", "garbage", &tokens.access] {
        assert_eq!(calls(&probes, server.refresh(token), 401).await, [""; 0], "{token}");
    }
    for token in [forged.as_str(), "cfr_", "garbage"] {
        assert_eq!(calls(&probes, server.post_form("/oauth/revoke", &[("token", token)]), 200).await, [""; 0]);
    }

    let other = server.sign_in(EMAIL).await;
    for token in [other.access.as_str(), &other.refresh] {
        assert_eq!(calls(&probes, server.post_form("/oauth/revoke", &[("token", token)]), 200).await, update);
    }
    let path = format!("/v1/sessions/{}", other.session());
    assert_eq!(calls(&probes, delete(&server, &path, &tokens.access), 200).await, update);
    let all = ["update_account"];
    assert_eq!(calls(&probes, delete(&server, "/v1/sessions?keep_current=true", &tokens.access), 200).await, all);
    assert_eq!(calls(&probes, delete(&server, "/v1/sessions", &tokens.access), 200).await, all);
}

/// A process that did not sign the person in reads the address once.
#[tokio::test]
async fn after_a_restart_the_address_is_read_once() {
    let (server, probes) = Server::start_probed().await;
    let tokens = server.sign_up(EMAIL).await;
    let somebody_else = server.sign_up("jiho@example.com").await;
    for tokens in [&tokens, &somebody_else] {
        assert_eq!(calls(&probes, server.with_token("GET", "/v1/forward-auth", &tokens.access), 200).await, [""; 0]);
    }
    let (folder, clock) = server.stop().await;
    let (server, probes) = Server::start_probed_in(folder, clock).await;
    let ask = || server.with_token("GET", "/v1/forward-auth", &tokens.access);
    assert_eq!(calls(&probes, ask(), 200).await, ["account"]);
    assert_eq!(calls(&probes, ask(), 200).await, [""; 0]);
    assert_eq!(calls(&probes, server.with_token("GET", "/guarded", &tokens.access), 200).await, [""; 0]);
}
