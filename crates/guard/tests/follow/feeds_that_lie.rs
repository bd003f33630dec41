//! Answers that no honest feed gives. Each time: nothing that was refused is let in again, nothing is proven by it, and it
//! is named in log, metric and status.

use crate::{
    bench::{Bench, SESSION, get, until},
    server::{FEED, History, Query, Server, endless, for_ever, json_answer},
};
use axum::{
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use counterfoil_domain::{
    id::SessionId,
    revocation::{Epoch, Revocation},
};
use counterfoil_guard::{Guard, GuardState, StalePolicy, WhenStale};
use std::time::Duration;

type Lie = fn() -> Response;

const OTHER: SessionId = SessionId::from_bytes([9; 16]);

/// A bench whose guard refuses a session, and a token of that session.
async fn refusing() -> (Bench, Guard, String) {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    bench.server.revoke(Revocation::Session(SessionId::from_bytes([7; 16])));
    let head = bench.server.revoke(Revocation::Session(SESSION));
    until("applied", || guard.status().applied == head.position).await;
    let token = bench.token();
    assert_eq!(get(&guard, &token).await, "token_revoked");
    (bench, guard, token)
}

fn lie(bench: &Bench, page: impl Fn(&Query) -> counterfoil_wire::FeedBody + Send + Sync + 'static) {
    bench.server.script(FEED, move |query| json_answer(&page(query)));
}

async fn named(bench: &Bench, guard: &Guard, anomaly: &'static str) {
    let name = format!("counterfoil_guard_anomalies_total{{anomaly={anomaly}}}");
    until(anomaly, || bench.metrics.count(&name) > 0).await;
    assert_eq!(guard.status().last_anomaly, Some(anomaly));
    assert!(bench.log.has(&format!("anomaly=\"{anomaly}\"")), "{}", bench.log.text());
}

/// An entry is left out of a page.
#[tokio::test]
async fn a_gap_makes_everything_be_loaded_anew() {
    let (bench, guard, token) = refusing().await;
    let mut history = bench.server.history();
    history.add(Revocation::Session(SessionId::from_bytes([8; 16])));
    history.add(Revocation::Session(OTHER));
    let all = history.clone();
    lie(&bench, move |query| {
        let mut page = Server::page(&history, query);
        page.entries.retain(|entry| entry.seq != 3);
        page
    });
    named(&bench, &guard, "gap").await;
    // What came is applied even so.
    assert_eq!(get(&guard, &bench.token_with("sid", OTHER.to_string())).await, "token_revoked");
    bench.server.change(|now| *now = all);
    bench.server.be_honest(FEED);
    until("mended", || guard.status().applied.seq == 4 && guard.status().state == GuardState::InSync).await;
    assert_eq!(
        get(&guard, &bench.token_with("sid", SessionId::from_bytes([8; 16]).to_string())).await,
        "token_revoked"
    );
    assert_eq!(get(&guard, &token).await, "token_revoked");
}

/// An old primary that came back answers beside the new one.
#[tokio::test]
async fn an_earlier_life_of_the_store_is_not_believed() {
    let (bench, guard, token) = refusing().await;
    let place = guard.status().applied;
    let mut older = History::of_epoch(4);
    for _ in 0..10 {
        older.add(Revocation::Session(OTHER));
    }
    lie(&bench, move |query| Server::page(&older, query));
    named(&bench, &guard, "older_epoch").await;
    assert!(bench.log.has("an old primary still runs"));
    assert_eq!(guard.status().applied, place);
    bench.hands.pass(Duration::from_secs(6));
    until("stale", || guard.status().state == GuardState::Stale).await;
    assert_eq!(get(&guard, &token).await, "token_revoked");
}

/// An entry is not the one that its chain was made for.
#[tokio::test]
async fn a_broken_chain_is_a_fork() {
    let (bench, guard, token) = refusing().await;
    let mut history = bench.server.history();
    history.add(Revocation::Session(OTHER));
    lie(&bench, move |query| {
        let mut page = Server::page(&history, query);
        page.entries.iter_mut().for_each(|entry| entry.key = SessionId::from_bytes([6; 16]).to_string());
        page
    });
    named(&bench, &guard, "fork").await;
    contested(&bench, &guard, &token).await;
    assert_eq!(
        get(&guard, &bench.token_with("sid", SessionId::from_bytes([6; 16]).to_string())).await,
        "token_revoked"
    );
}

/// Two servers write to copies of one store, and the balancer sends us to either.
#[tokio::test]
async fn two_servers_of_one_issuer_are_a_fork() {
    let (bench, guard, token) = refusing().await;
    let mut other = History::of_epoch(5);
    for _ in 0..2 {
        other.add(Revocation::Session(OTHER));
    }
    lie(&bench, move |query| Server::page(&other, query));
    named(&bench, &guard, "fork").await;
    assert!(bench.log.has("two servers claim this issuer"));
    contested(&bench, &guard, &token).await;
}

/// The server sees by the chain that was sent along what the guard cannot see by the answer.
#[tokio::test]
async fn a_fork_may_be_told_by_the_server() {
    let (bench, guard, token) = refusing().await;
    let mut history = bench.server.history();
    history.add(Revocation::Session(OTHER));
    lie(&bench, move |query| {
        assert_eq!(query["chain"].len(), 32);
        let page = Server::page(&history, query);
        counterfoil_wire::FeedBody { entries: Vec::new(), resync: Some("fork".into()), ..page }
    });
    named(&bench, &guard, "fork").await;
    contested(&bench, &guard, &token).await;
}

/// A backup was restored under a running guard.
#[tokio::test]
async fn a_shorter_feed_is_rewound() {
    let (bench, guard, token) = refusing().await;
    let shorter = History::of_epoch(5);
    bench.server.change(move |history| *history = shorter);
    bench.server.script(FEED, {
        let history = bench.server.history();
        move |query| json_answer(&Server::page(&history, query))
    });
    named(&bench, &guard, "rewound").await;
    assert!(bench.log.has("a backup was restored"));
    contested(&bench, &guard, &token).await;
}

/// What contradicts itself is stale at once, and stays so while it is quiet for less than half a minute.
async fn contested(bench: &Bench, guard: &Guard, token: &str) {
    let good = bench.token_with("sid", SessionId::from_bytes([1; 16]).to_string());
    let closed = guard.when_stale(WhenStale::always(StalePolicy::Closed));
    until("stale", || matches!(guard.status().state, GuardState::Stale | GuardState::Resync)).await;
    assert_eq!(get(&closed, &good).await, "revocations_stale");
    assert_eq!(get(&closed, token).await, "token_revoked", "still a refusal of its own");
}

#[tokio::test]
async fn what_was_forgotten_is_loaded_as_a_whole() {
    let (bench, guard, _) = refusing().await;
    let history = bench.server.history();
    let snapshots = bench.server.calls(crate::server::SNAPSHOT);
    lie(&bench, move |query| counterfoil_wire::FeedBody {
        entries: Vec::new(),
        resync: Some("behind_retention".into()),
        ..Server::page(&history, query)
    });
    named(&bench, &guard, "behind_retention").await;
    bench.server.be_honest(FEED);
    until("loaded", || bench.server.calls(crate::server::SNAPSHOT) > snapshots).await;
    until("in sync", || guard.status().state == GuardState::InSync).await;
}

/// A kind of entry that this version does not know may be the one that signs somebody out.
#[tokio::test]
async fn an_entry_of_the_future_proves_nothing() {
    let (bench, guard, _) = refusing().await;
    let mut history = bench.server.history();
    history.add(Revocation::Session(OTHER));
    history.add(Revocation::Keys { version: 1 });
    lie(&bench, move |query| {
        let mut page = Server::page(&history, query);
        page.entries.iter_mut().filter(|entry| entry.kind == "keys").for_each(|entry| entry.kind = "planet".into());
        page
    });
    until("said", || bench.log.has("the server is newer than this service")).await;
    assert_eq!(get(&guard, &bench.token_with("sid", OTHER.to_string())).await, "token_revoked");
    bench.hands.pass(Duration::from_secs(6));
    until("stale", || guard.status().state == GuardState::Stale).await;
}

/// Whatever else a server may do instead of answering: the guard says what, and asks again.
#[tokio::test]
async fn an_answer_that_is_none_is_a_failure_and_a_slow_one_too() {
    let (bench, guard, token) = refusing().await;
    let lies: [(&str, Lie); 7] = [
        ("unreadable", || "{".into_response()),
        ("unreadable", || {
            r#"{"head":{"epoch":5,"seq":2,"chain":"x"},"entries":[],"now_ms":1,"held_ms":0,"age_ms":0}"#.into_response()
        }),
        ("status", || StatusCode::BAD_GATEWAY.into_response()),
        ("redirected", || Redirect::temporary("http://127.0.0.1:1/elsewhere").into_response()),
        ("too_large", || for_ever(b' ', 65_536)),
        ("timed_out", || endless(vec![Bytes::from_static(b"{\"head\"")])),
        ("cut_off", || crate::server::cut_off(vec![Bytes::from_static(b"{\"head\"")])),
    ];
    for (kind, answer) in lies {
        let name = format!("counterfoil_guard_failures_total{{kind={kind}}}");
        let before = bench.metrics.count(&name);
        bench.server.script(FEED, move |_| answer());
        until(kind, || bench.metrics.count(&name) > before).await;
        assert!(guard.status().last_failure.is_some(), "{kind}");
        assert_eq!(get(&guard, &token).await, "token_revoked");
        bench.server.be_honest(FEED);
        until("well again", || guard.status().last_failure.is_none()).await;
    }
}

/// The secret was replaced while the guard runs: nothing mends that but a person, who is told each time.
#[tokio::test]
async fn a_secret_that_stops_working_is_named_each_time() {
    let (bench, guard, token) = refusing().await;
    bench.server.script(FEED, |_| StatusCode::UNAUTHORIZED.into_response());
    let name = "counterfoil_guard_failures_total{kind=configuration}";
    until("three times", || bench.metrics.count(name) >= 3).await;
    let log = bench.log.text();
    assert!(log.matches("refuses the client `billing` with its secret").count() >= 3, "{log}");
    assert!(!log.contains("cfk_right"));
    assert_eq!(get(&guard, &token).await, "token_revoked");
    bench.server.be_honest(FEED);
    until("in sync", || guard.status().state == GuardState::InSync && guard.status().last_failure.is_none()).await;
}

#[tokio::test]
async fn an_answer_in_the_name_of_another_life_is_no_proof() {
    let (bench, guard, _) = refusing().await;
    let history = bench.server.history();
    // The server held the question for longer than the whole took, and what it read was an hour old.
    lie(&bench, move |query| counterfoil_wire::FeedBody {
        held_ms: 900_000,
        age_ms: 3_600_000,
        ..Server::page(&history, query)
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    bench.hands.pass(Duration::from_secs(6));
    until("stale", || guard.status().state == GuardState::Stale).await;
    assert_eq!(guard.status().applied.epoch, Epoch(5));
}
