//! Answers come after the commit, one commit serves many, and the queues are bounded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report"
)]

mod common;

use common::{Place, block_on, child_in_file, end, outsider, raise};
use counterfoil_domain::{
    session::{Ruling, SessionView},
    store::{Store, StoreError},
};
use counterfoil_store_sqlite::{SqliteOptions, SqliteStore};
use std::{
    sync::{Arc, mpsc},
    time::Duration,
};
use tokio::task::JoinHandle;

/// Keeps the writer busy inside a rule until the returned sender is used or dropped.
async fn hold_the_writer(store: &Arc<SqliteStore>) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (release, released) = mpsc::channel();
    let (entered, inside) = tokio::sync::oneshot::channel();
    let mut entered = Some(entered);
    let store: Arc<dyn Store> = store.clone();
    let held = tokio::spawn(async move {
        let id = counterfoil_domain::id::SessionId::from_bytes([0; 16]);
        let rule = move |_: Option<&SessionView>, _| {
            if let Some(entered) = entered.take() {
                entered.send(()).unwrap();
            }
            // An error means that the test has dropped the sender: released as well.
            released.recv().unwrap_or_default();
            Ruling::unchanged(())
        };
        store.decide_session(id, rule).await.unwrap();
    });
    inside.await.unwrap();
    (release, held)
}

#[test]
fn whoever_looks_into_the_file_sees_what_was_answered() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let file = outsider(&place.path());
        for _ in 0..300 {
            let raised = raise(&*store, session.id).await.unwrap();
            assert_eq!(child_in_file(&file, session.id), raised, "answered before it was committed");
        }
        let (_, committed) = end(&bench, session.id).await.unwrap();
        let seq: i64 = file.query_row("SELECT max(seq) FROM feed", [], |row| row.get(0)).unwrap();
        assert_eq!(seq, committed.feed.position.seq);
    });
}

#[test]
fn many_callers_share_one_commit() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let mut sessions = Vec::new();
        for _ in 0..100 {
            sessions.push(bench.sign_in(&account).await);
        }
        let before = store.statistics();
        assert_eq!(before.commits, 101, "alone, each has its own");

        let (release, held) = hold_the_writer(&store).await;
        let mut calls = Vec::new();
        for session in sessions {
            let store = store.clone();
            calls.push(tokio::spawn(async move { raise(&*store, session.id).await.unwrap() }));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(release);
        held.await.unwrap();
        for call in calls {
            call.await.unwrap();
        }
        let after = store.statistics();
        assert_eq!(after.calls - before.calls, 101);
        assert_eq!(after.commits - before.commits, 1);
        assert_eq!(after.largest_batch, 101);
    });
}

#[test]
fn a_batch_is_bounded() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let (release, held) = hold_the_writer(&store).await;
        let mut calls = Vec::new();
        for _ in 0..1_000 {
            let store = store.clone();
            calls.push(tokio::spawn(async move { raise(&*store, session.id).await.unwrap() }));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(release);
        held.await.unwrap();
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(store.statistics().largest_batch, 256);
    });
}

#[test]
fn changing_nothing_commits_nothing() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let before = store.statistics().commits;
        for _ in 0..10 {
            assert!(bench.look_at(session.id).await.is_some());
        }
        assert_eq!(store.statistics().commits, before);
    });
}

#[test]
fn a_call_whose_caller_has_gone_is_done_all_the_same() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let (release, held) = hold_the_writer(&store).await;
        let waiting = end(&bench, session.id);
        assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err(), "the tab is closed");
        drop(release);
        held.await.unwrap();
        assert!(bench.look_at(session.id).await.unwrap().session.revoked_at.is_some());
    });
}

#[test]
fn a_full_queue_says_so_at_once() {
    let place = Place::new();
    block_on(async {
        let options = SqliteOptions { waiting_writes_max: 3, ..place.options() };
        let store = Arc::new(SqliteStore::open(options).unwrap());
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let (release, held) = hold_the_writer(&store).await;
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let store = store.clone();
            waiting.push(tokio::spawn(async move { raise(&*store, session.id).await }));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let refused = tokio::time::timeout(Duration::from_secs(1), raise(&*store, session.id)).await.unwrap();
        assert!(matches!(refused, Err(StoreError::Overloaded)), "{refused:?}");
        assert!(bench.store.account(account.id).await.unwrap().is_some(), "reads have their own queue");
        drop(release);
        held.await.unwrap();
        for call in waiting {
            call.await.unwrap().unwrap();
        }
        raise(&*store, session.id).await.unwrap();
    });
}

#[test]
fn dropping_the_store_answers_what_is_queued() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let (release, held) = hold_the_writer(&store).await;
        let call = {
            let store = store.clone();
            tokio::spawn(async move { raise(&*store, session.id).await })
        };
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop((bench, store));
        drop(release);
        held.await.unwrap();
        let raised = call.await.unwrap().unwrap();
        // The last of them has closed the file, and its log is moved into it.
        let file = outsider(&place.path());
        assert_eq!(child_in_file(&file, session.id), raised);
    });
}
