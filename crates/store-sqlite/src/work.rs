//! What a call works on while it runs: the writer's connection, inside the batch's transaction.

use crate::{fault::Fault, feed};
use counterfoil_domain::revocation::FeedHead;
use rusqlite::Connection;

/// The transaction of a batch, shared by its calls one after the other.
pub(crate) struct Work {
    pub(crate) connection: Connection,
    /// The feed's head as this transaction sees it. Nobody else can move it while the transaction holds the write lock,
    /// so one reading serves the whole batch; it is forgotten when the transaction begins or ends.
    head: Option<FeedHead>,
}

impl Work {
    pub(crate) const fn new(connection: Connection) -> Self {
        Self { connection, head: None }
    }

    /// Begins a transaction and takes the write lock, so that what is read in it cannot change before it is written.
    pub(crate) fn begin(&mut self) -> rusqlite::Result<()> {
        self.head = None;
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    /// Makes everything since `begin` durable.
    pub(crate) fn commit(&mut self) -> rusqlite::Result<()> {
        self.head = None;
        self.connection.prepare_cached("COMMIT")?.execute([]).map(drop)
    }

    /// Undoes everything since `begin`. SQLite may have done so by itself, after a failure that left it no choice.
    pub(crate) fn roll_back(&mut self) -> rusqlite::Result<()> {
        self.head = None;
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.prepare_cached("ROLLBACK")?.execute([]).map(drop)
    }

    /// Where the feed stands in this transaction.
    pub(crate) fn feed_head(&mut self) -> Result<FeedHead, Fault> {
        match self.head {
            Some(head) => Ok(head),
            None => Ok(*self.head.insert(feed::head(&self.connection)?)),
        }
    }

    /// Says that entries were appended and their savepoint released.
    pub(crate) const fn moved_feed_head(&mut self, head: FeedHead) {
        self.head = Some(head);
    }
}
