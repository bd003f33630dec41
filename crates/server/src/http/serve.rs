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
    sync::{Semaphore, watch},
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
    /// How long a client may leave what it was sent unread. Without it, one that never reads would hold its place for ever.
    pub write_timeout: Duration,
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
            write_timeout: Duration::from_secs(20),
            header_bytes_max: 32 * 1024,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// In every request: tells when the server is to stop, for answers that would wait.
#[derive(Clone)]
pub(super) struct ShuttingDown(Arc<watch::Receiver<bool>>);

impl ShuttingDown {
    /// Completes when the server is to stop.
    pub(super) async fn begun(&self) {
        // A server that is gone has stopped as well.
        let _ = watch::Receiver::clone(&self.0).wait_for(|begun| *begun).await;
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
    let (stopping, stops) = watch::channel(false);
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
        limit_unread(&stream, options.write_timeout);
        let router = router.clone();
        // One for each connection: cores that serve different ones have nothing to tell each other.
        let shutting_down = ShuttingDown(Arc::new(stops.clone()));
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(shutting_down.clone());
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
    stopping.send_replace(true);
    if tokio::time::timeout(options.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off by the shutdown");
    }
    Ok(())
}

/// The system ends a connection whose peer takes nothing for this long (`TCP_USER_TIMEOUT`, tcp(7)). Only Linux has it.
fn limit_unread(stream: &TcpStream, timeout: Duration) {
    #[cfg(target_os = "linux")]
    {
        let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds) {
            tracing::debug!(%error, "TCP_USER_TIMEOUT");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, timeout);
}

/// Small answers should not wait for more.
fn no_delay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::{
        future::pending,
        io::{Read, Write},
        net::TcpStream as StdStream,
    };

    /// More than the system's buffers on both sides hold.
    const ANSWER_BYTES: usize = 64 * 1024 * 1024;

    async fn bytes_taken(pause: Duration) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { vec![b'x'; ANSWER_BYTES] }));
        let options = ServeOptions { write_timeout: Duration::from_millis(300), ..ServeOptions::default() };
        let serving = tokio::spawn(serve(listener, router, options, pending()));
        let client = move || {
            let mut stream = StdStream::connect(address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            std::thread::sleep(pause);
            let mut taken = Vec::new();
            let _reset_or_end = stream.read_to_end(&mut taken);
            taken.len()
        };
        let taken = tokio::task::spawn_blocking(client).await.unwrap();
        serving.abort();
        taken
    }

    #[tokio::test(flavor = "multi_thread")]
    #[cfg_attr(not(target_os = "linux"), ignore = "only Linux has TCP_USER_TIMEOUT")]
    async fn a_client_that_does_not_read_loses_its_place() {
        assert!(bytes_taken(Duration::ZERO).await > ANSWER_BYTES, "one that reads has it all");
        assert!(bytes_taken(Duration::from_secs(4)).await < ANSWER_BYTES, "one that does not is cut off");
    }
}
