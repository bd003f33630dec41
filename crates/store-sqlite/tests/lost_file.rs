//! The data file is deleted, replaced or moved while the store has it open.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report"
)]

mod common;

use common::{Place, block_on, child_in_file, names, outsider, raise};
use counterfoil_domain::{
    session::{Changes, Ruling, Session, SessionView},
    store::{Store, StoreError},
    time::Clock,
};
use counterfoil_store_contract::Bench;
use std::{fs, path::Path};

async fn one_session(bench: &Bench) -> Session {
    let account = bench.sign_up("a@example.com").await;
    bench.sign_in(&account).await
}

fn remove_with_companions(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", path.display())).unwrap();
    }
}

fn rescued(names: &[String]) -> Vec<&String> {
    names.iter().filter(|name| name.contains(".rescued-")).collect()
}

#[test]
fn nothing_is_acknowledged_after_the_file_was_deleted_and_all_of_it_is_saved() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let session = one_session(&bench).await;
        let raised = raise(&*store, session.id).await.unwrap();
        remove_with_companions(&place.path());

        let refused = raise(&*store, session.id).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        assert!(refused.to_string().contains("was deleted while the server runs"), "{refused}");
        let check = store.check().await.unwrap_err().to_string();
        assert!(check.contains("counterfoil.db"), "{check}");
        assert_eq!(store.sessions_of_account(session.account).await.unwrap().len(), 1, "reads go on");

        let files = place.files();
        let [copy] = rescued(&files)[..] else { panic!("one copy: {files:?}") };
        assert!(files.len() == 1, "and nothing else: {files:?}");
        let seconds = place.clock.now().as_seconds();
        assert_eq!(*copy, format!("counterfoil.db.rescued-{seconds}"));

        // What the log tells the operator to do.
        drop((bench, store));
        let copy = place.path().with_file_name(copy);
        fs::rename(copy, place.path()).unwrap();
        let store = place.open();
        assert_eq!(raise(&*store, session.id).await.unwrap(), raised + 1);
    });
}

#[test]
fn a_file_in_its_place_is_neither_written_nor_is_its_log_deleted() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let session = one_session(&bench).await;
        remove_with_companions(&place.path());
        // A restored backup, say, that another process already uses.
        let other = place.open();
        let other_session = one_session(&place.bench(&other)).await;
        let before = child_in_file(&outsider(&place.path()), other_session.id);

        let refused = raise(&*store, session.id).await.unwrap_err();
        assert!(refused.to_string().contains("was replaced by another file"), "{refused}");
        // What was ended in the other one would live on for whoever is asked about it here.
        let refused = store.session(session.id).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        drop((bench, store));
        let files = place.files();
        assert_eq!(rescued(&files).len(), 1);
        for suffix in ["", "-wal", "-shm"] {
            assert!(files.contains(&format!("counterfoil.db{suffix}")), "{suffix} of the other was deleted: {files:?}");
        }
        assert_eq!(raise(&*other, other_session.id).await.unwrap(), before + 1);
        drop(other);
        assert_eq!(child_in_file(&outsider(&place.path()), other_session.id), before + 1);
    });
}

#[test]
fn a_write_during_which_the_file_goes_is_of_unknown_outcome() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let session = one_session(&bench).await;
        let path = place.path();
        let rule = move |view: Option<&SessionView>, _| {
            let mut session = view.unwrap().session.clone();
            session.client_id = "written".to_owned();
            remove_with_companions(&path);
            Ruling { changes: Changes { sessions: vec![session], ..Changes::default() }, outcome: () }
        };
        let store: &(dyn Store + 'static) = &*store;
        let answer = store.decide_session(session.id, rule).await.unwrap_err();
        assert!(matches!(answer, StoreError::Indeterminate(_)), "{answer:?}");
        // The rescue comes after the answer; the next call comes after the rescue.
        store.check().await.unwrap_err();
        let files = place.files();
        let [copy] = rescued(&files)[..] else { panic!("one copy: {files:?}") };
        let copy = outsider(&place.path().with_file_name(copy));
        let written: String = copy.query_row("SELECT client_id FROM sessions", [], |row| row.get(0)).unwrap();
        assert_eq!(written, "written", "what was committed into the void is saved too");
    });
}

#[test]
fn a_file_that_comes_back_is_used_again() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let session = one_session(&bench).await;
        let raised = raise(&*store, session.id).await.unwrap();
        let away = place.folder.path().join("away.db");
        for round in 1..=3 {
            fs::rename(place.path(), &away).unwrap();
            raise(&*store, session.id).await.unwrap_err();
            store.check().await.unwrap_err();
            fs::rename(&away, place.path()).unwrap();
            assert_eq!(raise(&*store, session.id).await.unwrap(), raised + round);
            store.check().await.unwrap();
            place.clock.advance(std::time::Duration::from_secs(1));
        }
        assert_eq!(rescued(&place.files()).len(), 3, "each loss is saved once");
    });
}

#[test]
fn a_lost_log_is_a_lost_file() {
    for suffix in ["-wal", "-shm"] {
        let place = Place::new();
        block_on(async {
            let store = place.open();
            let bench = place.bench(&store);
            let session = one_session(&bench).await;
            fs::remove_file(format!("{}{suffix}", place.path().display())).unwrap();
            let refused = raise(&*store, session.id).await.unwrap_err();
            assert!(refused.to_string().contains(suffix), "{refused}");
            store.check().await.unwrap_err();
            assert_eq!(rescued(&place.files()).len(), 1);

            let of_another = format!("{}{suffix}", place.path().display());
            fs::write(&of_another, "of another process").unwrap();
            drop((bench, store));
            assert_eq!(fs::read(&of_another).unwrap(), b"of another process", "closing deletes by name");
        });
    }
}

#[test]
fn when_its_folder_has_gone_the_copy_is_put_into_the_one_above() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let session = one_session(&bench).await;
        fs::remove_dir_all(place.path().parent().unwrap()).unwrap();
        raise(&*store, session.id).await.unwrap_err();
        store.check().await.unwrap_err();
        assert!(!place.path().parent().unwrap().exists(), "the folder is not made again");
        let above = names(place.folder.path());
        let [copy] = rescued(&above)[..] else { panic!("one copy: {above:?}") };
        let copy = outsider(&place.folder.path().join(copy));
        assert_eq!(child_in_file(&copy, session.id), session.rotation.child.as_raw());
    });
}
