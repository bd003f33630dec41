//! Who may follow the feed: names and secrets, checked without asking the store at each poll.

use crate::harness::{Client, Credentials, Fault, Process, Server};
use counterfoil::system::OsEntropy;
use counterfoil_domain::event::{EventKind, Occasion};
use std::time::Duration;
use tempfile::TempDir;

const PATHS: [&str; 4] = ["/v1/feed", "/v1/feed/snapshot", "/v1/feed/state", "/metrics"];

async fn delete(server: &Server, id: &str) {
    let id = id.parse().unwrap();
    let client = server.store().client(&id).await.unwrap().unwrap();
    let occasion = Occasion { now: server.counterfoil().app().now(), ip: None, entropy: &OsEntropy };
    assert!(server.store().delete_client(&id, client.event(EventKind::ClientDeleted, &occasion)).await.unwrap());
}

#[tokio::test]
async fn whoever_follows_the_feed_says_who_it_is() {
    let server = Server::start().await;
    let (orders, mail) = (server.register("orders").await, server.register("mail").await);
    let challenge = r#"Basic realm="counterfoil", charset="UTF-8""#;
    let tokens = server.sign_up("minsu@example.com").await;
    for path in PATHS {
        orders.get(&server, path).await.expect(200);
        let refused = server.get(path).await.expect_refusal(401, "invalid_client");
        assert_eq!(refused.header("www-authenticate"), challenge);
        // A person's token opens none of it.
        server.with_token("GET", path, &tokens.access).await.expect_refusal(401, "invalid_client");
        for (id, secret) in [("orders", &mail.secret), ("unknown", &orders.secret), ("orders", &String::new())] {
            let wrong = Credentials { id: id.to_owned(), secret: secret.clone() };
            wrong.get(&server, path).await.expect_refusal(401, "invalid_client");
        }
    }
    let refused = server.post_form("/oauth/introspect", &[("token", "x")]).await.expect_refusal(401, "invalid_client");
    assert_eq!(refused.header("www-authenticate"), challenge);
}

#[tokio::test]
async fn a_client_is_asked_about_now_and_then_and_polls_go_on_without_the_store() {
    let (server, probes) = Server::start_probed().await;
    let orders = server.register("orders").await;
    let poll = async || orders.get(&server, "/v1/feed").await.status;
    probes.take_calls();
    assert_eq!(poll().await, 200);
    assert_eq!(probes.take_calls(), ["client"]);
    for _ in 0..5 {
        assert_eq!(poll().await, 200);
    }
    assert_eq!(probes.take_calls(), [""; 0]);
    server.clock.advance(Duration::from_secs(5));
    assert_eq!(poll().await, 200);
    assert_eq!(probes.take_calls(), ["client"]);

    // The store fails: who was good within the minute stays so, and nobody else comes in.
    server.clock.advance(Duration::from_secs(59));
    probes.fail(1, Fault::Unreachable);
    assert_eq!(poll().await, 200);
    assert!(probes.has_failed());
    assert_eq!(poll().await, 200);
    let wrong = Credentials { id: "orders".to_owned(), secret: "cfk_AAAA".to_owned() };
    wrong.get(&server, "/v1/feed").await.expect_refusal(401, "invalid_client");
    server.clock.advance(Duration::from_secs(6));
    probes.fail(1, Fault::Unreachable);
    orders.get(&server, "/v1/feed").await.expect_refusal(503, "store_unavailable");
    assert_eq!(poll().await, 200, "the store answers again");
}

#[tokio::test]
async fn a_deleted_client_is_out_within_ten_seconds() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    orders.get(&server, "/v1/feed").await.expect(200);
    delete(&server, "orders").await;
    server.clock.advance(Duration::from_secs(10));
    orders.get(&server, "/v1/feed").await.expect_refusal(401, "invalid_client");
    // Nor does another of its name let it in.
    let again = server.register("orders").await;
    again.get(&server, "/v1/feed").await.expect(200);
    orders.get(&server, "/v1/feed").await.expect_refusal(401, "invalid_client");
}

#[tokio::test]
async fn wrong_secrets_are_held_off_and_the_right_one_is_not() {
    let (server, probes) = Server::start_probed().await;
    let (orders, mail) = (server.register("orders").await, server.register("mail").await);
    orders.get(&server, "/v1/feed").await.expect(200);
    let wrong = Credentials { id: "orders".to_owned(), secret: mail.secret.clone() };
    for _ in 0..10 {
        wrong.get(&server, "/v1/feed").await.expect_refusal(401, "invalid_client");
    }
    probes.take_calls();
    let refused = wrong.get(&server, "/v1/feed").await.expect(429);
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("too_many_attempts", "60"));
    assert_eq!(probes.take_calls(), [""; 0], "nothing of it reaches the store");
    orders.get(&server, "/v1/feed").await.expect(200);
    mail.get(&server, "/v1/feed").await.expect(200);
    server.clock.advance(Duration::from_mins(1));
    wrong.get(&server, "/v1/feed").await.expect_refusal(401, "invalid_client");
}

/// On one's own machine nobody has to register anything; what comes through a proxy, or under another name, does.
#[tokio::test]
async fn a_server_for_this_machine_alone_asks_for_nothing() {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    for path in PATHS {
        process.get(path).await.expect(200);
        let wrong = Credentials { id: "orders".to_owned(), secret: "cfk_x".to_owned() };
        wrong.get(&process, path).await.expect_refusal(401, "invalid_client");
        for (name, value) in [("x-forwarded-for", "192.0.2.1"), ("via", "1.1 proxy"), ("host", "auth.example.com")] {
            let request = process.request("GET", path).header(name, value);
            process.send(request).await.expect_refusal(401, "invalid_client");
        }
    }
    drop(process);
    let behind_a_proxy = [("COUNTERFOIL_PUBLIC_URL", "https://auth.example.com")];
    let process = Process::start(folder.path(), &behind_a_proxy).await;
    let client: &Client = &process;
    for path in PATHS {
        client.get(path).await.expect_refusal(401, "invalid_client");
    }
}
