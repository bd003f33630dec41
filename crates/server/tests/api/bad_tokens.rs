//! Tokens that are not good: ended, forged, cut, foreign, of the other kind, in the wrong place.

use crate::harness::{PAST_THE_ACCESS_TOKEN, PAST_THE_WINDOW, Server, Tokens};
use counterfoil_domain::{
    id::SessionId,
    rotation::{RefreshKey, RefreshKeyId, RefreshKeys, RefreshToken, Serial},
    secret::SecretKey,
};
use counterfoil_jwt::{Algorithm, KeyId, Signer, SigningKey};
use serde_json::{Value, json};

const EMAIL: &str = "minsu@example.com";

/// A token with these claims, signed with another key under the server's key id.
fn forged(claims: &Value, kid: &str, token_type: &str, algorithm: Algorithm) -> String {
    let key = SigningKey::generate(algorithm).unwrap().with_key_id(KeyId::new(kid).unwrap());
    Signer::new(&key).token_type(token_type).sign(claims).unwrap()
}

/// The token with its first part replaced.
fn with_header(token: &str, header: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", base64_simd::URL_SAFE_NO_PAD.encode_to_string(header))
}

/// The token with one character of its signature changed.
fn tampered(token: &str) -> String {
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{rest}.{first}{}", &signature[1..])
}

#[tokio::test]
async fn access_tokens() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let (tokens, foreign) = (server.sign_up(EMAIL).await, elsewhere.sign_up(EMAIL).await);
    let (claims, kid) = (tokens.claims(), tokens.token_header()["kid"].as_str().unwrap().to_owned());
    let access = &tokens.access;
    let (header_and_claims, signature) = access.rsplit_once('.').unwrap();
    let (header, _) = access.split_once('.').unwrap();
    let (_, foreign_signature) = foreign.access.rsplit_once('.').unwrap();
    let none = with_header(access, r#"{"alg":"none","typ":"at+jwt"}"#);
    let (none, _) = none.rsplit_once('.').unwrap();
    let another_algorithm = with_header(access, r#"{"alg":"HS256","typ":"at+jwt"}"#);
    let key_brought_along = with_header(access, r#"{"alg":"EdDSA","typ":"at+jwt","jwk":{"kty":"OKP"}}"#);
    let cases = [
        (tampered(access), "signature_invalid"),
        (format!("{header_and_claims}.{foreign_signature}"), "signature_invalid"),
        (forged(&claims, &kid, "at+jwt", Algorithm::EdDsa), "signature_invalid"),
        (forged(&claims, "unknown", "at+jwt", Algorithm::EdDsa), "unknown_key"),
        (forged(&claims, &kid, "at+jwt", Algorithm::Es256), "algorithm_not_allowed"),
        (forged(&claims, &kid, "JWT", Algorithm::EdDsa), "type_mismatch"),
        (foreign.access.clone(), "unknown_key"),
        (format!("{none}."), "algorithm_none"),
        (another_algorithm, "algorithm_not_allowed"),
        (key_brought_along, "signature_invalid"),
        (header_and_claims.to_owned(), "not_a_compact_jws"),
        (format!("{header_and_claims}."), "signature_invalid"),
        (format!("{header}..{signature}"), "signature_invalid"),
        (access[..access.len() - 1].to_owned(), ""),
        (access[1..].to_owned(), ""),
        (format!("{access}A"), ""),
        (format!("{access}="), "base64url_not_canonical"),
        (format!("{access}.{signature}"), ""),
        ("a.b.c".to_owned(), ""),
        ("...".to_owned(), ""),
        ("x".repeat(20_000), "too_large"),
        (tokens.refresh.clone(), "refresh_token_presented"),
        ("cfr_".to_owned(), "refresh_token_presented"),
    ];
    for (token, code) in cases {
        for path in ["/v1/account", "/v1/sessions", "/v1/forward-auth", "/guarded"] {
            let reply = server.with_token("GET", path, &token).await;
            let code = if code.is_empty() { reply.code() } else { code.to_owned() };
            let reply = reply.expect_refusal(401, &code);
            let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{code}\"");
            assert_eq!(reply.header("www-authenticate"), challenge, "{token}");
            assert!(!reply.text().contains(&token), "the answer holds the token");
        }
        server.with_token("DELETE", "/v1/sessions", &token).await.expect(401);
    }
    server.account(access).await.expect(200);

    server.pass(PAST_THE_ACCESS_TOKEN).await;
    server.account(access).await.expect_refusal(401, "token_expired");
    server.with_token("DELETE", "/v1/sessions", access).await.expect_refusal(401, "token_expired");
}

/// Our key, but not our claims: what only a token from another service with the same key could be.
#[tokio::test]
async fn tokens_of_our_own_key_for_somebody_else() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    let other = Server::start_in(server.folder.clone(), server.clock.clone(), |_| {}).await;
    assert!(other.is_err(), "one folder, one server");
    let (folder, clock) = server.stop().await;
    let renamed = |config: &mut counterfoil::Config| config.public_url = Some("https://other.example.com".into());
    let renamed = Server::start_in(folder, clock, renamed).await.unwrap();
    renamed.account(&tokens.access).await.expect_refusal(401, "issuer_mismatch");
    let (folder, clock) = renamed.stop().await;
    let audience = |config: &mut counterfoil::Config| config.access_token.audience = Some("https://api.example".into());
    let server = Server::start_in(folder, clock, audience).await.unwrap();
    server.account(&tokens.access).await.expect_refusal(401, "audience_mismatch");
    // The session outlives both changes.
    let renewed = server.refresh(&tokens.refresh).await.expect(200).tokens();
    server.account(&renewed.access).await.expect(200);
}

/// A refresh token that somebody else's key made.
fn foreign_refresh_token(tokens: &Tokens, key_id: u8) -> String {
    let key = RefreshKey::new(RefreshKeyId(key_id), &SecretKey::from_bytes([7; 32]));
    let session: SessionId = tokens.session().parse().unwrap();
    let token = RefreshToken { session, serial: Serial::from_raw(1_800_000_000_000) };
    token.issue(&RefreshKeys::new(key, Vec::new()))
}

#[tokio::test]
async fn refresh_tokens() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let (tokens, foreign) = (server.sign_up(EMAIL).await, elsewhere.sign_up(EMAIL).await);
    server.pass(PAST_THE_WINDOW).await;
    let before = server.snapshot().await;
    let refresh = &tokens.refresh;
    let last = if refresh.ends_with('A') { 'B' } else { 'A' };
    let cases = [
        (format!("{}{last}", &refresh[..refresh.len() - 1]), "invalid_grant"),
        (foreign.refresh.clone(), "invalid_grant"),
        (foreign_refresh_token(&tokens, 1), "invalid_grant"),
        (foreign_refresh_token(&tokens, 2), "invalid_grant"),
        (refresh[..40].to_owned(), "invalid_grant"),
        (format!("{refresh}A"), "invalid_grant"),
        (format!("{refresh}="), "invalid_grant"),
        (format!(" {refresh}"), "invalid_grant"),
        (refresh.to_uppercase(), "invalid_grant"),
        (refresh["cfr_".len()..].to_owned(), "invalid_grant"),
        ("cfr_".to_owned(), "invalid_grant"),
        (String::new(), "invalid_grant"),
        ("민수".to_owned(), "invalid_grant"),
        (tokens.access.clone(), "refresh_token_expected"),
        ("a.b.c".to_owned(), "refresh_token_expected"),
    ];
    for (token, code) in cases {
        let reply = server.refresh(&token).await.expect_refusal(401, code);
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        assert!(token.len() < 10 || !reply.text().contains(&token), "the answer holds the token");
    }
    assert_eq!(server.snapshot().await, before);
    server.refresh(refresh).await.expect(200);
}

#[tokio::test]
async fn tokens_in_the_wrong_place() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    let bearer = format!("Bearer {}", tokens.access);
    let get = || server.request("GET", "/v1/account");
    let two = server.send(get().header("authorization", &bearer).header("authorization", &bearer)).await;
    two.expect_refusal(400, "authorization_malformed");
    for malformed in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b"] {
        server.send(get().header("authorization", malformed)).await.expect_refusal(400, "authorization_malformed");
    }
    for (name, value) in [
        ("authorization", tokens.access.as_str()),
        ("authorization", "Basic bWluc3U6eA=="),
        ("authorization", ""),
        ("x-authorization", &bearer),
        ("proxy-authorization", &bearer),
        ("cookie", &format!("access_token={}", tokens.access)),
    ] {
        server.send(get().header(name, value)).await.expect_refusal(401, "token_missing");
    }
    // RFC 9700 §4.3.2: never from the URL.
    let path = format!("/v1/account?access_token={}", tokens.access);
    server.get(&path).await.expect_refusal(401, "token_missing");
    // Nor from the body (RFC 6750 §2.2 is optional).
    server.send(get().form(&[("access_token", &tokens.access)])).await.expect_refusal(401, "token_missing");
    server.send(get().json(&json!({ "access_token": tokens.access }))).await.expect_refusal(401, "token_missing");
    server.send(get().header("authorization", bearer.replace("Bearer", "bEARER"))).await.expect(200);
}

/// Gateways know 200, 401 and 403; nginx makes a 500 of anything else, so an empty `Bearer` must not be a 400 there.
#[tokio::test]
async fn forward_auth_knows_no_other_refusal_than_401() {
    let server = Server::start().await;
    for value in ["Bearer ", "Bearer", "Bearer a b", "Bearer a,b", "Basic YTpi", "nonsense", "Bearer nonsense"] {
        let request = server.request("GET", "/v1/forward-auth").header("Authorization", value);
        let refused = server.send(request).await.expect(401);
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{value}");
    }
    let twice = server
        .request("GET", "/v1/forward-auth")
        .header("Authorization", "Bearer a")
        .header("Authorization", "Bearer a");
    server.send(twice).await.expect_refusal(401, "authorization_malformed");
}
