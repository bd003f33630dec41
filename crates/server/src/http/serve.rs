//! Serving connections with bounds on everything a stranger can hold open.
//!
//! HTTP/1.1 only. Whoever speaks HTTP/2 to the world does it where TLS ends, in front of this; here it would add a
//! protocol whose idle connections, streams and floods all need bounds of their own (docs/decisions/0004).

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;

/// The bounds.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// The most connections at a time; further ones wait in the system's queue.
    ///
    /// With the limits of heads and bodies this bounds the memory that strangers can hold: by default 4,096 × (64 KiB of
    /// head + 4 KiB of body) + 16 MiB of large bodies = 288 MiB.
    pub connections_max: usize,
    /// How long a connection may be silent, or take to send a request's head.
    pub header_timeout: Duration,
    /// The largest head of a request, in bytes; past it the answer is 431. The buffer grows in steps, so a head of up to
    /// twice that may still pass.
    pub header_bytes_max: usize,
    /// How long requests may go on after shutdown was asked for.
    pub drain_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            header_timeout: Duration::from_secs(20),
            header_bytes_max: 32 * 1024,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Serves `router` on `listener` until `shutdown` completes; then takes no more connections, lets what is on its way
/// finish, and returns.
///
/// # Errors
/// None after a clean shutdown; the listener's own error when it cannot accept at all.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(options.header_timeout).max_buf_size(options.header_bytes_max);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(options.connections_max));
    tokio::pin!(shutdown);
    loop {
        let place = tokio::select! {
            () = &mut shutdown => break,
            place = Arc::clone(&places).acquire_owned() => place.map_err(io::Error::other)?,
        };
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of file descriptors, or a peer that has gone: neither is a reason to stop. The pause keeps the
                // former from spinning.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        no_delay(&stream);
        let router = router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(axum::body::Body::new))
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(options.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off by the shutdown");
    }
    Ok(())
}

/// Small answers should not wait for more.
fn no_delay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
}
