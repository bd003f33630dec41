//! Claims of the operator's own: in every token, and in what a service reads of sessions that have no token.

use crate::harness::{PASSWORD, Server};
use counterfoil::{CurrentUser, app::AccountAdministration, system::OsEntropy};
use counterfoil_domain::{policy::SessionPolicy, store::Store};
use counterfoil_guard::Guard;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const EMAIL: &str = "minsu@example.com";

#[derive(Deserialize, PartialEq, Debug)]
struct Ours {
    tenant: String,
    department: Option<Value>,
}

async fn start() -> (Server, Arc<dyn Store>) {
    let folder = Arc::new(tempfile::TempDir::new().unwrap());
    let server = Server::start_in(folder, Arc::default(), |config| {
        config.claims.fixed.insert("tenant".into(), "acme".into());
        config.claims.from_attributes.insert("department".into(), "dept".into());
    })
    .await
    .unwrap();
    let config = counterfoil::Config { data: server.folder.path().join("data"), ..counterfoil::Config::default() };
    let store: Arc<dyn Store> = Arc::new(counterfoil::startup::open_store(&config, server.clock.clone()).unwrap());
    server.post_json("/v1/accounts", &json!({ "email": EMAIL, "password": PASSWORD })).await.expect(201);
    (server, store)
}

async fn user(guard: &Guard, held: &crate::harness::Held) -> CurrentUser {
    let request = held.carried.with(reqwest::Client::new().get("http://x.example"));
    let request = request.build().unwrap();
    guard.authenticate(request.method(), request.headers()).await.unwrap()
}

#[tokio::test]
async fn every_policy_carries_them() {
    let (server, store) = start().await;
    let accounts =
        AccountAdministration { store, entropy: Arc::new(OsEntropy), longest_token_lifetime: Duration::from_hours(1) };
    let account = accounts.find(EMAIL).await.unwrap().id;
    let claims = server.counterfoil().app().settings().custom_claims.clone();
    let dept = vec![("dept".to_owned(), json!(["sales", 7]))];
    accounts.set_attributes(account, dept, claims.clone()).await.unwrap();

    let guard = server.counterfoil().guard();
    let expected = Ours { tenant: "acme".into(), department: Some(json!(["sales", 7])) };
    for policy in SessionPolicy::ALL {
        let held = server.sign_in_with(EMAIL, policy).await;
        let user = user(&guard, &held).await;
        assert_eq!(user.claims::<Ours>().unwrap(), expected, "{policy}");
        assert_eq!((user.policy(), user.account()), (policy, account));
        let methods = if policy == SessionPolicy::Personal { vec![] } else { vec!["pwd".to_owned()] };
        assert_eq!(user.methods(), methods);
    }

    // What does not fit into a token is refused where it is set, and leaves what was there.
    let large: Vec<_> = ["dept", "other"].map(|name| (name.to_owned(), json!("x".repeat(600)))).into();
    assert!(accounts.set_attributes(account, large, claims.clone()).await.is_err());
    assert!(accounts.set_attributes(account, vec![("a b".to_owned(), json!(1))], claims.clone()).await.is_err());
    accounts.set_attributes(account, vec![("dept".to_owned(), Value::Null)], claims).await.unwrap();
    let held = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    let user = user(&guard, &held).await;
    assert_eq!(user.claims::<Ours>().unwrap(), Ours { tenant: "acme".into(), department: None });
}
