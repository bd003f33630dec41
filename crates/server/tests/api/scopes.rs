//! Scopes and roles: granted at sign-in, narrowed at refresh, demanded by a handler and by a gateway.

use crate::harness::{Held, PASSWORD, Server};
use counterfoil::app::{RequestOrigin, StandingChange};
use counterfoil_domain::policy::SessionPolicy;
use serde_json::{Value, json};

const EMAIL: &str = "minsu@example.com";

async fn start() -> Server {
    let server = Server::start_with(|config| {
        config.scope.everybody = vec!["account".into(), "articles:read".into()];
        config.scope.by_role.insert("editor".into(), vec!["articles:write".into()]);
    })
    .await;
    server.post_json("/v1/accounts", &json!({ "email": EMAIL, "password": PASSWORD })).await.expect(201);
    server
}

async fn set_roles(server: &Server, roles: &[&str]) {
    let account = server.snapshot().await.accounts[0].id;
    let roles = StandingChange::Roles(roles.iter().map(|role| (*role).to_owned()).collect());
    server.counterfoil().app().change_standing(account, roles, &RequestOrigin::default()).await.unwrap();
}

async fn sign_in(server: &Server, scope: Value) -> Value {
    let mut body = json!({ "email": EMAIL, "password": PASSWORD });
    if !scope.is_null() {
        body["scope"] = scope;
    }
    server.post_json("/v1/sessions", &body).await.expect(201).json()
}

#[tokio::test]
async fn what_is_granted_follows_the_roles_and_what_is_asked() {
    let server = start().await;
    assert_eq!(sign_in(&server, Value::Null).await["scope"], "account articles:read");
    assert_eq!(sign_in(&server, "articles:read".into()).await["scope"], "articles:read");
    let body = json!({ "email": EMAIL, "password": PASSWORD, "scope": "articles:write" });
    server.post_json("/v1/sessions", &body).await.expect_refusal(422, "scope_not_allowed");
    set_roles(&server, &["editor"]).await;
    let granted = sign_in(&server, Value::Null).await;
    assert_eq!(granted["scope"], "account articles:read articles:write");
    assert_eq!(granted["account"]["roles"], json!(["editor"]));
}

#[tokio::test]
async fn a_refresh_narrows_one_token_and_never_widens() {
    let server = start().await;
    let granted = sign_in(&server, "account articles:read".into()).await;
    let refresh = |scope: &'static str| {
        let token = granted["refresh_token"].as_str().unwrap().to_owned();
        let server = &server;
        async move {
            let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", scope)];
            server.post_form("/oauth/token", &form).await
        }
    };
    let narrowed = refresh("articles:read").await.expect(200).json();
    assert_eq!(narrowed["scope"], "articles:read");
    server.account(narrowed["access_token"].as_str().unwrap()).await.expect_refusal(403, "insufficient_scope");
    refresh("articles:read articles:write").await.expect_refusal(400, "invalid_scope");
    assert_eq!(refresh("").await.expect(200).json()["scope"], "account articles:read");
}

#[tokio::test]
async fn a_gateway_demands_a_scope_and_is_told_which_is_missing() {
    let server = start().await;
    let granted = sign_in(&server, Value::Null).await;
    let token = granted["access_token"].as_str().unwrap();
    let ask = |query: &'static str| server.with_token("GET", query, token);
    ask("/v1/forward-auth?scope=articles:read").await.expect(200);
    ask("/v1/forward-auth?scope=articles:read+account").await.expect(200);
    let refused = ask("/v1/forward-auth?scope=articles:write").await.expect_refusal(403, "insufficient_scope");
    assert!(refused.header("www-authenticate").contains("scope=\"articles:write\""), "{refused:?}");
    ask("/v1/forward-auth?role=editor").await.expect_refusal(400, "invalid_query");
}

/// A role that is taken ends what was granted with it, at once; one that is given ends nothing.
#[tokio::test]
async fn taking_a_role_ends_every_sign_in_and_personal_token() {
    let server = start().await;
    set_roles(&server, &["editor"]).await;
    let mut held = Vec::new();
    for policy in SessionPolicy::ALL {
        held.push(server.sign_in_with(EMAIL, policy).await);
    }
    set_roles(&server, &["editor", "admin"]).await;
    let good = async |held: &[Held]| {
        let mut good = 0;
        for held in held {
            good += usize::from(held.code(&server).await.is_empty());
        }
        good
    };
    assert_eq!(good(&held).await, 5);
    set_roles(&server, &["admin"]).await;
    assert_eq!(good(&held).await, 0);
}
