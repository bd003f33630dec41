//! `POST /oauth/revoke` (RFC 7009): either kind of token ends its session.

use crate::harness::{PAST_THE_ACCESS_TOKEN, PAST_THE_WINDOW, Server};

const EMAIL: &str = "minsu@example.com";

/// Gives something back, which is 200 whatever came of it (§2.2).
async fn revoke(server: &Server, form: &[(&str, &str)]) {
    let reply = server.post_form("/oauth/revoke", form).await.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert!(reply.body.is_empty(), "a client must not read anything from it");
}

#[tokio::test]
async fn a_refresh_token_ends_its_session_and_no_other() {
    let server = Server::start().await;
    let (given_back, other) = (server.sign_up(EMAIL).await, server.sign_in(EMAIL).await);
    revoke(&server, &[("token", &given_back.refresh)]).await;
    server.account(&given_back.access).await.expect_refusal(401, "token_revoked");
    server.refresh(&given_back.refresh).await.expect_refusal(401, "invalid_grant");
    server.account(&other.access).await.expect(200);
    let before = server.snapshot().await;
    revoke(&server, &[("token", &given_back.refresh)]).await;
    assert_eq!(server.snapshot().await, before, "a second time there is nothing to do");
}

/// Whoever gives back any token of a session wants it to be over.
#[tokio::test]
async fn a_spent_refresh_token_ends_its_session_too() {
    let server = Server::start().await;
    let first = server.sign_up(EMAIL).await;
    server.pass(PAST_THE_WINDOW).await;
    let second = server.refresh(&first.refresh).await.expect(200).tokens();
    revoke(&server, &[("token", &first.refresh)]).await;
    server.account(&second.access).await.expect_refusal(401, "token_revoked");
    server.refresh(&second.refresh).await.expect_refusal(401, "invalid_grant");
}

/// §2.1 allows it, and a session that could have its tokens revoked one by one could fill every verifier's memory.
#[tokio::test]
async fn an_access_token_ends_its_session_too_with_one_entry_however_many_are_given_back() {
    let server = Server::start().await;
    let (given_back, other) = (server.sign_up(EMAIL).await, server.sign_in(EMAIL).await);
    let mut minted = vec![given_back];
    for _ in 0..20 {
        minted.push(server.refresh(&minted[0].refresh).await.expect(200).tokens());
    }
    for tokens in &minted {
        revoke(&server, &[("token", &tokens.access)]).await;
    }
    for tokens in &minted {
        server.account(&tokens.access).await.expect_refusal(401, "token_revoked");
        server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
    }
    assert_eq!(server.store().feed_after(0, 100).await.unwrap().entries.len(), 1);
    server.account(&other.access).await.expect(200);
}

/// §2.1: a wrong hint does not matter, and neither does one that nobody knows.
#[tokio::test]
async fn hints_are_only_hints() {
    let server = Server::start().await;
    for (number, hint) in ["access_token", "refresh_token", "planet", ""].into_iter().enumerate() {
        let tokens = server.sign_up(&format!("minsu-{number}@example.com")).await;
        revoke(&server, &[("token", &tokens.refresh), ("token_type_hint", hint)]).await;
        server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
    }
    let tokens = server.sign_up(EMAIL).await;
    revoke(&server, &[("token", &tokens.access), ("token_type_hint", "refresh_token")]).await;
    server.account(&tokens.access).await.expect_refusal(401, "token_revoked");
}

#[tokio::test]
async fn what_is_no_living_token_of_ours_is_no_error_and_changes_nothing() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let (tokens, foreign) = (server.sign_up(EMAIL).await, elsewhere.sign_up(EMAIL).await);
    let stale = server.sign_in(EMAIL).await;
    server.pass(PAST_THE_ACCESS_TOKEN).await;
    let before = server.snapshot().await;
    let forged = tokens.refresh.replace("cfr_", "cfr_A");
    for token in ["unknown", "cfr_", "a.b.c", &forged, &foreign.access, &foreign.refresh, &stale.access] {
        revoke(&server, &[("token", token)]).await;
    }
    assert_eq!(server.snapshot().await, before);
    server.refresh(&tokens.refresh).await.expect(200);
}

/// §2.1: a token that was issued to another client is not touched.
#[tokio::test]
async fn another_client_revokes_nothing() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    let before = server.snapshot().await;
    for token in [&tokens.refresh, &tokens.access] {
        revoke(&server, &[("token", token), ("client_id", "somebody-else")]).await;
    }
    assert_eq!(server.snapshot().await, before);
    server.account(&tokens.access).await.expect(200);
    server.refresh(&tokens.refresh).await.expect(200);
    revoke(&server, &[("token", &tokens.refresh), ("client_id", "counterfoil")]).await;
    server.account(&tokens.access).await.expect_refusal(401, "token_revoked");
}

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    let before = server.snapshot().await;
    let token = ("token", tokens.refresh.as_str());
    let forms: [&[(&str, &str)]; 4] =
        [&[], &[("token", "")], &[token, token], &[token, ("token_type_hint", "a"), ("token_type_hint", "b")]];
    for form in forms {
        server.post_form("/oauth/revoke", form).await.expect_refusal(400, "invalid_request");
    }
    server.post_text("/oauth/revoke", "{}").await.expect_refusal(415, "invalid_request");
    let in_query = format!("/oauth/revoke?token={}", tokens.refresh);
    server.post_form(&in_query, &[]).await.expect_refusal(400, "invalid_request");
    assert_eq!(server.get(&in_query).await.expect(405).header("allow"), "POST");
    assert_eq!(server.snapshot().await, before);
}
