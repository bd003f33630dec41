//! The revocation feed over HTTP: polls, snapshots, and what they cost.

use crate::harness::{Server, Verifier, eventually, members, poll_path};
use counterfoil::system::OsEntropy;
use counterfoil_domain::entropy::random_bytes;
use counterfoil_domain::{
    id::{AccountId, SessionId},
    revocation::{Epoch, FeedHead, FeedPosition, Next, Revocation, RevocationDraft},
    session::{AccountView, Changes, Ruling},
    time::UnixMillis,
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// Only a hang takes as long.
const LIMIT: Duration = Duration::from_secs(30);

/// Writes revocations as one commit.
async fn revoke(server: &Server, count: usize) {
    let rule = move |_: Option<&AccountView>, now: UnixMillis| {
        let draft = |_| {
            let session = SessionId::from_bytes(random_bytes(&OsEntropy));
            RevocationDraft::new(Revocation::Session(session), now, Duration::from_mins(30), &OsEntropy)
        };
        let revocations = (0..count).map(draft).collect();
        Ruling { changes: Changes { revocations, ..Changes::default() }, outcome: () }
    };
    server.store().decide_account(AccountId::NOBODY, rule).await.unwrap();
    server.counterfoil().app().follow_feed().await.unwrap();
}

#[tokio::test]
async fn without_a_place_it_says_where_the_feed_stands() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    revoke(&server, 3).await;
    let body = orders.get(&server, "/v1/feed?wait=10s").await.expect(200).json();
    assert_eq!(members(&body), ["age_ms", "entries", "head", "held_ms", "now_ms"]);
    assert_eq!((&body["head"]["seq"], &body["entries"]), (&3.into(), &Value::Array(Vec::new())));
    assert_eq!(members(&body["head"]), ["chain", "epoch", "seq"]);
    assert_eq!(body["now_ms"], server.counterfoil().app().now().as_millis());
}

#[tokio::test]
async fn what_is_no_poll_is_refused() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    for query in [
        "after=1",
        "epoch=1",
        "epoch=1&after=-1",
        "epoch=x&after=1",
        "chain=xyz",
        "chain=0123456789ABCDEF0123456789ABCDEF",
        "wait=1",
        "wait=-1s",
        "accepts_for=long",
        "verifier=",
        "verifier=a%20b",
        "leaving=perhaps",
        "unknown=1",
    ] {
        orders.get(&server, &format!("/v1/feed?{query}")).await.expect_refusal(400, "invalid_query");
    }
}

#[tokio::test]
async fn a_verifier_reads_page_after_page_up_to_the_head() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let verifier = Verifier::new(&server, &credentials, "orders-1");
    assert_eq!(verifier.load().await, 0);
    revoke(&server, 2_500).await;
    let mut polls = 0;
    while verifier.poll("&wait=1s").await == Next::ReadOn {
        polls += 1;
    }
    assert_eq!((polls, verifier.revocations.len()), (2, 2_500));
    let (_, head) = (0, server.store().feed_after(0, 0).await.unwrap().head);
    assert_eq!(verifier.revocations.applied(), head, "its chain was checked entry by entry");
}

/// More at once than the log holds: verifiers load a snapshot.
#[tokio::test]
async fn a_verifier_that_is_far_behind_loads_a_snapshot() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let verifier = Verifier::new(&server, &credentials, "orders-1");
    verifier.load().await;
    revoke(&server, 12_000).await;
    let behind = verifier.ask("&wait=10s").await;
    assert_eq!((behind.resync.as_deref(), behind.entries.len()), (Some("behind_retention"), 0));
    assert_eq!(verifier.load().await, 12_000);
    assert_eq!(verifier.poll("").await, Next::Wait);
}

#[tokio::test]
async fn a_held_poll_is_answered_when_somebody_signs_out() {
    for wake_ups in [true, false] {
        let server = Server::start_with(|config| config.feed.wake_ups = wake_ups).await;
        let credentials = server.register("orders").await;
        let tokens = server.sign_up("minsu@example.com").await;
        let verifier = Verifier::new(&server, &credentials, "orders-1");
        verifier.load().await;
        let held = async { timeout(LIMIT, verifier.ask("&wait=10s")).await.unwrap() };
        let sign_out = async {
            is_held(&server, &credentials, 1).await;
            server.with_token("DELETE", "/v1/sessions/current", &tokens.access).await.expect(200);
        };
        let (answer, ()) = tokio::join!(held, sign_out);
        assert_eq!(answer.entries.len(), 1, "wake-ups: {wake_ups}");
        assert_eq!((&*answer.entries[0].kind, &answer.entries[0].key), ("session", &tokens.session()));
        assert!(answer.head.seq == answer.entries[0].seq && answer.head.chain == answer.entries[0].chain);
    }
}

/// Waits until so many polls are held.
async fn is_held(server: &Server, credentials: &crate::harness::Credentials, polls: usize) {
    let expected = format!("counterfoil_polls_held {polls}");
    let look = || async { credentials.get(server, "/metrics").await.text().lines().any(|line| line == expected) };
    eventually(&expected, LIMIT, look).await;
}

#[tokio::test]
async fn a_second_poll_ends_the_first_and_a_goodbye_is_not_held() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let [first, second, other] =
        ["orders-1", "orders-1", "orders-2"].map(|name| Verifier::new(&server, &credentials, name));
    for verifier in [&first, &second, &other] {
        verifier.load().await;
    }
    let other = tokio::spawn(async move { other.ask("&wait=10s").await });
    let held = tokio::spawn(async move { first.ask("&wait=10s").await });
    is_held(&server, &credentials, 2).await;
    let taken_over = tokio::spawn(async move { (second.ask("&wait=300ms").await, second) });
    assert!(held.await.unwrap().entries.is_empty());
    assert!(!other.is_finished(), "another verifier's poll is its own");
    let (_, second) = taken_over.await.unwrap();
    second.ask("&wait=10s&leaving=true").await;
    let state = credentials.get(&server, "/v1/feed/state").await.expect(200).json();
    let names: Vec<_> = state["verifiers"].as_array().unwrap().iter().map(|verifier| &verifier["name"]).collect();
    assert_eq!(names, ["orders-2"]);
    other.abort();
}

#[tokio::test]
async fn polls_cost_the_store_nothing() {
    let (server, probes) = Server::start_probed().await;
    let credentials = server.register("orders").await;
    let verifiers = ["a", "b", "c"].map(|name| Arc::new(Verifier::new(&server, &credentials, name)));
    for verifier in &verifiers {
        verifier.load().await;
    }
    probes.take_calls();
    let (before, polls) = (probes.feed_reads(), 200);
    for number in 0..polls {
        verifiers[number % 3].ask("").await;
    }
    assert_eq!(probes.take_calls(), [""; 0]);
    // The timer goes on reading beside it.
    let reads = probes.feed_reads() - before;
    assert!(reads < polls / 2, "{reads} readings of the store for {polls} polls");
}

#[tokio::test]
async fn a_place_of_another_life_is_told_so() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    revoke(&server, 2).await;
    let head = server.store().feed_after(0, 0).await.unwrap().head;
    let at = |epoch, seq| FeedHead { position: FeedPosition { epoch: Epoch(epoch), seq }, ..head };
    let epoch = head.position.epoch.0;
    for (what, place, resync) in [
        ("here", head, Value::Null),
        ("an earlier life", at(epoch - 1, 2), "new_epoch".into()),
        ("ahead", at(epoch, 3), "rewound".into()),
        ("another history", FeedHead { chain: at(epoch, 2).chain, ..at(epoch, 1) }, "fork".into()),
        ("a later life", at(epoch + 1, 2), "older_epoch".into()),
    ] {
        // Without a name nothing comes of it but the answer.
        let body = orders.get(&server, &poll_path(place, "&wait=10ms")).await.expect(200).json();
        assert_eq!(body["resync"], resync, "{what}");
        assert_eq!(body["head"]["epoch"], epoch);
    }
}

#[tokio::test]
async fn four_snapshots_at_a_time() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(server.counterfoil().app().begin_snapshot().await.unwrap());
    }
    orders.get(&server, "/v1/feed/snapshot").await.expect_refusal(503, "overloaded");
    held.pop();
    let is_served = || async { orders.get(&server, "/v1/feed/snapshot").await.status == 200 };
    eventually("its place is given to the next", LIMIT, is_served).await;
}

#[tokio::test]
async fn a_shutdown_answers_held_polls() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let verifier = Verifier::new(&server, &credentials, "orders-1");
    verifier.load().await;
    let held = tokio::spawn(async move { verifier.ask("&wait=10s").await });
    is_held(&server, &credentials, 1).await;
    // It drains for a second at most; a poll that were held on would be cut off.
    server.stop().await;
    assert!(held.await.unwrap().entries.is_empty());
}

/// What the server has not read for a while it calls old: verifiers count that in.
#[tokio::test]
async fn the_age_of_what_is_told_is_told() {
    let server = Server::start().await;
    let orders = server.register("orders").await;
    orders.get(&server, "/v1/feed").await.expect(200);
    let age = async || orders.get(&server, "/v1/feed").await.expect(200).json()["age_ms"].as_u64().unwrap();
    // The clock goes ahead between two readings.
    for _ in 0..50 {
        server.clock.advance(Duration::from_secs(3));
        if age().await >= 3_000 {
            return;
        }
    }
    panic!("always as new");
}
