//! The one thread that writes.
//!
//! It takes the first call that waits, begins a transaction, runs the call and every other that is queued by then, makes
//! all of them durable with one commit, and answers. So the cost of waiting for the disk is shared by however many
//! callers there are, and nobody waits for company: a lone call is committed at once.
//!
//! An answer is never given before [`commit`] has returned and the file is known to be still the one at the path.

use crate::{
    fault::{Fault, nothing_was_written},
    identity::{DataFile, Lost},
    job::{Fate, Job, submit},
    rescue::{RESCUE_ATTEMPTS_MAX, rescue},
    statistics::Counters,
    work::Work,
};
use counterfoil_domain::{store::StoreError, time::Clock};
use flume::Receiver;
use rusqlite::{Connection, config::DbConfig};
use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

/// The most calls one transaction answers: bounds how long the first of them waits for the last.
const BATCH_CALLS_MAX: usize = 256;

type WriteJob = Box<dyn Job<Work>>;

pub(crate) struct Writer {
    /// Taken when the store is dropped, which ends the thread.
    queue: Option<flume::Sender<WriteJob>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread owns.
pub(crate) struct WriterParts {
    pub(crate) connection: Connection,
    pub(crate) file: DataFile,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
}

impl Writer {
    pub(crate) fn start(parts: WriterParts, waiting_max: usize) -> io::Result<Self> {
        let (queue, jobs) = flume::bounded(waiting_max.max(1));
        let WriterParts { connection, file, clock, counters } = parts;
        let thread = WriterThread {
            work: Work::new(connection),
            file,
            clock,
            counters,
            jobs,
            rescued: false,
            rescue_attempts: 0,
        };
        let thread = thread::Builder::new().name("store-writer".into()).spawn(move || thread.run())?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Work) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        submit(self.queue.as_ref(), work).await
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct WriterThread {
    work: Work,
    file: DataFile,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    jobs: Receiver<WriteJob>,
    /// Whether a copy was saved, and how often that was tried, since the file was last found in its place.
    rescued: bool,
    rescue_attempts: u32,
}

impl WriterThread {
    fn run(mut self) {
        while let Ok(first) = self.jobs.recv() {
            let mut batch = vec![first];
            let (fate, lost) = self.execute(&mut batch);
            self.counters.batch(batch.len());
            answer(batch, &fate);
            if let Some(lost) = lost {
                self.save_what_can_be_saved(&lost);
            }
        }
        self.close();
    }

    /// Runs the batch, and whatever joins it meanwhile, in one transaction.
    fn execute(&mut self, batch: &mut Vec<WriteJob>) -> (Fate, Option<Lost>) {
        if let Err(lost) = self.file.check() {
            self.join_all_waiting(batch);
            return (Fate::NotWritten(lost.to_string()), Some(lost));
        }
        (self.rescued, self.rescue_attempts) = (false, 0);
        if let Err(error) = self.work.begin() {
            // Each of them would wait as long for the lock, one after the other: better to answer all now.
            self.join_all_waiting(batch);
            return (Fate::NotWritten(format!("no transaction could be begun: {error}")), None);
        }
        let written_before = self.work.connection.total_changes();
        let mut next = 0;
        while let Some(job) = batch.get_mut(next) {
            job.run(&mut self.work);
            next += 1;
            if self.work.connection.is_autocommit() {
                return (Fate::NotWritten("SQLite had to roll the transaction back".into()), None);
            }
            if batch.len() < BATCH_CALLS_MAX
                && let Ok(job) = self.jobs.try_recv()
            {
                batch.push(job);
            }
        }
        if self.work.connection.total_changes() == written_before {
            return (give_up(&mut self.work, Fate::Committed), None);
        }
        let fate = commit(&mut self.work);
        if !matches!(fate, Fate::Committed) {
            return (fate, None);
        }
        self.counters.commit();
        // Only now is it known that what was made durable is in the file that the next start will open.
        match self.file.check() {
            Ok(()) => (fate, None),
            Err(lost) => (Fate::Unknown(lost.to_string()), Some(lost)),
        }
    }

    fn join_all_waiting(&self, batch: &mut Vec<WriteJob>) {
        batch.extend(self.jobs.try_iter().take(BATCH_CALLS_MAX - 1));
    }

    fn save_what_can_be_saved(&mut self, lost: &Lost) {
        if !lost.needs_rescue() || self.rescued || self.rescue_attempts >= RESCUE_ATTEMPTS_MAX {
            return;
        }
        let now = self.clock.now().as_seconds();
        match rescue(&self.work.connection, self.file.path(), now) {
            Ok(copy) => {
                self.rescued = true;
                tracing::error!(
                    "{lost}. Nothing is written any more. Everything up to here was saved in `{}`: stop the server, put \
                     that file in the place of the data file (and remove the files ending in -wal and -shm there), with the \
                     master key that belongs to it beside it, and start it again. Without that key its signing keys \
                     cannot be opened",
                    copy.display()
                );
            }
            Err(error) => {
                self.rescue_attempts += 1;
                tracing::error!(
                    "{lost}. Nothing is written any more, and saving a copy failed: {error}. Do not stop the server: it \
                     holds the only copy. Make room or give access; saving is tried {RESCUE_ATTEMPTS_MAX} times, and once \
                     more when it stops"
                );
            }
        }
    }

    /// The last connection to close moves the log into the data file and deletes the log *by its name*. Where the file is
    /// not ours any more, neither is the name.
    fn close(mut self) {
        if let Err(lost) = self.file.check() {
            if !self.rescued {
                self.rescue_attempts = 0;
            }
            self.save_what_can_be_saved(&lost);
            drop(self.work.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true));
        }
        if let Err((_, error)) = self.work.connection.close() {
            tracing::warn!("closing the data file: {error}");
        }
    }
}

/// Makes the transaction durable, and says what is known when that fails.
fn commit(work: &mut Work) -> Fate {
    match work.commit() {
        Ok(()) => Fate::Committed,
        Err(error) => {
            let reason = format!("COMMIT failed: {error}");
            let fate = if nothing_was_written(&error) { Fate::NotWritten(reason) } else { Fate::Unknown(reason) };
            give_up(work, fate)
        }
    }
}

/// Ends the transaction without a trace; `fate` if that works, as it does unless SQLite itself is broken.
fn give_up(work: &mut Work, fate: Fate) -> Fate {
    match work.roll_back() {
        Ok(()) => fate,
        Err(error) => Fate::Unknown(format!("ROLLBACK failed: {error}")),
    }
}

/// Tells every caller of the batch what became of their call.
fn answer(batch: Vec<WriteJob>, fate: &Fate) {
    for job in batch {
        job.answer(fate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteOptions, SqliteStore, open::connect, rows};
    use counterfoil_domain::time::UnixMillis;

    struct Still;
    impl Clock for Still {
        fn now(&self) -> UnixMillis {
            UnixMillis::from_millis(1)
        }
    }

    /// A writer on a fresh file that may grow by a few pages only.
    fn on_a_small_disk(folder: &tempfile::TempDir) -> (Writer, Arc<Counters>) {
        let path = folder.path().join("counterfoil.db");
        let clock: Arc<dyn Clock> = Arc::new(Still);
        drop(SqliteStore::open(SqliteOptions::new(&path, Arc::clone(&clock))).unwrap());
        let connection = connect(&path).unwrap();
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        connection.pragma_update_and_check(None, "max_page_count", pages + 8, |_| Ok(())).unwrap();
        let counters = Arc::new(Counters::default());
        let file = DataFile::remember(&path).unwrap();
        let parts = WriterParts { connection, file, clock, counters: Arc::clone(&counters) };
        (Writer::start(parts, 1_000).unwrap(), counters)
    }

    fn insert(work: &mut Work, number: i64) -> Result<(), Fault> {
        let sql = "INSERT INTO keys (key_use, kid, algorithm, state, sealed, created_at)
            VALUES ('sign', ?, 'EdDSA', 'active', zeroblob(1500), 0)";
        rows::write(&work.connection, sql, [number]).map(drop)
    }

    fn count(work: &mut Work) -> Result<i64, Fault> {
        Ok(work.connection.query_row("SELECT count(*) FROM keys", [], |row| row.get(0))?)
    }

    /// `SQLITE_FULL` in the middle of a batch: who was answered with success is stored, nobody else is.
    #[test]
    fn a_full_disk_refuses_and_keeps_what_was_answered() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let (writer, counters) = on_a_small_disk(&folder);
            let writer = Arc::new(writer);
            let mut calls = Vec::new();
            for number in 0..100 {
                let writer = Arc::clone(&writer);
                calls.push(tokio::spawn(async move { writer.write(move |work| insert(work, number)).await }));
            }
            let mut stored = 0;
            for call in calls {
                match call.await.unwrap() {
                    Ok(()) => stored += 1,
                    Err(StoreError::Unavailable(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            assert!((1..100).contains(&stored), "{stored}");
            assert_eq!(writer.write(count).await.unwrap(), stored);
            assert!(counters.read().commits >= 1);

            let room = |work: &mut Work| -> Result<(), Fault> {
                Ok(work.connection.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(()))?)
            };
            writer.write(room).await.unwrap();
            writer.write(|work| insert(work, 1_000)).await.unwrap();
            assert_eq!(writer.write(count).await.unwrap(), stored + 1);
        });
    }
}
