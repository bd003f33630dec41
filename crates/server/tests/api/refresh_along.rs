//! The access token that may, or must, come along with a refresh token: whoever stole the latter alone has not got it.

use crate::harness::{PAST_THE_ACCESS_TOKEN, Reply, Server};
use serde_json::json;

const EMAIL: &str = "minsu@example.com";

async fn refresh_with(server: &Server, refresh: &str, access: &str) -> Reply {
    let body = json!({ "refresh_token": refresh, "access_token": access });
    server.post_json("/v1/sessions/current/refresh", &body).await
}

#[tokio::test]
async fn one_of_the_same_session_is_good_even_when_it_has_ended() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    refresh_with(&server, &tokens.refresh, &tokens.access).await.expect(200);
    server.pass(PAST_THE_ACCESS_TOKEN).await;
    server.account(&tokens.access).await.expect_refusal(401, "token_expired");
    let renewed = refresh_with(&server, &tokens.refresh, &tokens.access).await.expect(200).tokens();
    server.account(&renewed.access).await.expect(200);
}

#[tokio::test]
async fn every_other_one_is_refused_and_leaves_the_session_alone() {
    let server = Server::start().await;
    let elsewhere = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    let same_person = server.sign_in(EMAIL).await;
    let somebody_else = server.sign_up("jiho@example.com").await;
    let foreign = elsewhere.sign_up(EMAIL).await;
    server.pass(PAST_THE_ACCESS_TOKEN).await;
    let before = server.snapshot().await;
    let (truncated, _) = tokens.access.rsplit_once('.').unwrap();
    for access in
        [&same_person.access, &somebody_else.access, &foreign.access, truncated, "garbage", "", tokens.refresh.as_str()]
    {
        refresh_with(&server, &tokens.refresh, access).await.expect_refusal(401, "access_token_required");
        let form = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh), ("access_token", access)];
        if !access.is_empty() {
            server.post_form("/oauth/token", &form).await.expect_refusal(400, "invalid_grant");
        }
    }
    assert_eq!(server.snapshot().await, before);
    server.refresh(&tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn it_can_be_made_a_must() {
    let server = Server::start_with(|config| config.refresh.require_access_token = true).await;
    let tokens = server.sign_up(EMAIL).await;
    server.refresh(&tokens.refresh).await.expect_refusal(401, "access_token_required");
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    server.post_form("/oauth/token", &form).await.expect_refusal(400, "invalid_grant");
    server.pass(PAST_THE_ACCESS_TOKEN).await;
    refresh_with(&server, &tokens.refresh, &tokens.access).await.expect(200);
    let form = [form[0], form[1], ("access_token", &tokens.access)];
    server.post_form("/oauth/token", &form).await.expect(200);
}
