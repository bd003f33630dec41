//! The example as a person uses it: sign up, ask, sign out, ask again.

use counterfoil::{Config, Counterfoil, ServeOptions};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

#[tokio::test]
async fn signed_in_people_are_greeted_until_they_sign_out() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().join("data"), ..Config::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let counterfoil = Counterfoil::open(&config, &base_url).await.unwrap();
    let app = counterfoil_example_embedded::app(&counterfoil);
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = tokio::spawn(counterfoil::serve(listener, app, ServeOptions::default(), stopped));

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| format!("{base_url}{path}");
    assert_eq!(client.get(at("/")).send().await.unwrap().status(), 200);
    assert_eq!(client.get(at("/hello")).send().await.unwrap().status(), 401);

    let account = json!({ "email": "me@example.com", "password": "plum tin walrus 41 harbour", "sign_in": {} });
    let signed_up = client.post(at("/v1/accounts")).json(&account).send().await.unwrap();
    assert_eq!(signed_up.status(), 201);
    let signed_up: Value = signed_up.json().await.unwrap();
    let token = signed_up["access_token"].as_str().unwrap();

    let hello = client.get(at("/hello")).bearer_auth(token).send().await.unwrap();
    assert_eq!(hello.status(), 200);
    let hello: Value = hello.json().await.unwrap();
    assert_eq!(hello["hello"], signed_up["account"]["id"]);
    assert_eq!(hello["session"], signed_up["session"]["id"]);

    let signed_out = client.delete(at("/v1/sessions/current")).bearer_auth(token).send().await.unwrap();
    assert_eq!(signed_out.status(), 200);
    assert_eq!(client.get(at("/hello")).bearer_auth(token).send().await.unwrap().status(), 401);

    drop((client, stop));
    serving.await.unwrap().unwrap();
}
