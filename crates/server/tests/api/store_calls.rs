//! What each request costs the store, counted: verification nothing, everything else as little as it can.

use crate::harness::{Carried, Client, PASSWORD, Probes, Reply, Server};
use counterfoil_domain::policy::SessionPolicy;
use serde_json::json;
use std::time::Duration;

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

/// What each request costs under each policy: the promise of the table in docs/policies.md.
#[tokio::test]
async fn each_policy_costs_what_it_says() {
    let (server, probes) = Server::start_probed().await;
    server.sign_up(EMAIL).await;
    for (policy, read) in [
        (SessionPolicy::Session, &["session_by_secret"][..]),
        (SessionPolicy::Tracked, &["session"]),
        (SessionPolicy::Sliding, &[]),
        (SessionPolicy::Refresh, &[]),
        (SessionPolicy::Personal, &[]),
    ] {
        let held = server.sign_in_with(EMAIL, policy).await;
        let ask = || calls(&probes, held.send(&server, "GET", "/guarded", None), 200);
        // A personal token is looked up once in five minutes, and its first use is written down.
        let cold = ask().await;
        let expected =
            if policy == SessionPolicy::Personal { &["session_by_secret", "update_session"][..] } else { read };
        assert_eq!(cold, expected, "{policy}, cold");
        for _ in 0..100 {
            assert_eq!(ask().await, read, "{policy}, warm");
        }
        // That somebody was there is written down once a minute, where the session is looked up anyway.
        server.pass(Duration::from_mins(1)).await;
        let written: Vec<_> = read.iter().copied().chain((!read.is_empty()).then_some("update_session")).collect();
        assert_eq!(ask().await, written, "{policy}, a minute later");
        assert_eq!(ask().await, read, "{policy}, after that");
    }
}

#[tokio::test]
async fn what_goes_on_or_changes_an_account_is_one_atomic_step() {
    let (server, probes) = Server::start_probed().await;
    server.sign_up(EMAIL).await;
    let sliding = server.sign_in_with(EMAIL, SessionPolicy::Sliding).await;
    let extend = sliding.send(&server, "POST", "/v1/sessions/current/extend", None);
    assert_eq!(calls(&probes, extend, 200).await, ["update_session"]);
    let refresh = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    assert_eq!(calls(&probes, server.refresh(refresh.refresh.as_deref().unwrap()), 200).await, ["update_session"]);

    let send = |method: &'static str, path: &'static str, body: Option<serde_json::Value>| {
        let held = refresh.clone();
        let server = &server;
        async move { held.send(server, method, path, body).await }
    };
    let token = Some(json!({ "name": "backup", "scope": "account" }));
    assert_eq!(calls(&probes, send("POST", "/v1/personal-tokens", token), 201).await, ["update_account"]);
    assert_eq!(calls(&probes, send("GET", "/v1/personal-tokens", None), 200).await, ["sessions_of_account"]);
    assert_eq!(calls(&probes, send("DELETE", "/v1/personal-tokens", None), 200).await, ["update_account"]);
    let name = Some(json!({ "name": "민수" }));
    assert_eq!(calls(&probes, send("PATCH", "/v1/account", name), 200).await, ["update_account"]);
    let passwords = Some(json!({ "current_password": PASSWORD, "new_password": "seven purple walruses at sea" }));
    let change = calls(&probes, send("PUT", "/v1/account/password", passwords), 200).await;
    assert_eq!(change, ["account_with_password", "update_account"]);
    let wrong = Some(json!({ "current_password": PASSWORD, "new_password": "seven purple walruses at sea" }));
    let refused = calls(&probes, send("PUT", "/v1/account/password", wrong), 403).await;
    assert_eq!(refused, ["account_with_password"]);
    assert_eq!(calls(&probes, send("DELETE", "/v1/account", None), 200).await, ["update_account"]);
}

/// A sign-in looks for what the browser held before only where it held something that we made.
#[tokio::test]
async fn a_sign_in_in_the_same_browser_reads_once_more() {
    let (server, probes) = Server::start_probed().await;
    server.sign_up(EMAIL).await;
    let held = server.sign_in_with(EMAIL, SessionPolicy::Session).await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "policy": "session" });
    let again = held.send(&server, "POST", "/v1/sessions", Some(body.clone()));
    let expected = ["account_by_email", "session_by_secret", "update_account"];
    assert_eq!(calls(&probes, again, 201).await, expected);
    let planted = Carried::Cookie("__Host-counterfoil-session=cfs_planted".to_owned());
    let request = planted.with(server.request("POST", "/v1/sessions")).json(&body);
    assert_eq!(calls(&probes, server.send(request), 201).await, ["account_by_email", "update_account"]);
}
