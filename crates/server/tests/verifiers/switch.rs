//! A load balancer that has been told wrongly: connections go to one server or the other.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Duration, timeout},
};

/// So long a connection lasts: then the next one may go elsewhere.
const CONNECTION_LASTS: Duration = Duration::from_millis(700);

/// The balancer; dropping it ends it.
pub(crate) struct Switch {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Switch {
    /// Sends each connection to the next of these servers.
    pub(crate) async fn in_turn(servers: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let next = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let turn = next.fetch_add(1, Ordering::Relaxed) % servers.len().max(1);
                let Some(server) = servers.get(turn).copied() else { return };
                tokio::spawn(async move {
                    if let Ok(mut there) = TcpStream::connect(server).await {
                        let _ = timeout(CONNECTION_LASTS, copy_bidirectional(&mut here, &mut there)).await;
                    }
                });
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
