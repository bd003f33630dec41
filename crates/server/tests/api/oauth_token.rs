//! `POST /oauth/token` (RFC 6749 §6): the same refresh, as OAuth asks for it.

use crate::harness::{PAST_THE_WINDOW, Reply, Server, Tokens};
use counterfoil_domain::{
    id::SessionId,
    session::{Changes, Ruling, Session, SessionView},
};

const EMAIL: &str = "minsu@example.com";

async fn ask(server: &Server, tokens: &Tokens, more: &[(&str, &str)]) -> Reply {
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    server.post_form("/oauth/token", &[&form, more].concat()).await
}

/// A session with more than a sign-in grants today.
async fn widen_grant(server: &Server, tokens: &Tokens) {
    let id: SessionId = tokens.session().parse().unwrap();
    let widen = |view: Option<&SessionView>, _| {
        let session = Session { scope: "account read".parse().unwrap(), ..view.unwrap().session.clone() };
        Ruling { changes: Changes { sessions: vec![session], ..Changes::default() }, outcome: () }
    };
    server.store().decide_session(id, widen).await.unwrap();
}

#[tokio::test]
async fn it_rotates_like_the_api() {
    let server = Server::start().await;
    let first = server.sign_up(EMAIL).await;
    server.pass(PAST_THE_WINDOW).await;
    let second = ask(&server, &first, &[]).await.expect(200).tokens();
    assert_ne!(second.refresh, first.refresh);
    assert_eq!(server.refresh(&first.refresh).await.expect(200).tokens().refresh, second.refresh);
    server.account(&second.access).await.expect(200);
}

#[tokio::test]
async fn a_scope_may_narrow_one_access_token_and_leaves_the_grant_whole() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    widen_grant(&server, &tokens).await;
    let narrow = ask(&server, &tokens, &[("scope", "read")]).await.expect(200).tokens();
    assert_eq!((&narrow.body["scope"], &narrow.claims()["scope"]), (&"read".into(), &"read".into()));
    let whole = ask(&server, &narrow, &[]).await.expect(200).tokens();
    assert_eq!(whole.body["scope"], "account read");
    let same = ask(&server, &whole, &[("scope", "read account")]).await.expect(200).tokens();
    assert_eq!(same.body["scope"], "account read");
    // RFC 6749 §3.2: empty is absent.
    assert_eq!(ask(&server, &whole, &[("scope", "")]).await.expect(200).tokens().body["scope"], "account read");
}

#[tokio::test]
async fn a_scope_never_grows() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    server.pass(PAST_THE_WINDOW).await;
    let before = server.snapshot().await;
    for scope in ["admin", "account admin", "account  admin", "\"", "accóunt"] {
        ask(&server, &tokens, &[("scope", scope)]).await.expect_refusal(400, "invalid_scope");
    }
    assert_eq!(server.snapshot().await, before, "a refusal uses nothing up");
    ask(&server, &tokens, &[]).await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_is_bound_to_its_client() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    server.pass(PAST_THE_WINDOW).await;
    let before = server.snapshot().await;
    ask(&server, &tokens, &[("client_id", "somebody-else")]).await.expect_refusal(400, "invalid_grant");
    assert_eq!(server.snapshot().await, before);
    ask(&server, &tokens, &[("client_id", "counterfoil")]).await.expect(200);
}

#[tokio::test]
async fn bad_requests_are_refused_in_oauths_words() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    server.pass(PAST_THE_WINDOW).await;
    let before = server.snapshot().await;
    let (refresh, access) = (("refresh_token", tokens.refresh.as_str()), ("refresh_token", tokens.access.as_str()));
    let grant = ("grant_type", "refresh_token");
    let cases: [(&[(&str, &str)], &str); 11] = [
        (&[], "invalid_request"),
        (&[refresh], "invalid_request"),
        (&[("grant_type", ""), refresh], "invalid_request"),
        (&[grant], "invalid_request"),
        (&[grant, ("refresh_token", "")], "invalid_request"),
        (&[grant, refresh, refresh], "invalid_request"),
        (&[grant, grant, refresh], "invalid_request"),
        (&[("grant_type", "password"), ("username", EMAIL), ("password", "x")], "unsupported_grant_type"),
        (&[("grant_type", "Refresh_Token"), refresh], "unsupported_grant_type"),
        (&[grant, access], "invalid_grant"),
        (&[grant, ("refresh_token", "cfr_AAAA")], "invalid_grant"),
    ];
    for (form, error) in cases {
        server.post_form("/oauth/token", form).await.expect_refusal(400, error);
    }
    let json = server.post_text("/oauth/token", "{}").await;
    json.expect_refusal(415, "invalid_request");
    let form = "application/x-www-form-urlencoded";
    let request = server.request("POST", "/oauth/token").header("content-type", form);
    server.send(request.body(b"grant_type=\xff".to_vec())).await.expect_refusal(400, "invalid_request");
    let large = format!("grant_type=refresh_token&x={}", "a".repeat(64 * 1024));
    let request = server.request("POST", "/oauth/token").header("content-type", form);
    server.send(request.body(large)).await.expect_refusal(413, "invalid_request");
    // Nothing of a token is taken from the query (RFC 6749 §2.3.1), and a token request is a POST (§3.2).
    let query = format!("/oauth/token?grant_type=refresh_token&refresh_token={}", tokens.refresh);
    server.post_form(&query, &[]).await.expect_refusal(400, "invalid_request");
    assert_eq!(server.get(&query).await.expect(405).header("allow"), "POST");
    assert_eq!(server.snapshot().await, before);
    // Parameters that nobody knows are ignored (§3.2).
    ask(&server, &tokens, &[("audience", "x"), ("audience", "y")]).await.expect_refusal(400, "invalid_request");
    ask(&server, &tokens, &[("audience", "x")]).await.expect(200);
}
