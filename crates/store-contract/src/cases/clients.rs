//! Clients: found by name, kept with the line that tells of them.

use crate::Bench;
use counterfoil_domain::{
    client::{CLIENTS_MAX, Client, ClientKind, CreatedClient},
    event::EventKind,
    id::AccountId,
    opaque::SecretDigest,
};

fn client(bench: &Bench, name: &str, secret: u8) -> Client {
    let secret = SecretDigest::from_bytes([secret; 32]);
    Client { id: name.parse().unwrap(), kind: ClientKind::Verifier, secret, created_at: bench.now() }
}

async fn create(bench: &Bench, client: &Client) -> CreatedClient {
    let event = client.event(EventKind::ClientCreated, &bench.occasion());
    bench.store.create_client(client.clone(), event).await.unwrap()
}

async fn delete(bench: &Bench, client: &Client) -> bool {
    let event = client.event(EventKind::ClientDeleted, &bench.occasion());
    bench.store.delete_client(&client.id, event).await.unwrap()
}

/// What the log tells, oldest first.
async fn told(bench: &Bench) -> Vec<(EventKind, String)> {
    let events = bench.store.events_of_account(AccountId::NOBODY, 100).await.unwrap();
    events.into_iter().rev().map(|event| (event.kind, event.detail.unwrap_or_default())).collect()
}

/// Every column survives, the list is in the order of names, and the log tells of it.
pub async fn a_client_is_found_by_its_name(bench: Bench) {
    let (second, first) = (client(&bench, "orders-2", 2), client(&bench, "mail", 1));
    for client in [&second, &first] {
        assert_eq!(create(&bench, client).await, CreatedClient::Created);
        assert_eq!(bench.store.client(&client.id).await.unwrap().as_ref(), Some(client));
    }
    assert_eq!(bench.store.client(&"Mail".parse().unwrap()).await.unwrap(), None);
    assert_eq!(bench.store.clients().await.unwrap(), [first, second]);
    let mut log = told(&bench).await;
    log.sort_by(|one, other| one.1.cmp(&other.1));
    let line = |name: &str| (EventKind::ClientCreated, name.to_owned());
    assert_eq!(log, [line("mail"), line("orders-2")]);
}

/// The one that has it keeps it and its secret; nothing is told.
pub async fn a_name_is_given_once(bench: Bench) {
    let first = client(&bench, "orders", 1);
    create(&bench, &first).await;
    assert_eq!(create(&bench, &client(&bench, "orders", 2)).await, CreatedClient::NameTaken);
    assert_eq!(bench.store.clients().await.unwrap(), [first]);
    assert_eq!(told(&bench).await.len(), 1);
}

/// One more is not made.
pub async fn there_is_a_most_of_them(bench: Bench) {
    for number in 0..CLIENTS_MAX {
        assert_eq!(create(&bench, &client(&bench, &format!("c{number}"), 1)).await, CreatedClient::Created);
    }
    assert_eq!(create(&bench, &client(&bench, "last", 1)).await, CreatedClient::TooMany);
    assert_eq!(bench.store.clients().await.unwrap().len(), CLIENTS_MAX);
}

/// Once. Where there is none nothing is told.
pub async fn a_deleted_one_is_forgotten(bench: Bench) {
    let (one, other) = (client(&bench, "one", 1), client(&bench, "other", 2));
    create(&bench, &one).await;
    create(&bench, &other).await;
    assert!(delete(&bench, &one).await);
    assert!(!delete(&bench, &one).await);
    assert_eq!(bench.store.clients().await.unwrap(), [other]);
    let deleted = told(&bench).await.into_iter().filter(|(kind, _)| *kind == EventKind::ClientDeleted);
    assert_eq!(deleted.map(|(_, detail)| detail).collect::<Vec<_>>(), ["one"]);
}
