//! The main job from end to end: sign up, sign in, ask, refresh, ask, list, sign out everywhere.

use crate::harness::{Client, PASSWORD, Process, Server};
use serde_json::json;
use tempfile::TempDir;

#[tokio::test]
async fn the_main_flow_in_an_app() {
    walk(&*Server::start().await).await;
}

#[tokio::test]
async fn the_main_flow_with_the_binary() {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    walk(&process).await;
    assert_eq!(process.stop().await.code(), Some(0));
}

async fn walk(client: &Client) {
    let email = "minsu@example.com";
    let account = json!({ "email": email, "password": PASSWORD, "name": "민수" });
    client.post_json("/v1/accounts", &account).await.expect(201);
    let phone = client.sign_in(email).await;
    let laptop = client.sign_in(email).await;
    client.account(&phone.access).await.expect(200);
    client.account(&laptop.access).await.expect(200);

    let refreshed = client.refresh(&laptop.refresh).await.expect(200).tokens();
    assert_eq!(refreshed.session(), laptop.session());
    assert_ne!(refreshed.access, laptop.access);
    client.account(&refreshed.access).await.expect(200);

    let sessions = client.sessions(&refreshed.access).await;
    let ids: Vec<_> = sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&phone.session()) && ids.contains(&laptop.session()));

    let signed_out = client.with_token("DELETE", "/v1/sessions", &refreshed.access).await.expect(200).json();
    assert_eq!(signed_out["revoked"], 2);
    for tokens in [&phone, &laptop, &refreshed] {
        client.account(&tokens.access).await.expect_refusal(401, "token_revoked");
        client.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
    }
    client.sign_in(email).await;
}

/// The `curl` line that the binary prints is what people try first.
#[tokio::test]
async fn the_printed_line_works() {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    let words = process.words();
    let line = words.lines().find(|line| line.trim_start().starts_with("curl ")).expect("a curl line");
    let mut quoted = line.split('\'');
    let (address, header, body) = (quoted.next().unwrap(), quoted.next().unwrap(), quoted.nth(1).unwrap());
    assert_eq!(address.split_whitespace().nth(1), Some(format!("{}/v1/accounts", process.base_url()).as_str()));
    assert_eq!(header, "Content-Type: application/json");
    let tokens = process.post_text("/v1/accounts", body.to_owned()).await.expect(201).tokens();
    process.account(&tokens.access).await.expect(200);
}
