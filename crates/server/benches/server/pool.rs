//! Connections to one server, taken and given back.

use crate::driver::http::Connection;
use anyhow::Context;
use parking_lot::Mutex;
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A number of open connections.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    free: Mutex<Vec<Connection>>,
    places: Semaphore,
}

/// A connection, for as long as it is held.
pub(crate) struct Taken<'p> {
    connection: Option<Connection>,
    pool: &'p Inner,
    _place: SemaphorePermit<'p>,
}

impl Pool {
    /// Opens them all.
    pub(crate) async fn open(address: SocketAddr, connections: usize) -> anyhow::Result<Self> {
        let mut free = Vec::with_capacity(connections);
        for _ in 0..connections {
            free.push(Connection::open(address).await?);
        }
        Ok(Self(Arc::new(Inner { free: Mutex::new(free), places: Semaphore::new(connections) })))
    }

    /// Sends a request on a free connection: the status of its answer, and its body.
    pub(crate) async fn ask(&self, request: &[u8]) -> anyhow::Result<(u16, String)> {
        let mut taken = self.take().await?;
        let connection = taken.connection.as_mut().context("a connection is held until it is given back")?;
        let reply = connection.exchange(request).await?;
        Ok((reply.status, reply.body.to_owned()))
    }

    async fn take(&self) -> anyhow::Result<Taken<'_>> {
        let place = self.0.places.acquire().await?;
        let connection = self.0.free.lock().pop();
        Ok(Taken { connection, pool: &self.0, _place: place })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.pool.free.lock().extend(self.connection.take());
    }
}
