//! Personal tokens: made once, shown once, remembered in memory, dead at once when deleted.

use crate::harness::{Carried, DATA_FILE, Held, PASSWORD, Server, members};
use counterfoil_domain::{policy::SessionPolicy, time::Clock};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";

async fn signed_in() -> (Server, Held) {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let maker = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    (server, maker)
}

async fn list(server: &Server, maker: &Held) -> Vec<Value> {
    let body = maker.send(server, "GET", "/v1/personal-tokens", None).await.expect(200).json();
    body["personal_tokens"].as_array().unwrap().clone()
}

fn secret(held: &Held) -> &str {
    match &held.carried {
        Carried::Bearer(token) => token,
        Carried::Cookie(_) => panic!("a cookie"),
    }
}

#[tokio::test]
async fn it_is_shown_once_and_only_its_digest_is_kept() {
    let (server, maker) = signed_in().await;
    let request = json!({ "name": " nightly backup ", "scope": "account" });
    let reply = maker.send(&server, "POST", "/v1/personal-tokens", Some(request)).await.expect(201);
    assert_eq!(reply.header("cache-control"), "no-store");
    let body = reply.json();
    let shown = ["created_at", "expires_at", "id", "last_used_at", "name", "never_expires", "scope", "token"];
    assert_eq!(members(&body), shown);
    assert_eq!((&body["name"], &body["scope"]), (&"nightly backup".into(), &"account".into()));
    assert_eq!((&body["expires_at"], &body["never_expires"]), (&Value::Null, &true.into()));
    let token = body["token"].as_str().unwrap();
    assert!(token.starts_with("cfp_") && token.len() == 52, "{token}");

    let listed = list(&server, &maker).await;
    assert_eq!(listed.len(), 1);
    assert!(!listed[0].to_string().contains("cfp_") && listed[0]["last_used_at"].is_null());
    let file = std::fs::read(server.counterfoil().data_path().join(DATA_FILE)).unwrap();
    assert!(memchr::memmem::find(&file, token.as_bytes()).is_none());
    assert!(server.sessions(secret(&maker)).await.iter().all(|session| session["policy"] != "personal"));
}

#[tokio::test]
async fn it_is_looked_up_once_in_five_minutes_and_its_use_is_written_down() {
    let (server, probes) = Server::start_probed().await;
    server.sign_up(EMAIL).await;
    let maker = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    let held = server.personal_token(&maker, &json!({ "name": "backup", "scope": "account" })).await;
    let guarded = async || {
        probes.take_calls();
        held.send(&server, "GET", "/guarded", None).await.expect(200);
        probes.take_calls()
    };
    assert_eq!(guarded().await, ["session_by_secret", "update_session"], "cold, and used for the first time");
    assert_eq!(guarded().await, [""; 0]);
    server.pass(Duration::from_secs(299)).await;
    assert_eq!(guarded().await, [""; 0]);
    // And the leeway of verifiers.
    server.pass(Duration::from_secs(7)).await;
    assert_eq!(guarded().await, ["session_by_secret", "update_session"]);
    let listed = list(&server, &maker).await;
    let used = counterfoil_wire::Timestamp::from_unix_millis(server.clock.now().as_millis());
    assert_eq!(listed[0]["last_used_at"], used.to_string());
}

#[tokio::test]
async fn mistyped_ones_cost_no_look_up() {
    let (server, probes) = Server::start_probed().await;
    server.sign_up(EMAIL).await;
    let maker = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    let held = server.personal_token(&maker, &json!({ "name": "backup", "scope": "account" })).await;
    let good = secret(&held);
    let swapped = format!("{}{}{}", &good[..20], if &good[20..21] == "A" { "B" } else { "A" }, &good[21..]);
    probes.take_calls();
    for token in [&swapped, &good[..51], "cfp_", &format!("{good}A")] {
        server.account(token).await.expect_refusal(401, "personal_token_mistyped");
    }
    assert_eq!(probes.take_calls(), [""; 0]);
    // One of the right form that nobody was given costs one.
    let made_up = "cfp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADNKsY_";
    server.account(made_up).await.expect_refusal(401, "personal_token_refused");
    assert_eq!(probes.take_calls(), ["session_by_secret"]);
}

#[tokio::test]
async fn deleted_it_is_refused_at_the_next_request_and_by_its_owner_only() {
    let (server, maker) = signed_in().await;
    let held = server.personal_token(&maker, &json!({ "name": "backup", "scope": "account" })).await;
    let path = format!("/v1/personal-tokens/{}", held.id);
    assert_eq!(held.code(&server).await, "");
    server.sign_up("jiho@example.com").await;
    let stranger = server.sign_in_with("jiho@example.com", SessionPolicy::Refresh).await;
    let before = server.snapshot().await;
    for path in [path.as_str(), "/v1/personal-tokens/x", "/v1/personal-tokens/%ff"] {
        let refused = stranger.send(&server, "DELETE", path, None).await;
        refused.expect_refusal(404, "personal_token_not_found");
    }
    // A sign-in is no personal token, nor the other way round.
    let refused = maker.send(&server, "DELETE", &format!("/v1/personal-tokens/{}", maker.id), None).await;
    refused.expect_refusal(404, "personal_token_not_found");
    let refused = maker.send(&server, "DELETE", &format!("/v1/sessions/{}", held.id), None).await;
    refused.expect_refusal(404, "session_not_found");
    assert_eq!(server.snapshot().await, before);

    let answer = maker.send(&server, "DELETE", &path, None).await.expect(200).json();
    assert_eq!((&answer["revoked"], &answer["feed"]["seq"]), (&1.into(), &1.into()));
    assert_eq!(held.code(&server).await, "personal_token_refused");
    assert!(list(&server, &maker).await.is_empty());
}

#[tokio::test]
async fn all_at_once_and_by_giving_it_back() {
    let (server, maker) = signed_in().await;
    let mut tokens = Vec::new();
    for name in ["a", "b", "c"] {
        tokens.push(server.personal_token(&maker, &json!({ "name": name, "scope": "account" })).await);
    }
    server.post_form("/oauth/revoke", &[("token", secret(&tokens[0]))]).await.expect(200);
    let codes = async || {
        let mut codes = Vec::new();
        for token in &tokens {
            codes.push(token.code(&server).await);
        }
        codes
    };
    assert_eq!(codes().await, ["personal_token_refused", "", ""]);
    let answer = maker.send(&server, "DELETE", "/v1/personal-tokens", None).await.expect(200).json();
    assert_eq!(answer["revoked"], 2);
    assert!(codes().await.iter().all(|code| code == "personal_token_refused"));
    assert_eq!(maker.code(&server).await, "");
}

#[tokio::test]
async fn it_may_do_no_more_than_who_makes_it() {
    let (server, maker) = signed_in().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "scope": "account" });
    server.post_json("/v1/sessions", &body).await.expect(201);
    let before = server.snapshot().await;
    for (request, status, code) in [
        (json!({ "name": "x", "scope": "account admin" }), 422, "scope_not_allowed"),
        (json!({ "name": "x", "scope": "a  b" }), 422, "invalid_scope"),
        (json!({ "name": "x", "scope": "account", "expires_at": "2001-01-01T00:00:00Z" }), 422, "expiry_past"),
        (json!({ "name": "x", "scope": "account", "expires_at": "tomorrow" }), 422, "invalid_request"),
        (json!({ "name": "  ", "scope": "account" }), 422, "invalid_name"),
        (json!({ "name": "x" }), 422, "invalid_request"),
        (json!({ "name": "x", "scope": "account", "more": 1 }), 422, "invalid_request"),
    ] {
        let refused = maker.send(&server, "POST", "/v1/personal-tokens", Some(request)).await;
        refused.expect_refusal(status, code);
    }
    assert_eq!(server.snapshot().await, before);
    for _ in 0..50 {
        server.personal_token(&maker, &json!({ "name": "many", "scope": "" })).await;
    }
    let request = json!({ "name": "one more", "scope": "" });
    let refused = maker.send(&server, "POST", "/v1/personal-tokens", Some(request)).await;
    refused.expect_refusal(409, "too_many_personal_tokens");
}

/// Making and deleting them again and again leaves an entry in every verifier's memory each time.
#[tokio::test]
async fn too_many_in_an_hour_are_refused() {
    let (server, maker) = signed_in().await;
    let request = json!({ "name": "loop", "scope": "" });
    for _ in 0..100 {
        server.personal_token(&maker, &request).await;
        if server.counterfoil().app().personal_tokens(maker_account(&server).await).await.unwrap().len() == 50 {
            maker.send(&server, "DELETE", "/v1/personal-tokens", None).await.expect(200);
        }
    }
    let before = server.snapshot().await;
    let refused = maker.send(&server, "POST", "/v1/personal-tokens", Some(request.clone())).await;
    assert_eq!(
        (refused.status, refused.code().as_str(), refused.header("retry-after")),
        (429, "too_many_requests", "600")
    );
    assert_eq!(server.snapshot().await, before);
    server.pass(Duration::from_hours(1)).await;
    let maker = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    server.personal_token(&maker, &request).await;
}

async fn maker_account(server: &Server) -> counterfoil_domain::id::AccountId {
    server.snapshot().await.accounts[0].id
}

/// Another process on the same store (the command line) deletes it: the feed tells, within a second.
#[tokio::test]
async fn what_another_process_deletes_is_refused_within_a_second() {
    let (server, maker) = signed_in().await;
    let held = server.personal_token(&maker, &json!({ "name": "backup", "scope": "account" })).await;
    assert_eq!(held.code(&server).await, "");
    let entropy = std::sync::Arc::new(counterfoil::system::OsEntropy);
    let end = move |view: Option<&counterfoil_domain::session::SessionView>, now| {
        let occasion = counterfoil_domain::event::Occasion { now, ip: None, entropy: &*entropy };
        let by = counterfoil_domain::session::EndOne::Operator;
        counterfoil_domain::session::end_one(view, &by, Duration::from_hours(1), &occasion)
    };
    server.store().decide_session(held.id.parse().unwrap(), end).await.unwrap();
    let is_refused = || async { held.code(&server).await == "personal_token_refused" };
    crate::harness::eventually("the feed is followed", Duration::from_secs(1), is_refused).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_says_nothing_of_the_token() {
    let (server, probes) = Server::start_probed().await;
    server.sign_up(EMAIL).await;
    let maker = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    let personal = server.personal_token(&maker, &json!({ "name": "backup", "scope": "account" })).await;
    let session = server.sign_in_with(EMAIL, SessionPolicy::Session).await;
    let tracked = server.sign_in_with(EMAIL, SessionPolicy::Tracked).await;
    for held in [&personal, &session, &tracked] {
        probes.fail(1, crate::harness::Fault::Unreachable);
        let reply = held.send(&server, "GET", "/v1/forward-auth", None).await;
        reply.expect_refusal(503, "store_unavailable");
        assert!(probes.has_failed());
        held.send(&server, "GET", "/v1/forward-auth", None).await.expect(200);
    }
    // Once remembered, it needs no store.
    probes.fail(1, crate::harness::Fault::Unreachable);
    personal.send(&server, "GET", "/guarded", None).await.expect(200);
    assert!(!probes.has_failed());
}
