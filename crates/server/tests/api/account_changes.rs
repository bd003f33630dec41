//! Changing one's own account: password, address, name; deleting it.

use crate::harness::{Carried, Held, PASSWORD, SESSION_COOKIE, Server};
use counterfoil_domain::{event::EventKind, policy::SessionPolicy};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";
const NEW_PASSWORD: &str = "seven purple walruses at sea";

async fn signed_in(policy: SessionPolicy) -> (Server, Held) {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let held = server.sign_in_with(EMAIL, policy).await;
    (server, held)
}

fn passwords(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

#[tokio::test]
async fn a_new_password_ends_the_other_sign_ins_and_the_old_one_is_no_good() {
    let (server, held) = signed_in(SessionPolicy::Refresh).await;
    let other = server.sign_in_with(EMAIL, SessionPolicy::Session).await;
    let reply =
        held.send(&server, "PUT", "/v1/account/password", Some(passwords(PASSWORD, NEW_PASSWORD))).await.expect(200);
    assert_eq!(reply.json()["revoked"], 2, "the sign-up's session and the other one");
    assert_eq!((held.code(&server).await.as_str(), other.code(&server).await.as_str()), ("", "session_ended"));
    server.refresh(held.refresh.as_deref().unwrap()).await.expect(200);
    server.try_sign_in(EMAIL, PASSWORD).await.expect_refusal(401, "invalid_credentials");
    server.try_sign_in(EMAIL, NEW_PASSWORD).await.expect(201);
    let kinds: Vec<_> = server.snapshot().await.events.iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::PasswordChanged));
}

#[tokio::test]
async fn a_cookie_session_gets_a_new_id_with_it() {
    let (server, held) = signed_in(SessionPolicy::Session).await;
    let reply =
        held.send(&server, "PUT", "/v1/account/password", Some(passwords(PASSWORD, NEW_PASSWORD))).await.expect(200);
    let renewed = Held { carried: Carried::Cookie(reply.cookie(SESSION_COOKIE).unwrap()), ..held.clone() };
    assert_eq!((held.code(&server).await.as_str(), renewed.code(&server).await.as_str()), ("session_ended", ""));
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let (server, held) = signed_in(SessionPolicy::Refresh).await;
    let before = server.snapshot().await;
    for (current, new, status, code) in [
        ("wrong horse battery staple", NEW_PASSWORD, 403, "wrong_password"),
        (&"x".repeat(2_000), NEW_PASSWORD, 403, "wrong_password"),
        (PASSWORD, "short", 422, "password_too_short"),
        (PASSWORD, "minsu@example.com", 422, "password_common"),
    ] {
        let refused = held.send(&server, "PUT", "/v1/account/password", Some(passwords(current, new))).await;
        refused.expect_refusal(status, code);
    }
    for (body, code) in [
        (json!({ "email": "no address" }), "invalid_email"),
        (json!({ "name": " " }), "invalid_name"),
        (json!({ "roles": ["admin"] }), "invalid_request"),
        (json!({ "email_verified": true }), "invalid_request"),
    ] {
        held.send(&server, "PATCH", "/v1/account", Some(body)).await.expect_refusal(422, code);
    }
    assert_eq!(server.snapshot().await, before);
    server.try_sign_in(EMAIL, PASSWORD).await.expect(201);
}

/// Of two that change it at a time, one is told that the password they gave is not the current one.
#[tokio::test]
async fn two_changes_at_a_time_do_not_both_win() {
    let (server, held) = signed_in(SessionPolicy::Refresh).await;
    let change = |new: &'static str| held.send(&server, "PUT", "/v1/account/password", Some(passwords(PASSWORD, new)));
    let (one, two) = tokio::join!(change(NEW_PASSWORD), change("eight yellow walruses on land"));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
    let new = if one.status == 200 { NEW_PASSWORD } else { "eight yellow walruses on land" };
    server.try_sign_in(EMAIL, new).await.expect(201);
}

#[tokio::test]
async fn name_and_address() {
    let (server, held) = signed_in(SessionPolicy::Sliding).await;
    server.sign_up("jiho@example.com").await;
    let patch = |body: Value| held.send(&server, "PATCH", "/v1/account", Some(body));
    assert_eq!(patch(json!({ "name": "민수" })).await.expect(200).json()["name"], "민수");
    assert_eq!(patch(json!({})).await.expect(200).json()["name"], "민수");
    assert_eq!(patch(json!({ "name": null })).await.expect(200).json()["name"], Value::Null);
    let before = server.snapshot().await;
    patch(json!({ "email": "JIHO@example.com", "name": "x" })).await.expect_refusal(409, "email_taken");
    assert_eq!(server.snapshot().await, before);

    let changed = patch(json!({ "email": "Min.Su@example.com" })).await.expect(200).json();
    assert_eq!((&changed["email"], &changed["email_verified"]), (&"Min.Su@example.com".into(), &false.into()));
    let known = held.send(&server, "GET", "/v1/forward-auth", None).await.expect(200);
    assert_eq!(known.header("x-auth-email"), "Min.Su@example.com");
    server.try_sign_in(EMAIL, PASSWORD).await.expect_refusal(401, "invalid_credentials");
    server.sign_in("min.su@example.com").await;

    // From a browser left open the name can be changed, and the address cannot.
    server.pass(Duration::from_mins(11)).await;
    patch(json!({ "name": "민수" })).await.expect(200);
    let refused = patch(json!({ "email": "thief@example.com" })).await;
    let refused = refused.expect_refusal(401, "insufficient_user_authentication");
    assert!(refused.header("www-authenticate").contains("max_age=\"600\""), "{refused:?}");
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_its_address_is_free() {
    let (server, held) = signed_in(SessionPolicy::Session).await;
    let other = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    let personal = server.personal_token(&other, &json!({ "name": "backup", "scope": "account" })).await;
    assert_eq!(personal.code(&server).await, "");
    let reply = held.send(&server, "DELETE", "/v1/account", None).await.expect(200);
    assert_eq!(reply.json()["revoked"], 4);
    assert_eq!(reply.header("clear-site-data"), "\"cookies\", \"storage\"");
    for (held, code) in [(&held, "session_ended"), (&other, "token_revoked"), (&personal, "personal_token_refused")] {
        assert_eq!(held.code(&server).await, code);
    }
    server.refresh(other.refresh.as_deref().unwrap()).await.expect_refusal(401, "invalid_grant");
    server.try_sign_in(EMAIL, PASSWORD).await.expect_refusal(401, "invalid_credentials");
    assert!(server.snapshot().await.accounts.is_empty());
    server.sign_up(EMAIL).await;
    assert_eq!(other.code(&server).await, "token_revoked", "the old tokens are not the new account's");
}

/// A sign-in that waits for its hash while the password is changed was proved by one that is not the current one any more.
#[tokio::test]
async fn no_sign_in_with_the_old_password_outlives_its_change() {
    let (server, held) = signed_in(SessionPolicy::Refresh).await;
    let old = || server.try_sign_in(EMAIL, PASSWORD);
    // One thread hashes: the sign-ins wait in turn, and the change overtakes some of them.
    let change = held.send(&server, "PUT", "/v1/account/password", Some(passwords(PASSWORD, NEW_PASSWORD)));
    let (changed, ..) = tokio::join!(change, old(), old(), old(), old(), old(), old(), old(), old());
    changed.expect(200);
    let sessions = server.snapshot().await.sessions;
    assert!(sessions.iter().all(|view| view.session.id.to_string() == held.id), "{sessions:?}");
}

/// Until the feed has told this process, a token of a session that another one ended is still taken: what it asks for must
/// not outlive it.
#[tokio::test]
async fn what_is_asked_for_by_a_session_that_is_over_is_not_done() {
    let (server, probes) = Server::start_probed().await;
    server.sign_up(EMAIL).await;
    let held = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    // The answer is lost on its way to this process, and the feed has not told it yet.
    probes.fail(1, crate::harness::Fault::LostAnswer);
    held.send(&server, "DELETE", "/v1/sessions/current", None).await.expect(503);
    let before = server.snapshot().await;
    for (method, path, body) in [
        ("POST", "/v1/personal-tokens", Some(json!({ "name": "thief", "scope": "account" }))),
        ("PATCH", "/v1/account", Some(json!({ "email": "thief@example.com" }))),
        ("DELETE", "/v1/account", None),
    ] {
        held.send(&server, method, path, body).await.expect_refusal(401, "token_revoked");
    }
    assert_eq!(server.snapshot().await, before);
}

#[tokio::test]
async fn addresses_are_not_tried_out_by_the_dozen() {
    let (server, held) = signed_in(SessionPolicy::Refresh).await;
    let change = |number: usize| {
        let body = json!({ "email": format!("m{number}@example.com") });
        held.send(&server, "PATCH", "/v1/account", Some(body))
    };
    for number in 0..10 {
        change(number).await.expect(200);
    }
    let refused = change(10).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
    held.send(&server, "PATCH", "/v1/account", Some(json!({ "name": "민수" }))).await.expect(200);
}
