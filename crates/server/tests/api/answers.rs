//! What answers are made of: exactly these members, these headers, these claims.

use crate::harness::{PASSWORD, Reply, Server, members};
use counterfoil_jwt::{Algorithm, AlgorithmSet, KeySet, Policy, verify};
use serde_json::{Value, json};

const ACCOUNT: [&str; 6] = ["created_at", "email", "email_verified", "id", "name", "roles"];
const SESSION: [&str; 10] = [
    "absolute_until",
    "created_at",
    "current",
    "device_name",
    "id",
    "idle_until",
    "ip",
    "last_seen_at",
    "policy",
    "user_agent",
];
const TOKENS: [&str; 9] = [
    "access_token",
    "account",
    "expires_in",
    "refresh_at",
    "refresh_expires_in",
    "refresh_token",
    "scope",
    "session",
    "token_type",
];

#[track_caller]
fn assert_private(reply: &Reply) {
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(!reply.header("x-request-id").is_empty());
}

#[track_caller]
fn assert_tokens(body: &Value) {
    assert_eq!(members(body), TOKENS);
    assert_eq!(members(&body["session"]), SESSION);
    assert_eq!(members(&body["account"]), ACCOUNT);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 30 * 60);
    assert_eq!(body["refresh_expires_in"], 14 * 24 * 60 * 60);
    assert_eq!(body["scope"], "account");
    assert_eq!(body["session"]["current"], true);
    assert!(body["refresh_token"].as_str().unwrap().starts_with("cfr_"));
}

#[tokio::test]
async fn sign_up() {
    let server = Server::start().await;
    let account = json!({ "email": "minsu@example.com", "password": PASSWORD, "name": " 민수 " });
    let reply = server.post_json("/v1/accounts", &account).await.expect(201);
    assert_private(&reply);
    let body = reply.json();
    assert_eq!(members(&body), ["account"]);
    assert_eq!(members(&body["account"]), ACCOUNT);
    assert_eq!(body["account"]["email"], "minsu@example.com");
    assert_eq!(body["account"]["name"], "민수");
    assert_eq!(body["account"]["email_verified"], false);
    assert_eq!(body["account"]["roles"], json!([]));
    assert_eq!(body["account"]["created_at"], "2027-01-15T08:00:00.000Z");

    let options = json!({ "policy": "refresh", "transport": "body", "device_name": "laptop" });
    let account = json!({ "email": "o'neil@example.com", "password": PASSWORD, "name": null, "sign_in": options });
    let reply = server.post_json("/v1/accounts", &account).await.expect(201);
    assert_private(&reply);
    assert_tokens(&reply.json());
    assert_eq!(reply.json()["session"]["device_name"], "laptop");
    assert_eq!(reply.json()["account"]["name"], Value::Null);
}

#[tokio::test]
async fn a_device_without_a_name_gets_one_from_its_user_agent() {
    let server = Server::start().await;
    server.sign_up("minsu@example.com").await;
    for (device_name, expected) in [(Value::Null, "curl"), (json!("laptop"), "laptop")] {
        let sign_in = json!({ "email": "minsu@example.com", "password": PASSWORD, "device_name": device_name });
        let request = server.request("POST", "/v1/sessions").header("user-agent", "curl/8.14.1").json(&sign_in);
        let reply = server.send(request).await.expect(201);
        let body = reply.json();
        let session = &body["session"];
        assert_eq!((&session["device_name"], &session["user_agent"]), (&json!(expected), &json!("curl/8.14.1")));
        let listed = server.with_token("GET", "/v1/sessions", &reply.tokens().access).await.expect(200).json();
        let current = listed["sessions"].as_array().unwrap().iter().find(|session| session["current"] == true);
        assert_eq!(current, Some(session));
    }
}

#[tokio::test]
async fn sign_in_and_refresh() {
    let server = Server::start().await;
    server.sign_up("minsu@example.com").await;
    // Any spelling of the address finds the account.
    let reply = server.try_sign_in("MinSu@EXAMPLE.com", PASSWORD).await.expect(201);
    assert_private(&reply);
    let body = reply.json();
    assert_tokens(&body);
    let session = &body["session"];
    assert_eq!((&session["policy"], &session["ip"]), (&json!("refresh"), &json!("127.0.0.1")));
    assert_eq!(session["user_agent"], "tests");
    assert_eq!((&session["device_name"], &session["created_at"]), (&Value::Null, &json!("2027-01-15T08:00:00.000Z")));
    assert_eq!(session["idle_until"], "2027-01-29T08:00:00.000Z");
    assert_eq!(session["absolute_until"], "2027-04-15T08:00:00.000Z");
    // Between 70 and 85 hundredths of the token's life.
    let refresh_at = body["refresh_at"].as_str().unwrap();
    assert!(("2027-01-15T08:21:00.000Z"..="2027-01-15T08:25:30.000Z").contains(&refresh_at), "{refresh_at}");

    let reply = server.refresh(&reply.tokens().refresh).await.expect(200);
    assert_private(&reply);
    assert_tokens(&reply.json());

    let form = [("grant_type", "refresh_token"), ("refresh_token", &reply.tokens().refresh)];
    let reply = server.post_form("/oauth/token", &form).await.expect(200);
    assert_private(&reply);
    assert_eq!(reply.header("pragma"), "no-cache");
    let body = reply.json();
    assert_eq!(members(&body), ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    assert_eq!((&body["token_type"], &body["scope"]), (&json!("Bearer"), &json!("account")));
    assert!(body["expires_in"].is_u64());
}

#[tokio::test]
async fn account_sessions_and_sign_out() {
    let server = Server::start().await;
    let tokens = server.sign_up("minsu@example.com").await;
    server.sign_in("minsu@example.com").await;

    let reply = server.account(&tokens.access).await.expect(200);
    assert_private(&reply);
    assert_eq!(members(&reply.json()), ACCOUNT);
    assert_eq!(reply.json()["id"], tokens.account());

    let reply = server.with_token("GET", "/v1/sessions", &tokens.access).await.expect(200);
    assert_private(&reply);
    let body = reply.json();
    assert_eq!(members(&body), ["sessions"]);
    let sessions = body["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        assert_eq!(members(session), SESSION);
        assert_eq!(session["current"], session["id"] == tokens.session().as_str());
    }

    let reply = server.with_token("DELETE", "/v1/sessions?keep_current=true", &tokens.access).await.expect(200);
    assert_private(&reply);
    assert_eq!(members(&reply.json()), ["feed", "revoked"]);
    assert_eq!(members(&reply.json()["feed"]), ["epoch", "seq"]);
}

#[tokio::test]
async fn an_access_token_says_what_it_must_and_verifies_with_the_published_keys() {
    let server = Server::start().await;
    let tokens = server.sign_up("minsu@example.com").await;
    assert_eq!(members(&tokens.token_header()), ["alg", "kid", "typ"]);
    assert_eq!(tokens.token_header()["typ"], "at+jwt");
    let claims = tokens.claims();
    let names =
        ["amr", "aud", "auth_time", "client_id", "exp", "gen", "iat", "iss", "jti", "nbf", "scope", "sid", "sub"];
    assert_eq!(members(&claims), names);
    let issuer = "https://auth.example.com";
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(issuer), &json!(issuer)));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_800_000_000), &json!(1_800_001_800)));
    assert_eq!((&claims["nbf"], &claims["auth_time"]), (&json!(1_800_000_000), &json!(1_800_000_000)));
    assert_eq!((&claims["scope"], &claims["amr"], &claims["gen"]), (&json!("account"), &json!(["pwd"]), &json!(0)));

    let reply = server.get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(reply.header("content-type"), "application/jwk-set+json");
    assert_eq!(reply.json()["keys"].as_array().unwrap().len(), 1);
    assert_eq!(reply.json()["keys"][0]["kid"], tokens.token_header()["kid"]);
    assert!(reply.json()["keys"][0].get("d").is_none(), "the private part");
    let keys = KeySet::from_json(reply.text(), AlgorithmSet::from(Algorithm::EdDsa)).unwrap();
    let policy = Policy::new(Algorithm::EdDsa).issuer(issuer).audience(issuer).token_type("at+jwt");
    verify::<Value>(&tokens.access, &keys, &policy, 1_800_000_000).unwrap();
}

#[tokio::test]
async fn forward_auth_names_the_person_for_a_gateway() {
    let server = Server::start().await;
    let tokens = server.sign_up("minsu@example.com").await;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let reply = server.with_token(method, "/v1/forward-auth", &tokens.access).await.expect(200);
        assert_eq!(reply.header("x-auth-subject"), tokens.account(), "{method}");
        assert_eq!(reply.header("x-auth-session"), tokens.session());
        assert_eq!(reply.header("x-auth-scope"), "account");
        assert_eq!(reply.header("x-auth-email"), "minsu@example.com");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.body.is_empty());
    }
}

#[tokio::test]
async fn metadata_names_what_is_there() {
    let server = Server::start_with(|config| config.public_url = None).await;
    let metadata = server.get("/.well-known/oauth-authorization-server").await.expect(200).json();
    let names = [
        "counterfoil_feed_endpoint",
        "grant_types_supported",
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "issuer",
        "jwks_uri",
        "response_types_supported",
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
        "scopes_supported",
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
    ];
    assert_eq!(members(&metadata), names);
    assert_eq!(metadata["issuer"], server.base_url());
    let path = |name: &str| metadata[name].as_str().unwrap().strip_prefix(server.base_url()).unwrap().to_owned();
    server.get(&path("jwks_uri")).await.expect(200);
    server.post_form(&path("token_endpoint"), &[]).await.expect_refusal(400, "invalid_request");
    server.post_form(&path("revocation_endpoint"), &[]).await.expect_refusal(400, "invalid_request");
    server.post_form(&path("introspection_endpoint"), &[]).await.expect_refusal(400, "invalid_request");
    server.get(&path("counterfoil_feed_endpoint")).await.expect(200);
}

#[tokio::test]
async fn health_is_told_to_anybody() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz").await.expect(200).json(), json!({ "status": "ok" }));
    let ready = json!({ "status": "ready", "checks": { "store": "ok", "feed": "ok" } });
    assert_eq!(server.get("/readyz").await.expect(200).json(), ready);
}

/// RFC 6750 §3 and §3.1.
#[tokio::test]
async fn challenges_say_what_was_wrong() {
    let server = Server::start().await;
    let tokens = server.sign_up("minsu@example.com").await;
    let challenge = |reply: Reply| reply.header("www-authenticate").to_owned();
    let nothing = server.get("/v1/account").await.expect_refusal(401, "token_missing");
    assert_eq!(challenge(nothing), "Bearer");
    let garbage = server.account("garbage").await.expect_refusal(401, "not_a_compact_jws");
    assert_eq!(challenge(garbage), "Bearer error=\"invalid_token\", error_description=\"not_a_compact_jws\"");
    server.with_token("DELETE", "/v1/sessions/current", &tokens.access).await.expect(200);
    let ended = server.account(&tokens.access).await.expect_refusal(401, "token_revoked");
    assert_eq!(challenge(ended), "Bearer error=\"invalid_token\", error_description=\"token_revoked\"");
    let two = server.account("one two").await.expect_refusal(400, "authorization_malformed");
    assert_eq!(challenge(two), "Bearer error=\"invalid_request\", error_description=\"authorization_malformed\"");
}
