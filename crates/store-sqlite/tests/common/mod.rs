//! A store in a temporary folder, with everything a test needs to look behind it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report"
)]
#![allow(dead_code, reason = "no test file uses all of it")]

use counterfoil_domain::{
    event::Occasion,
    id::SessionId,
    rotation::Serial,
    session::{Changes, EndOne, EndedOne, Ruling, SessionView, end_one},
    store::{Committed, Store, StoreError},
};
use counterfoil_store_contract::{Bench, TestClock};
use counterfoil_store_sqlite::{OpenError, SqliteOptions, SqliteStore};
use rusqlite::{Connection, OpenFlags};
use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<TestClock>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(TestClock::new()) }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data").join("counterfoil.db")
    }

    pub(crate) fn options(&self) -> SqliteOptions {
        std::fs::create_dir_all(self.path().parent().unwrap()).unwrap();
        SqliteOptions::new(self.path(), self.clock.clone())
    }

    pub(crate) fn open(&self) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(self.options()).unwrap())
    }

    pub(crate) fn refusal(&self) -> OpenError {
        SqliteStore::open(self.options()).err().expect("refused")
    }

    pub(crate) fn bench(&self, store: &Arc<SqliteStore>) -> Bench {
        Bench::new(store.clone(), self.clock.clone())
    }

    /// The names of the files beside the data file.
    pub(crate) fn files(&self) -> Vec<String> {
        names(self.path().parent().unwrap())
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A connection that knows nothing of the store.
pub(crate) fn outsider(path: &Path) -> Connection {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
}

/// The `child` column of a session, as somebody else sees it in the file.
pub(crate) fn child_in_file(connection: &Connection, id: SessionId) -> i64 {
    connection.query_row("SELECT child FROM sessions WHERE id = ?", [id.as_bytes()], |row| row.get(0)).unwrap()
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(future)
}

/// Raises the `child` of a session by one; what it is then.
pub(crate) async fn raise(store: &(dyn Store + 'static), id: SessionId) -> Result<i64, StoreError> {
    let rule = |view: Option<&SessionView>, _| {
        let mut session = view.expect("the session is there").session.clone();
        let raised = session.rotation.child.as_raw() + 1;
        session.rotation.child = Serial::from_raw(raised);
        Ruling { changes: Changes { sessions: vec![session], ..Changes::default() }, outcome: raised }
    };
    store.decide_session(id, rule).await.map(|(raised, _)| raised)
}

pub(crate) async fn end(bench: &Bench, id: SessionId) -> Result<(EndedOne, Committed), StoreError> {
    let entropy = bench.entropy.clone();
    let rule = move |view: Option<&SessionView>, now| {
        let occasion = Occasion { now, ip: None, entropy: &*entropy };
        end_one(view, &EndOne::Operator, Duration::from_mins(31), &occasion)
    };
    bench.store.decide_session(id, rule).await
}
