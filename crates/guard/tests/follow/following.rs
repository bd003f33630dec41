//! An honest server.

use crate::{
    bench::{Bench, SESSION, bearer, get, until, until_answer},
    server::{FEED, History, KEYS, METADATA, SNAPSHOT},
};
use axum::http::{HeaderValue, Method};
use counterfoil_domain::{
    id::SessionId,
    revocation::{Epoch, FeedPosition, Revocation},
};
use counterfoil_guard::{GuardState, Rejection};
use std::{collections::HashSet, time::Duration};

#[tokio::test]
async fn a_sign_out_reaches_the_guard_and_no_request_asks_anybody() {
    let bench = Bench::new().await;
    bench.server.revoke(Revocation::Session(SessionId::from_bytes([9; 16])));
    let guard = bench.guard().await;
    let (token, other) = (bench.token(), bench.token_with("sid", SessionId::from_bytes([9; 16]).to_string()));
    let calls = bench.server.all_calls() - bench.server.calls(FEED);
    assert_eq!((get(&guard, &token).await, get(&guard, &other).await), ("", "token_revoked"), "from the snapshot");
    for _ in 0..1_000 {
        assert_eq!(get(&guard, &token).await, "");
    }
    assert_eq!(bench.server.all_calls() - bench.server.calls(FEED), calls);
    let head = bench.server.revoke(Revocation::Session(SESSION));
    until_answer(&guard, &token, "token_revoked").await;
    // The next question acknowledges it.
    until("acknowledged", || bench.server.acknowledged() == Some(head.position.seq)).await;
    let asked = [METADATA, KEYS, SNAPSHOT].map(|path| bench.server.calls(path));
    assert_eq!(asked, [1, 1, 1]);
    assert_eq!(guard.status().applied, head.position);
}

/// While a feed is quiet, two questions a second prove that it is.
#[tokio::test]
async fn a_quiet_feed_stays_fresh_by_questions_that_are_held() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let before = bench.server.calls(FEED);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(guard.status().proof_age.unwrap() < Duration::from_secs(2), "{:?}", guard.status());
    let polls = bench.server.calls(FEED) - before;
    assert!((2..=7).contains(&polls), "{polls} questions");
}

/// A server that never holds a question must not be asked all the time.
#[tokio::test]
async fn a_server_that_answers_at_once_is_not_stormed() {
    let bench = Bench::new().await;
    let history = bench.server.history();
    bench.server.script(FEED, move |query| crate::server::json_answer(&crate::server::Server::page(&history, query)));
    let _guard = bench.guard().await;
    let before = bench.server.calls(FEED);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(bench.server.calls(FEED) - before <= 6);
}

#[tokio::test]
async fn every_process_has_a_name_of_its_own_and_says_goodbye() {
    let bench = Bench::new().await;
    let guards = [bench.guard().await, bench.guard().await];
    let names: HashSet<_> = guards.iter().map(|guard| guard.status().verifier).collect();
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|name| name.starts_with("billing-")));
    let leaving = |name: &str| {
        let polls = bench.server.polls();
        polls.iter().any(|query| query.get("leaving").is_some() && query["verifier"] == name)
    };
    let [one, other] = guards;
    let (name, other_name) = (one.status().verifier, other.status().verifier);
    let clone = one.clone();
    one.shutdown().await;
    assert!(leaving(&name));
    drop((one, clone));
    assert!(!leaving(&other_name));
    let clone = other.clone();
    drop(other);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!leaving(&other_name), "a clone is left");
    drop(clone);
    until("the last one gone", || leaving(&other_name)).await;
    let polls = bench.server.calls(FEED);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert_eq!(bench.server.calls(FEED), polls, "nobody asks any more");
}

/// How long tokens may be accepted without a word from the server: what the server waits for before it says "everywhere".
#[tokio::test]
async fn the_server_is_told_how_long_tokens_may_be_accepted() {
    use counterfoil_guard::{StalePolicy, WhenStale};
    let bench = Bench::new().await;
    let closed = bench.follow().when_stale(WhenStale::always(StalePolicy::Closed)).start().await.unwrap();
    let told = |seconds: &str| bench.server.polls().last().unwrap()["accepts_for"] == seconds;
    assert!(bench.server.polls().iter().all(|query| query["accepts_for"] == "5s"));
    let _for_a_route = closed.when_stale(WhenStale::always(StalePolicy::Open(Duration::from_millis(1_500))));
    until("seven seconds", || told("7s")).await;
    drop(closed);
    let usual = bench.guard().await;
    until("a minute more", || told("65s")).await;
    drop(usual);
}

#[tokio::test]
async fn a_request_may_ask_for_a_place_of_the_feed() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let token = bench.token();
    let asking = async |place: &str| {
        let mut headers = bearer(&token);
        headers.insert("counterfoil-min-seq", HeaderValue::from_str(place).unwrap());
        guard.authenticate(&Method::GET, &headers).await.err()
    };
    assert_eq!(asking("5.0").await, None);
    assert_eq!(asking("4.77").await, None, "an earlier life");
    assert_eq!(asking("5.1").await, Some(Rejection::FeedBehind));
    assert_eq!(asking("5").await, Some(Rejection::PlaceMalformed));
    // Whoever comes with the place of a sign-out is refused, however new it is.
    let head = bench.server.revoke(Revocation::Session(SESSION));
    assert_eq!(asking(&format!("5.{}", head.position.seq)).await, Some(Rejection::Revoked));
}

/// A failover: what was held stays refused, and the new life is followed.
#[tokio::test]
async fn a_new_life_of_the_store_is_joined_with_the_old() {
    let bench = Bench::new().await;
    bench.server.revoke(Revocation::Session(SESSION));
    let guard = bench.guard().await;
    let (token, other) = (bench.token(), bench.token_with("sid", SessionId::from_bytes([8; 16]).to_string()));
    bench.server.change(|history| *history = History::of_epoch(6));
    let head = bench.server.revoke(Revocation::Session(SessionId::from_bytes([8; 16])));
    until("the new life", || guard.status().applied == head.position).await;
    assert_eq!((get(&guard, &token).await, get(&guard, &other).await), ("token_revoked", "token_revoked"));
    assert_eq!(guard.status().applied, FeedPosition { epoch: Epoch(6), seq: 1 });
    until("in sync", || guard.status().state == GuardState::InSync).await;
    assert_eq!(bench.metrics.count("counterfoil_guard_anomalies_total{anomaly=new_epoch}"), 1);
    assert!(bench.log.has("began a new life"));
}

/// The wall clock of the service counts for nothing.
#[tokio::test]
async fn tokens_end_by_the_servers_clock() {
    let bench = Bench::new().await;
    bench.hands.set_wall(-3_600_000);
    let guard = bench.guard().await;
    let now = bench.server.now().as_seconds();
    let (good, ended) = (bench.token(), bench.token_with("exp", now - 10));
    let not_yet = bench.token_with("nbf", now + 600);
    for jump_ms in [0, 3_600_000, 3_600_000, -9_000_000] {
        bench.hands.set_wall(jump_ms);
        assert_eq!(get(&guard, &good).await, "", "{jump_ms}");
        assert_eq!(get(&guard, &ended).await, "token_expired", "{jump_ms}");
        assert_eq!(get(&guard, &not_yet).await, "token_not_yet_valid", "{jump_ms}");
    }
}
