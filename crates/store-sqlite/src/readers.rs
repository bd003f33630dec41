//! The threads that read. Each has a connection of its own, which cannot write; in WAL mode they neither wait for the
//! writer nor it for them.

use crate::{
    fault::Fault,
    identity::Place,
    job::{Fate, Job, submit},
};
use counterfoil_domain::store::StoreError;
use flume::{Receiver, Sender};
use rusqlite::Connection;
use std::{
    io,
    thread::{self, JoinHandle},
};

type ReadJob = Box<dyn Job<Connection>>;

pub(crate) struct Readers {
    /// Taken when the store is dropped, which ends the threads.
    queue: Option<Sender<ReadJob>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(crate) fn start(connections: Vec<Connection>, place: &Place, waiting_max: usize) -> io::Result<Self> {
        let (queue, jobs) = flume::bounded(waiting_max.max(1));
        let start = |connection| {
            let (jobs, place) = (Receiver::clone(&jobs), place.clone());
            thread::Builder::new().name("store-reader".into()).spawn(move || serve(connection, &place, &jobs))
        };
        let threads = connections.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok(Self { queue: Some(queue), threads })
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        submit(self.queue.as_ref(), work).await
    }
}

fn serve(mut connection: Connection, place: &Place, jobs: &Receiver<ReadJob>) {
    while let Ok(mut job) = jobs.recv() {
        if place.is_taken() {
            job.answer(&Fate::NotWritten("the data file was replaced by another while the server runs".to_owned()));
        } else {
            job.run(&mut connection);
            job.answer(&Fate::Committed);
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}
