//! What a stranger can hold open, and for how long.

use axum::{Router, routing::get};
use counterfoil::{ServeOptions, serve};
use std::{future::pending, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Silence, half a head, the beginning of another protocol, and the pause after an answer are all bounded.
#[tokio::test]
async fn silent_connections_are_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = ServeOptions { header_timeout: Duration::from_millis(200), ..ServeOptions::default() };
    let router = Router::new().route("/", get(|| async { "hello" }));
    let server = tokio::spawn(serve(listener, router, options, pending()));
    for sent in [
        "",
        "P",
        "GET / HT",
        "PRI * HTTP/2.0\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let ended = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "still open after {sent:?}");
    }
    server.abort();
}
