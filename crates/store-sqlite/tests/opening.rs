//! Which files are opened, which are refused, and in which words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report"
)]

mod common;

use common::{Place, block_on, outsider, raise};
use counterfoil_domain::store::{Store, StoreError};
use counterfoil_store_sqlite::{OpenError, SqliteOptions, SqliteStore};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    thread,
};

#[test]
fn what_was_stored_is_there_after_opening_again() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let head = store.feed_after(0, 1).await.unwrap().head;
        drop((bench, store));
        assert_eq!(place.files(), ["counterfoil.db"], "closed, it is one file");

        place.clock.advance(std::time::Duration::from_secs(9));
        let store = place.open();
        assert_eq!(store.sessions_of_account(account.id).await.unwrap(), [session]);
        assert_eq!(store.feed_after(0, 1).await.unwrap().head, head, "the epoch is the file's, not the start's");
    });
}

#[test]
fn another_file_is_another_epoch() {
    let place = Place::new();
    block_on(async {
        let epoch = async |store: &SqliteStore| store.feed_after(0, 1).await.unwrap().head.position.epoch;
        let first = epoch(&*place.open()).await;
        fs::remove_file(place.path()).unwrap();
        place.clock.advance(std::time::Duration::from_secs(1));
        assert!(epoch(&*place.open()).await > first);
    });
}

#[test]
fn the_file_is_for_its_owner_only() {
    let place = Place::new();
    let _store = place.open();
    for name in place.files() {
        let mode = fs::metadata(place.path().with_file_name(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_link_in_its_place_is_refused_and_one_on_the_way_is_followed() {
    let place = Place::new();
    let folder = place.options().path.parent().unwrap().to_owned();
    let elsewhere = folder.join("elsewhere");
    symlink(&elsewhere, place.path()).unwrap();
    let refused = place.refusal();
    assert!(matches!(refused, OpenError::Link { .. }), "{refused}");
    assert!(!elsewhere.exists(), "nothing was made behind it");

    let by_link = place.folder.path().join("by-link");
    symlink(&folder, &by_link).unwrap();
    drop(SqliteStore::open(SqliteOptions::new(by_link.join("other.db"), place.clock.clone())).unwrap());
    assert!(folder.join("other.db").is_file());
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    for content in [&b"hello"[..], &[b'x'; 10_000][..], b"SQLite format 2\0"] {
        let place = Place::new();
        let path = place.options().path;
        fs::write(&path, content).unwrap();
        let refusal = place.refusal();
        assert!(matches!(refusal, OpenError::NotADatabase { .. }), "{refusal:?}");
        assert!(refusal.to_string().contains("is not a SQLite database"), "{refusal}");
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(place.files(), ["counterfoil.db"]);
    }
}

#[test]
fn the_database_of_another_program_is_refused_and_left_alone() {
    for sql in ["CREATE TABLE notes (text TEXT)", "PRAGMA application_id = 7; CREATE TABLE accounts (id)"] {
        let place = Place::new();
        let path = place.options().path;
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let content = fs::read(&path).unwrap();
        let refusal = place.refusal();
        assert!(matches!(refusal, OpenError::OtherProgram { .. }), "{refusal:?}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let place = Place::new();
    drop(place.open());
    outsider(&place.path()).execute_batch("PRAGMA user_version = 99").unwrap();
    let refusal = place.refusal();
    assert!(matches!(refusal, OpenError::NewerSchema { found: 99, .. }), "{refusal:?}");
    assert!(refusal.to_string().contains("newer version of this program (schema 99"), "{refusal}");
}

#[test]
fn a_missing_folder_and_a_folder_in_its_place_are_named() {
    let place = Place::new();
    let missing = SqliteOptions { path: place.folder.path().join("no/such/folder/a.db"), ..place.options() };
    let refusal = SqliteStore::open(missing).err().unwrap().to_string();
    assert!(refusal.contains("no/such/folder/a.db") && refusal.contains("No such file"), "{refusal}");
    let folder = SqliteOptions { path: place.folder.path().to_owned(), ..place.options() };
    assert!(matches!(SqliteStore::open(folder).err().unwrap(), OpenError::File { .. }));
}

#[test]
fn a_folder_that_may_not_be_written_to_is_refused_in_words() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may write everywhere");
        return;
    }
    let place = Place::new();
    drop(place.open());
    let folder = place.path().parent().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let refusal = place.refusal();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(refusal, OpenError::NotWritable { .. }), "{refusal:?}");
}

#[test]
fn a_new_file_opened_many_times_at_once_is_made_once() {
    let place = Place::new();
    let options = place.options();
    let open = |_| {
        let options = options.clone();
        thread::spawn(move || SqliteStore::open(options).map(drop))
    };
    for thread in (0..8).map(open).collect::<Vec<_>>() {
        thread.join().unwrap().unwrap();
    }
    let applied: i64 = outsider(&place.path())
        .query_row("SELECT count(*) FROM refinery_schema_history", [], |row| row.get(0))
        .unwrap();
    assert_eq!(applied, 4);
}

#[test]
fn what_this_version_cannot_read_is_corrupt_and_never_a_panic() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let account = bench.sign_up("a@example.com").await;
        let session = bench.sign_in(&account).await;
        let corrupt = async |sql: &str| {
            outsider(&place.path()).execute_batch(sql).unwrap();
            raise(&*store, session.id).await.unwrap_err()
        };
        for (damage, repair, column) in [
            ("UPDATE sessions SET policy = 'telepathy'", "UPDATE sessions SET policy = 'refresh'", "policy"),
            ("UPDATE sessions SET ip = '1.2.3'", "UPDATE sessions SET ip = NULL", "ip"),
            ("UPDATE sessions SET scope = 'a  b'", "UPDATE sessions SET scope = ''", "scope"),
            ("UPDATE accounts SET email = 'nobody'", "UPDATE accounts SET email = 'a@example.com'", "email"),
            ("UPDATE accounts SET roles = '{}'", "UPDATE accounts SET roles = '[]'", "roles"),
            ("UPDATE accounts SET attributes = '[]'", "UPDATE accounts SET attributes = '{}'", "attributes"),
            ("UPDATE feed_head SET only_row = 1; DELETE FROM feed_head", "SELECT 1", "feed_head"),
        ] {
            let error = corrupt(damage).await;
            assert!(matches!(error, StoreError::Corrupt(_)), "{damage}: {error:?}");
            assert!(error.to_string().contains(column), "{damage}: {error}");
            outsider(&place.path()).execute_batch(repair).unwrap();
        }
        let insert = "INSERT INTO feed VALUES (1, 0, zeroblob(16), 0, 0, 'planet', '', 0, zeroblob(16));
                      INSERT INTO feed_head VALUES (1, 0, 1, zeroblob(16));
                      INSERT INTO keys (key_use, kid, algorithm, state, sealed, created_at)
                          VALUES ('sign', 'k', 'EdDSA', 'asleep', x'00', 0);
                      INSERT INTO events SELECT id, 0, zeroblob(16), 'dreamt', NULL, NULL, NULL FROM accounts";
        outsider(&place.path()).execute_batch(insert).unwrap();
        assert!(matches!(store.feed_after(0, 9).await, Err(StoreError::Corrupt(_))));
        assert!(matches!(store.keys().await, Err(StoreError::Corrupt(_))));
        assert!(matches!(store.events_of_account(account.id, 9).await, Err(StoreError::Corrupt(_))));
        raise(&*store, session.id).await.unwrap();
    });
}
