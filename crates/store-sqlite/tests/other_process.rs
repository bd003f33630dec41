//! Another process writes to the same file; and the disk refuses. Both run in a process of their own: this very test
//! binary, asked to run one of the tests that are ignored otherwise.
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
    id::SessionId,
    store::{Store, StoreError},
};
use counterfoil_store_sqlite::{SqliteOptions, SqliteStore};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{env, process::Command, sync::Arc, thread};

const PATH: &str = "COUNTERFOIL_TEST_PATH";
const SESSION: &str = "COUNTERFOIL_TEST_SESSION";
const ROUNDS: i64 = 200;

/// Another process that runs `test` on this file and session.
fn child(test: &str, place: &Place, session: SessionId) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env(PATH, place.path()).env(SESSION, session.to_string());
    command
}

fn given() -> (Arc<SqliteStore>, SessionId) {
    let clock = Arc::new(counterfoil_store_contract::TestClock::new());
    let store = SqliteStore::open(SqliteOptions::new(env::var(PATH).unwrap(), clock)).unwrap();
    (Arc::new(store), env::var(SESSION).unwrap().parse().unwrap())
}

#[test]
fn two_processes_write_to_one_file_and_lose_nothing() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let mut sessions = Vec::new();
        for _ in 0..20 {
            sessions.push(bench.sign_in(&account).await);
        }
        let mut command = child("raises_and_revokes", &place, session.id);
        let other = thread::spawn(move || command.status().unwrap());
        let mut previous = store.feed_after(0, 0).await.unwrap().head;
        for number in 0..ROUNDS {
            raise(&*store, session.id).await.unwrap();
            if number % 10 == 0 {
                end(&bench, sessions.pop().unwrap().id).await.unwrap();
            }
        }
        assert!(other.join().unwrap().success());

        let raised = child_in_file(&outsider(&place.path()), session.id) - session.rotation.child.as_raw();
        assert_eq!(raised, 2 * ROUNDS, "an update was lost");
        let page = store.feed_after(0, 1_000).await.unwrap();
        assert_eq!(page.entries.len(), 40);
        for entry in page.entries {
            assert!(entry.follows(&previous), "sealed after a head that another process had moved");
            previous = entry.head;
        }
        assert_eq!(page.head, previous);
    });
}

#[test]
#[ignore = "run in a process of its own by another test"]
fn raises_and_revokes() {
    let (store, session) = given();
    block_on(async {
        let mut bench = counterfoil_store_contract::Bench::new(store.clone(), Arc::default());
        // Other ids than the first process makes.
        bench.entropy = Arc::new(counterfoil_store_contract::SeededEntropy::new(2));
        let account = bench.sign_up("other@example.com").await;
        for number in 0..ROUNDS {
            raise(&*store, session).await.unwrap();
            if number % 10 == 0 {
                let session = bench.sign_in(&account).await;
                end(&bench, session.id).await.unwrap();
            }
        }
    });
}

#[test]
fn a_disk_that_refuses_loses_nothing_that_was_answered_and_is_forgiven() {
    let place = Place::new();
    let session = block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        bench.sign_in(&account).await
    });
    let status = child("writes_until_the_disk_refuses", &place, session.id).status().unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "run in a process of its own by another test"]
fn writes_until_the_disk_refuses() {
    // The signal that comes with the limit would end the process; with a handler the write fails instead.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).unwrap();
    let (store, session) = given();
    block_on(async {
        let mut answered = raise(&*store, session).await.unwrap();
        let limit =
            |bytes| setrlimit(Resource::Fsize, Rlimit { current: bytes, ..getrlimit(Resource::Fsize) }).unwrap();
        limit(Some(200_000));
        let mut refusals = 0;
        for _ in 0..300 {
            match raise(&*store, session).await {
                Ok(raised) => {
                    assert_eq!(refusals, 0, "a full disk does not take a write between two refusals");
                    answered = raised;
                }
                Err(StoreError::Unavailable(_) | StoreError::Indeterminate(_)) => refusals += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(refusals > 0, "the limit was never met");
        store.check().await.unwrap_err();
        let view = store.sessions(None, 1).await.unwrap().remove(0);
        assert_eq!(view.session.rotation.child.as_raw(), answered, "reads go on, and show what was answered");

        limit(None);
        store.check().await.unwrap();
        assert_eq!(raise(&*store, session).await.unwrap(), answered + 1);
    });
}
