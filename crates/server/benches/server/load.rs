//! Clients that come at once, and what is seen of the server meanwhile.

use crate::{
    driver::{child::Server, http::Connection, now},
    machine,
    statistics::{Latencies, number, per_second},
};
use anyhow::ensure;
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinSet, time::sleep_until};

/// Answers before this are not counted: caches fill, connections are made.
const WARM_UP_MAX: Duration = Duration::from_millis(300);

/// The stretch of time in which answers count.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) begins: Instant,
    pub(crate) ends: Instant,
}

impl Tally {
    /// How much processor time the server spent on one answer: unlike the rate, it is hardly disturbed by whatever else
    /// the machine does.
    pub(crate) fn microseconds_each(&self) -> f64 {
        self.processors / self.rate * 1e6
    }
}

impl Window {
    /// A window of this length, after a warm-up that begins now.
    pub(crate) fn of(length: Duration) -> Self {
        let begins = now() + (length / 4).min(WARM_UP_MAX);
        Self { begins, ends: begins + length }
    }

    /// Whether an answer that came then counts.
    pub(crate) fn contains(&self, at: Instant) -> bool {
        self.begins <= at && at < self.ends
    }
}

/// What came of one measurement.
pub(crate) struct Tally {
    /// Answers a second.
    pub(crate) rate: f64,
    /// How many processors the server kept busy.
    pub(crate) processors: f64,
    /// Transactions a second, where there is a store to look at.
    pub(crate) commits: Option<f64>,
    /// How long the answers took.
    pub(crate) latencies: Latencies,
}

/// Whom to look at during a measurement.
pub(crate) struct Watched {
    process: u32,
    data_file: Option<PathBuf>,
}

impl Watched {
    /// A server without a store, or whose store does not matter.
    pub(crate) fn server(server: &Server) -> Self {
        Self { process: server.id(), data_file: None }
    }

    /// A server and its store.
    pub(crate) fn with_store(server: &Server, data_file: PathBuf) -> Self {
        Self { process: server.id(), data_file: Some(data_file) }
    }

    fn read(&self) -> anyhow::Result<(Duration, Option<u32>)> {
        let commits = self.data_file.as_deref().and_then(machine::commits);
        Ok((machine::processor_time(self.process)?, commits))
    }
}

/// The clients' side of a measurement runs on one thread: it stays on its processor, and its clients need no locks.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Clients on their way; each brings its latencies, and something else.
pub(crate) type Clients<T> = JoinSet<anyhow::Result<(Latencies, T)>>;

/// Waits for the clients, watching the server during the window.
pub(crate) async fn observe<T: 'static>(
    watched: &Watched,
    window: Window,
    mut clients: Clients<T>,
) -> anyhow::Result<(Tally, Vec<T>)> {
    sleep_until(window.begins.into()).await;
    let before = watched.read()?;
    sleep_until(window.ends.into()).await;
    let after = watched.read()?;
    let (mut latencies, mut rest) = (Latencies::default(), Vec::new());
    while let Some(client) = clients.join_next().await {
        let (some, other) = client??;
        latencies.append(some);
        rest.push(other);
    }
    let length = window.ends - window.begins;
    let commits = before.1.zip(after.1).map(|(before, after)| u64::from(after.wrapping_sub(before)));
    let tally = Tally {
        rate: per_second(latencies.count(), length),
        processors: after.0.saturating_sub(before.0).as_secs_f64() / length.as_secs_f64(),
        commits: commits.map(|commits| number(commits) / length.as_secs_f64()),
        latencies,
    };
    Ok((tally, rest))
}

/// The same request over and over, on so many connections.
pub(crate) async fn repeat(
    server: &Server,
    request: &Arc<[u8]>,
    connections: usize,
    length: Duration,
) -> anyhow::Result<Tally> {
    let window = Window::of(length);
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(repeat_on_one(server.address(), Arc::clone(request), window));
    }
    Ok(observe(&Watched::server(server), window, clients).await?.0)
}

async fn repeat_on_one(address: SocketAddr, request: Arc<[u8]>, window: Window) -> anyhow::Result<(Latencies, ())> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Latencies::default();
    loop {
        let sent = now();
        let reply = connection.exchange(&request).await?;
        ensure!(reply.status == 200, "{} {}", reply.status, reply.body);
        let received = now();
        if received >= window.ends {
            return Ok((latencies, ()));
        }
        if window.contains(received) {
            latencies.add(received - sent);
        }
    }
}
