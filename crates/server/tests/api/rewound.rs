//! A store that was restored from a backup without a new epoch: a verifier that is ahead of it shows it.

use crate::harness::{Credentials, Server, Verifier};
use counterfoil_domain::{
    event::EventKind,
    id::AccountId,
    revocation::{Epoch, FeedHead},
};
use serde_json::Value;
use std::time::Duration;

async fn head(server: &Server) -> FeedHead {
    server.store().feed_after(0, 0).await.unwrap().head
}

/// Polls by name from a place that is ahead of the feed.
async fn poll_ahead(server: &Server, credentials: &Credentials, more: &str) -> Value {
    let place = head(server).await.position;
    let path = format!("/v1/feed?epoch={}&after={}{more}", place.epoch.0, place.seq + 5);
    credentials.get(server, &path).await.expect(200).json()
}

#[tokio::test]
async fn a_verifier_that_is_ahead_of_the_store_begins_a_new_epoch() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let tokens = server.sign_up("minsu@example.com").await;
    let before = head(&server).await.position;

    // Whoever gives no name begins nothing.
    assert_eq!(poll_ahead(&server, &credentials, "").await["resync"], "rewound");
    assert_eq!(head(&server).await.position, before);

    server.clock.advance(Duration::from_secs(1));
    let told = poll_ahead(&server, &credentials, "&verifier=orders-1").await;
    let now = server.counterfoil().app().now();
    assert_eq!((&told["resync"], &told["head"]["epoch"]), (&"new_epoch".into(), &now.as_millis().into()));
    let after = head(&server).await.position;
    assert_eq!((after.epoch, after.seq), (Epoch(now.as_millis()), before.seq + 1));
    let event = server.store().events_of_account(AccountId::NOBODY, 1).await.unwrap().remove(0);
    assert_eq!((event.kind, event.detail.as_deref()), (EventKind::StoreRewound, Some("seen by orders-1")));

    // Everybody refreshes once, and goes on.
    server.account(&tokens.access).await.expect_refusal(401, "token_revoked");
    server.clock.advance(Duration::from_secs(16));
    let fresh = server.refresh(&tokens.refresh).await.expect(200).tokens();
    server.account(&fresh.access).await.expect(200);

    // The verifier loads it anew and follows on.
    let verifier = Verifier::new(&server, &credentials, "orders-1");
    verifier.load().await;
    assert_eq!(verifier.revocations.applied().position, after);
    assert!(verifier.ask("").await.resync.is_none());
}

#[tokio::test]
async fn at_most_once_a_minute() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let epoch = async || head(&server).await.position.epoch;
    server.clock.advance(Duration::from_secs(1));
    poll_ahead(&server, &credentials, "&verifier=a").await;
    let first = epoch().await;
    server.clock.advance(Duration::from_secs(59));
    poll_ahead(&server, &credentials, "&verifier=b").await;
    assert_eq!(epoch().await, first);
    server.clock.advance(Duration::from_secs(1));
    poll_ahead(&server, &credentials, "&verifier=b").await;
    assert!(epoch().await > first);
}

/// What it has applied of another history confirms nothing.
#[tokio::test]
async fn a_verifier_with_another_history_is_missing_in_a_receipt() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let tokens = server.sign_up("minsu@example.com").await;
    // The minute of the first new epoch has not passed when this one comes.
    poll_ahead(&server, &credentials, "&verifier=first").await;
    let fresh = server.sign_in("minsu@example.com").await;
    poll_ahead(&server, &credentials, "&verifier=lost").await;
    drop(tokens);
    server.clock.advance(Duration::from_secs(1));
    let fresh = server.refresh(&fresh.refresh).await.expect(200).tokens();
    let ended = server.with_token("DELETE", "/v1/sessions?wait=50ms", &fresh.access).await.expect(200).json();
    assert_eq!(ended["receipt"]["missing"], serde_json::json!(["first", "lost"]));
}
