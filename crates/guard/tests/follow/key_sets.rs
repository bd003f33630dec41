//! Keys: announced by the feed, named by tokens, and not to be had.

use crate::{
    bench::{Bench, SESSION, get, key, until, until_answer},
    server::{KEYS, cut_off, json_answer, unavailable},
};
use axum::{body::Bytes, response::IntoResponse};
use counterfoil_domain::revocation::Revocation;
use counterfoil_guard::{Guard, GuardState};
use counterfoil_jwt::{SigningKey, sign};
use std::{sync::Arc, time::Duration};

fn signed_by(bench: &Bench, key: &SigningKey) -> String {
    sign(key, "at+jwt", &bench.claims()).unwrap()
}

#[tokio::test]
async fn a_change_of_keys_is_acknowledged_when_they_are_loaded() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let next = key("k2");
    bench.server.publish(&[&bench.server.key, &next]);
    bench.server.script(KEYS, |_| unavailable());
    let changed = bench.server.revoke(Revocation::Keys { version: 1 });
    until("applied", || guard.status().applied == changed.position).await;
    // Revocations flow and freshness is proven all the same, for longer than a second.
    let after = bench.server.revoke(Revocation::Session(SESSION));
    until_answer(&guard, &bench.token(), "token_revoked").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let status = guard.status();
    assert_eq!((status.applied, status.state), (after.position, GuardState::InSync));
    assert!(status.proof_age.unwrap() < Duration::from_millis(1_400), "{status:?}");
    // And the server hears of this verifier, at the place before the change.
    assert_eq!(bench.server.acknowledged(), Some(changed.position.seq - 1));
    assert!(bench.server.polls().iter().all(|query| {
        let place: i64 = query["after"].parse().unwrap();
        !query.contains_key("verifier") || place < changed.position.seq
    }));
    bench.server.be_honest(KEYS);
    until("acknowledged", || bench.server.acknowledged() == Some(after.position.seq)).await;
    assert_eq!(guard.status().keys, 2);
}

/// A set that was asked for before the change may be the one from before it.
#[tokio::test]
async fn keys_are_fetched_after_the_change_was_read_of() {
    let bench = Bench::new().await;
    bench.server.revoke(Revocation::Keys { version: 3 });
    let guard = bench.guard().await;
    let next = key("k2");
    let fetches = bench.server.calls(KEYS);
    bench.server.publish(&[&bench.server.key, &next]);
    let changed = bench.server.revoke(Revocation::Keys { version: 4 });
    until("acknowledged", || bench.server.acknowledged() == Some(changed.position.seq)).await;
    assert_eq!((bench.server.calls(KEYS), guard.status().keys), (fetches + 1, 2));
    let token = sign(&next, "at+jwt", &bench.claims_of("sid", "00000000-0000-4000-8000-000000000001")).unwrap();
    assert_eq!(get(&guard, &token).await, "");
    assert_eq!(bench.server.calls(KEYS), fetches + 1, "nobody had to ask for it");
}

/// A thousand requests with a thousand unknown keys.
#[tokio::test]
async fn unknown_keys_bring_one_fetch_about() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let fetches = bench.server.calls(KEYS);
    let tokens: Vec<_> = (0..20).map(|number| signed_by(&bench, &key(&format!("x{number}")))).collect();
    let asking = (0..1_000).map(|number| {
        let (guard, token) = (guard.clone(), tokens[number % tokens.len()].clone());
        tokio::spawn(async move { get(&guard, &token).await })
    });
    for answer in asking.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), "unknown_key");
    }
    assert_eq!(bench.server.calls(KEYS), fetches + 1);
    // A key that is really there is found as soon as it may be asked for again.
    let next = key("k2");
    bench.server.publish(&[&bench.server.key, &next]);
    let token = signed_by(&bench, &next);
    assert_eq!(get(&guard, &token).await, "unknown_key", "cooled down");
    bench.hands.pass(Duration::from_secs(11));
    assert_eq!(get(&guard, &token).await, "");
    assert_eq!(bench.server.calls(KEYS), fetches + 2);
}

/// All who come while a key is fetched wait for it.
#[tokio::test]
async fn a_new_key_is_waited_for_together() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let next = key("k2");
    bench.server.publish(&[&bench.server.key, &next]);
    let token = Arc::new(signed_by(&bench, &next));
    let asking = (0..100).map(|_| {
        let (guard, token): (Guard, _) = (guard.clone(), Arc::clone(&token));
        tokio::spawn(async move { get(&guard, &token).await })
    });
    for answer in asking.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), "");
    }
    assert_eq!(bench.server.calls(KEYS), 2);
}

#[tokio::test]
async fn no_set_takes_the_place_of_a_good_one_unless_it_is_good() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let (token, stranger) = (bench.token(), signed_by(&bench, &key("x")));
    let lies: [fn() -> axum::response::Response; 7] = [
        || json_answer(&serde_json::json!({"keys": []})),
        || json_answer(&serde_json::json!({"keys": [{"kty": "PQC"}]})),
        || "<html>".into_response(),
        || Bytes::from_static(b"\xff").into_response(),
        unavailable,
        || cut_off(vec![Bytes::from_static(b"{\"keys\":[")]),
        || crate::server::for_ever(b' ', 65_536),
    ];
    for (number, answer) in lies.into_iter().enumerate() {
        bench.server.script(KEYS, move |_| answer());
        let fetches = bench.server.calls(KEYS);
        bench.hands.pass(Duration::from_secs(11));
        until("in sync", || guard.status().proof_age.unwrap() < Duration::from_secs(1)).await;
        assert_eq!(get(&guard, &stranger).await, "unknown_key", "{number}");
        assert!(bench.server.calls(KEYS) > fetches, "{number}");
        assert_eq!((get(&guard, &token).await, guard.status().keys), ("", 1), "{number}");
    }
    assert!(bench.log.has("the key set could not be fetched"));
}

/// At the start there are no earlier keys: the guard is cold until there are some.
#[tokio::test]
async fn without_keys_nothing_is_let_in() {
    let bench = Bench::new().await;
    bench.server.script(KEYS, |_| json_answer(&serde_json::json!({"keys": []})));
    let guard = bench.follow().start().await.unwrap();
    assert_eq!(get(&guard, &bench.token()).await, "not_ready");
    assert!(guard.status().last_failure.unwrap().contains("no key that can be used"));
    bench.server.be_honest(KEYS);
    guard.ready().await;
    assert_eq!(get(&guard, &bench.token()).await, "");
}

/// The same set again makes no token be verified anew.
#[tokio::test]
async fn the_same_keys_change_nothing() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let token = bench.token();
    assert_eq!(get(&guard, &token).await, "");
    let verifications = guard.verifications();
    let changed = bench.server.revoke(Revocation::Keys { version: 1 });
    until("acknowledged", || bench.server.acknowledged() == Some(changed.position.seq)).await;
    assert_eq!(get(&guard, &token).await, "");
    assert_eq!(guard.verifications(), verifications);
}

/// Keys that are withdrawn are not in the set that is fetched next.
#[tokio::test]
async fn a_key_that_was_withdrawn_is_gone_with_the_next_set() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let token = bench.token();
    assert_eq!(get(&guard, &token).await, "");
    let next = key("k2");
    bench.server.publish(&[&next]);
    bench.server.revoke(Revocation::Keys { version: 1 });
    until_answer(&guard, &token, "unknown_key").await;
}
