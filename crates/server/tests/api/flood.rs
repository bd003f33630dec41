//! Somebody guesses at an account with all the connections there are: the owner gets in all the same.

use crate::harness::{Client, PASSWORD, Server};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};
use tokio::task::JoinSet;

const EMAIL: &str = "minsu@example.com";
/// More than wait for hashing at a time.
const ATTACKERS: usize = 90;

/// Signs in again and again from `clients`, and counts how often that was shed.
fn guess(clients: impl Iterator<Item = Client>) -> (JoinSet<()>, Arc<AtomicUsize>) {
    let (mut attack, shed) = (JoinSet::new(), Arc::<AtomicUsize>::default());
    for client in clients {
        let shed = Arc::clone(&shed);
        attack.spawn(async move {
            loop {
                let reply = client.try_sign_in(EMAIL, "a guess at the password").await;
                if reply.status == 503 {
                    reply.expect_refusal(503, "overloaded");
                    shed.fetch_add(1, Relaxed);
                } else {
                    reply.expect_refusal(401, "invalid_credentials");
                }
            }
        });
    }
    (attack, shed)
}

async fn until_it_is_full(shed: &AtomicUsize) {
    while shed.load(Relaxed) < ATTACKERS {
        tokio::task::yield_now().await;
    }
}

/// Asserts that one of two tries is answered with tokens.
async fn gets_in(owner: &Client) {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let reply = owner.try_sign_in(EMAIL, PASSWORD).await;
        if reply.status == 201 {
            return;
        }
        answers.push(reply);
    }
    panic!("kept out: {answers:?}");
}

/// Linux has all of 127.0.0.0/8 without being asked.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_flood_from_one_address_does_not_keep_the_owner_out() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    for owners_address in ["127.0.0.2", "127.20.0.1"] {
        let (mut attack, shed) = guess((0..ATTACKERS).map(|_| Client::new(server.base_url())));
        until_it_is_full(&shed).await;
        gets_in(&Client::from_address(server.base_url(), owners_address)).await;
        attack.shutdown().await;
    }
}

/// The same behind a proxy that is named in the configuration. What the attackers claim for themselves does not count.
#[tokio::test]
async fn behind_a_trusted_proxy_the_client_counts_and_not_the_proxy() {
    let server = Server::start_with(|config| config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    server.sign_up(EMAIL).await;
    let claims = (0..ATTACKERS).map(|number| format!("10.{number}.0.1, 203.0.113.9"));
    let (mut attack, shed) = guess(claims.map(|claim| Client::forwarded_for(server.base_url(), &claim)));
    until_it_is_full(&shed).await;
    let owner = Client::forwarded_for(server.base_url(), "192.0.2.1");
    gets_in(&owner).await;
    attack.shutdown().await;
    let tokens = owner.sign_in(EMAIL).await;
    assert_eq!(tokens.body["session"]["ip"], "192.0.2.1");
}

#[tokio::test]
async fn nobody_is_a_proxy_by_default() {
    let server = Server::start().await;
    let client = Client::forwarded_for(server.base_url(), "192.0.2.1");
    assert_eq!(client.sign_up(EMAIL).await.body["session"]["ip"], json!("127.0.0.1"));
}
