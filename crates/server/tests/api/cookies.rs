//! Cookies: what is set, what is taken back, and what a request with them must say of itself.

use crate::harness::{
    ACCESS_COOKIE, Carried, Held, PASSWORD, PAST_THE_WINDOW, PUBLIC_URL, REFRESH_COOKIE, Reply, SESSION_COOKIE, Server,
};
use counterfoil_domain::{event::EventKind, policy::SessionPolicy};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";

async fn sign_in(server: &Server, more: Value, cookies: &[String]) -> Reply {
    let mut body = json!({ "email": EMAIL, "password": PASSWORD });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut request = server.request("POST", "/v1/sessions").json(&body);
    if !cookies.is_empty() {
        request = request.header("cookie", cookies.join("; ")).header("origin", PUBLIC_URL);
    }
    server.send(request).await
}

fn set_cookies(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all("set-cookie").iter().map(|field| field.to_str().unwrap()).collect()
}

async fn refresh_with(server: &Server, cookies: &[String], origin: Option<&str>) -> Reply {
    let request = server.request("POST", "/v1/sessions/current/refresh").header("cookie", cookies.join("; "));
    server.send(origin.into_iter().fold(request, |request, origin| request.header("origin", origin))).await
}

#[tokio::test]
async fn a_session_cookie_is_bound_to_the_host_and_nothing_of_it_is_in_the_body() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let reply = sign_in(&server, json!({ "policy": "session" }), &[]).await.expect(201);
    let [cookie] = set_cookies(&reply)[..] else { panic!("{reply:?}") };
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-counterfoil-session=cfs_"), "{pair}");
    assert_eq!(attributes, "Max-Age=43200; Path=/; HttpOnly; SameSite=Lax; Secure");
    let body = reply.json();
    assert_eq!(crate::harness::members(&body), ["account", "scope", "session"]);
    assert_eq!(body["session"]["policy"], "session");
    assert!(!reply.text().contains("cfs_"));
    assert_eq!(reply.header("cache-control"), "no-store");
    // Only its digest is kept.
    let secret = pair.split_once('=').unwrap().1;
    let file = std::fs::read(server.counterfoil().data_path().join(crate::harness::DATA_FILE)).unwrap();
    assert!(memchr::memmem::find(&file, secret.as_bytes()).is_none());
}

#[tokio::test]
async fn on_plain_http_cookies_go_without_what_needs_https() {
    let server = Server::start_with(|config| config.public_url = Some("http://localhost:8080".into())).await;
    server.sign_up(EMAIL).await;
    let reply = sign_in(&server, json!({ "policy": "session" }), &[]).await.expect(201);
    let [cookie] = set_cookies(&reply)[..] else { panic!("{reply:?}") };
    assert!(cookie.starts_with("counterfoil-session=cfs_") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"));
}

#[tokio::test]
async fn a_refresh_token_in_a_cookie_is_rotated_there() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let reply = sign_in(&server, json!({ "transport": "cookie" }), &[]).await.expect(201);
    let [cookie] = set_cookies(&reply)[..] else { panic!("{reply:?}") };
    assert!(cookie.ends_with("; Max-Age=1209600; Path=/; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let body = reply.json();
    assert!(body.get("refresh_token").is_none() && body["access_token"].is_string(), "{body}");
    assert_eq!(body["refresh_expires_in"], 1_209_600);

    let first = reply.cookie(REFRESH_COOKIE).unwrap();
    server.pass(PAST_THE_WINDOW).await;
    let refreshed = refresh_with(&server, std::slice::from_ref(&first), Some(PUBLIC_URL)).await.expect(200);
    let second = refreshed.cookie(REFRESH_COOKIE).unwrap();
    assert_ne!(first, second);
    assert!(refreshed.json().get("refresh_token").is_none());
    assert!(refreshed.cookie(ACCESS_COOKIE).is_none(), "nobody asked for one");

    // Another site's page cannot make the browser refresh, nor can one that says nothing.
    let before = server.snapshot().await;
    for origin in [None, Some("https://evil.example"), Some("null")] {
        refresh_with(&server, std::slice::from_ref(&second), origin).await.expect_refusal(403, "cross_origin");
    }
    let both = server.request("POST", "/v1/sessions/current/refresh").header("cookie", &second);
    let both = both.header("origin", PUBLIC_URL).json(&json!({ "refresh_token": "cfr_x" }));
    server.send(both).await.expect_refusal(400, "credentials_ambiguous");
    server.send(server.request("POST", "/v1/sessions/current/refresh")).await.expect_refusal(422, "invalid_request");
    assert_eq!(server.snapshot().await, before);

    // Used again, it is found out like any other.
    server.pass(PAST_THE_WINDOW).await;
    refresh_with(&server, &[second], Some(PUBLIC_URL)).await.expect(200);
    server.pass(PAST_THE_WINDOW).await;
    refresh_with(&server, &[first], Some(PUBLIC_URL)).await.expect_refusal(401, "invalid_grant");
}

#[tokio::test]
async fn an_access_cookie_for_pages_is_renewed_with_the_refresh() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let reply = sign_in(&server, json!({ "transport": "cookie", "access_cookie": true }), &[]).await.expect(201);
    let access = reply.cookie(ACCESS_COOKIE).unwrap();
    assert_eq!(set_cookies(&reply).len(), 2);
    let page = |access: &str| {
        let carried = Carried::Cookie(access.to_owned());
        server.send(carried.with(server.request("GET", "/v1/account")))
    };
    page(&access).await.expect(200);
    server.pass(Duration::from_mins(31)).await;
    page(&access).await.expect_refusal(401, "token_expired");
    let refresh = reply.cookie(REFRESH_COOKIE).unwrap();
    let refreshed = refresh_with(&server, &[refresh, access], Some(PUBLIC_URL)).await.expect(200);
    page(&refreshed.cookie(ACCESS_COOKIE).unwrap()).await.expect(200);

    for more in [
        json!({ "access_cookie": true }),
        json!({ "access_cookie": true, "policy": "sliding", "transport": "cookie" }),
        json!({ "access_cookie": true, "policy": "session" }),
    ] {
        sign_in(&server, more, &[]).await.expect_refusal(422, "access_cookie_not_allowed");
    }
}

#[tokio::test]
async fn signed_tokens_of_other_policies_travel_in_the_access_cookie_alone() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    for (policy, max_age) in [("tracked", 43_200), ("sliding", 1_800)] {
        let reply = sign_in(&server, json!({ "policy": policy, "transport": "cookie" }), &[]).await.expect(201);
        let [cookie] = set_cookies(&reply)[..] else { panic!("{reply:?}") };
        assert!(cookie.contains(&format!("; Max-Age={max_age}; ")), "{cookie}");
        assert!(reply.json().get("access_token").is_none(), "a script could read it");
        let held = Held {
            policy: policy.parse().unwrap(),
            carried: Carried::Cookie(reply.cookie(ACCESS_COOKIE).unwrap()),
            refresh: None,
            id: String::new(),
        };
        held.ask(&server).await.expect(200);
        if policy == "sliding" {
            let extended = held.send(&server, "POST", "/v1/sessions/current/extend", None).await.expect(200);
            assert!(extended.cookie(ACCESS_COOKIE).is_some() && extended.json().get("access_token").is_none());
        }
    }
}

#[tokio::test]
async fn what_is_not_offered_is_refused_and_changes_nothing() {
    let server = Server::start_with(|config| {
        config.session.policies = vec!["refresh".into(), "session".into()];
        config.session.policy = "session".into();
    })
    .await;
    server.post_json("/v1/accounts", &json!({ "email": EMAIL, "password": PASSWORD })).await.expect(201);
    let before = server.snapshot().await;
    for (more, code) in [
        (json!({ "policy": "sliding" }), "policy_not_allowed"),
        (json!({ "policy": "personal" }), "policy_not_allowed"),
        (json!({ "policy": "Session" }), "policy_not_allowed"),
        (json!({ "transport": "body" }), "transport_not_allowed"),
        (json!({ "transport": "post" }), "transport_not_allowed"),
        (json!({ "policy": "refresh", "transport": "Cookie" }), "transport_not_allowed"),
        (json!({ "scope": "admin" }), "scope_not_allowed"),
        (json!({ "scope": "a  b" }), "invalid_scope"),
    ] {
        sign_in(&server, more, &[]).await.expect_refusal(422, code);
    }
    assert_eq!(server.snapshot().await, before);
    let reply = sign_in(&server, json!({}), &[]).await.expect(201);
    assert!(reply.cookie(SESSION_COOKIE).is_some(), "the configured policy");
}

/// A new sign-in in the same browser ends the session from before, and takes no id over.
#[tokio::test]
async fn a_sign_in_makes_a_new_id_and_ends_the_old_session() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let first = sign_in(&server, json!({ "policy": "session" }), &[]).await.expect(201).cookie(SESSION_COOKIE).unwrap();
    let second = sign_in(&server, json!({ "policy": "session" }), std::slice::from_ref(&first)).await.expect(201);
    let second = second.cookie(SESSION_COOKIE).unwrap();
    assert_ne!(first, second);
    let code = async |cookie: &str| {
        let carried = Carried::Cookie(cookie.to_owned());
        server.send(carried.with(server.request("GET", "/v1/account"))).await.code()
    };
    assert_eq!((code(&first).await.as_str(), code(&second).await.as_str()), ("session_ended", ""));
    let kinds: Vec<_> = server.snapshot().await.events.iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::SessionReplaced), "{kinds:?}");

    // Whoever signs in next in that browser: the one before is signed out, and the browser forgets other cookies.
    server.sign_up("jiho@example.com").await;
    let body = json!({ "email": "jiho@example.com", "password": PASSWORD, "transport": "cookie" });
    let request = server.request("POST", "/v1/sessions").json(&body);
    let reply = server.send(request.header("cookie", &second).header("origin", PUBLIC_URL)).await.expect(201);
    assert_eq!(code(&second).await, "session_ended");
    let cleared: Vec<_> = set_cookies(&reply).into_iter().filter(|field| field.contains("Max-Age=0")).collect();
    assert_eq!(cleared.len(), 1);
    assert!(cleared[0].starts_with("__Host-counterfoil-session=; "), "{cleared:?}");

    // An id that somebody planted is never taken over.
    for planted in [format!("{SESSION_COOKIE}=cfs_planted"), first] {
        let reply = sign_in(&server, json!({ "policy": "session" }), std::slice::from_ref(&planted)).await.expect(201);
        assert_ne!(reply.cookie(SESSION_COOKIE).unwrap(), planted);
    }
}

#[tokio::test]
async fn a_foreign_page_cannot_sign_a_browser_in() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "policy": "session" });
    let before = server.snapshot().await;
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        for (path, body) in [
            ("/v1/sessions", body.clone()),
            ("/v1/accounts", json!({ "email": "new@example.com", "password": PASSWORD, "sign_in": {} })),
        ] {
            let request = server.request("POST", path).json(&body).header(name, value);
            server.send(request).await.expect_refusal(403, "cross_origin");
        }
    }
    assert_eq!(server.snapshot().await, before);
}

#[tokio::test]
async fn repeated_and_oversized_cookies_are_refused_with_a_way_out() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let held = server.sign_in_with(EMAIL, SessionPolicy::Session).await;
    let Carried::Cookie(pair) = &held.carried else { panic!() };
    let ask_at = |path, cookie: &str| server.send(server.request("GET", path).header("cookie", cookie));
    let ask = |cookie: String| async move { ask_at("/v1/account", &cookie).await };
    let twice = format!("{pair}; {SESSION_COOKIE}=cfs_tossed");
    let long = format!("{SESSION_COOKIE}={}", "x".repeat(5_000));
    for (cookie, status, code) in [(twice, 400, "cookie_repeated"), (long, 431, "cookie_too_large")] {
        let direct = ask_at("/v1/account", &cookie).await.expect_refusal(status, code);
        // Gateways know 401, and the browser behind one needs the way out as well.
        let asked_about = ask_at("/v1/forward-auth", &cookie).await.expect_refusal(401, code);
        for reply in [direct, asked_about] {
            assert_eq!(reply.header("clear-site-data"), "\"cookies\"", "{code}");
        }
    }
    assert_eq!(
        ask(format!("other={}; {pair}", "x".repeat(5_000))).await.status,
        200,
        "others' cookies are others' matter"
    );
}

#[tokio::test]
async fn a_sign_out_makes_the_browser_forget() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    for path in ["/v1/sessions/current", "/v1/sessions"] {
        let held = server.sign_in_with(EMAIL, SessionPolicy::Session).await;
        let reply = held.send(&server, "DELETE", path, None).await.expect(200);
        assert_eq!(reply.header("clear-site-data"), "\"cookies\", \"storage\"");
        let fields = set_cookies(&reply);
        assert_eq!(fields.len(), 3);
        assert!(fields.iter().all(|field| field.contains("=; Max-Age=0; Expires=Thu, 01 Jan 1970")), "{fields:?}");
    }
    // What stays signed in keeps its cookie, and a program is told nothing of cookies.
    let held = server.sign_in_with(EMAIL, SessionPolicy::Session).await;
    let program = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    let kept = held.send(&server, "DELETE", "/v1/sessions?keep_current=true", None).await.expect(200);
    assert!(set_cookies(&kept).is_empty());
    let program = program.send(&server, "DELETE", "/v1/sessions", None).await;
    assert!(set_cookies(&program).is_empty() && program.header("clear-site-data").is_empty());
}

/// An access token that has ended and was found somewhere must not end its session through somebody else's sign-in.
#[tokio::test]
async fn an_ended_token_in_the_cookie_ends_nobodys_session() {
    let server = Server::start().await;
    let victim = server.sign_up("jiho@example.com").await;
    server.sign_up(EMAIL).await;
    server.pass(Duration::from_mins(31)).await;
    sign_in(&server, json!({}), &[format!("{ACCESS_COOKIE}={}", victim.access)]).await.expect(201);
    server.refresh(&victim.refresh).await.expect(200);
}

/// Whatever may be done besides, and when the access token has ended: one can always leave.
#[tokio::test]
async fn one_can_sign_out_whatever_the_scope_and_with_a_refresh_cookie_alone() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let reply = sign_in(&server, json!({ "policy": "session", "scope": "" }), &[]).await.expect(201);
    let narrow = Carried::Cookie(reply.cookie(SESSION_COOKIE).unwrap());
    let sign_out = || server.send(narrow.with(server.request("DELETE", "/v1/sessions/current")));
    sign_out().await.expect(200);
    sign_out().await.expect_refusal(401, "session_ended");

    let reply = sign_in(&server, json!({ "transport": "cookie", "access_cookie": true }), &[]).await.expect(201);
    let (refresh, access) = (reply.cookie(REFRESH_COOKIE).unwrap(), reply.cookie(ACCESS_COOKIE).unwrap());
    server.pass(Duration::from_mins(31)).await;
    let both = Carried::Cookie(format!("{refresh}; {access}"));
    let foreign = server.request("DELETE", "/v1/sessions/current").header("cookie", &refresh);
    server.send(foreign).await.expect_refusal(403, "cross_origin");
    let reply = server.send(both.with(server.request("DELETE", "/v1/sessions/current"))).await.expect(200);
    assert_eq!(set_cookies(&reply).len(), 3, "the browser forgets");
    refresh_with(&server, &[refresh], Some(PUBLIC_URL)).await.expect_refusal(401, "invalid_grant");
}
