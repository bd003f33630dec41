//! SIGTERM: what has begun is finished, nothing new is taken, and the exit status is 0.

use crate::harness::{PASSWORD, Process, eventually};
use serde_json::json;
use std::{fs, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

#[tokio::test]
async fn a_request_on_its_way_is_finished() {
    let folder = TempDir::new().unwrap();
    let mut process = Process::start(folder.path(), &[]).await;
    let address = process.base_url().strip_prefix("http://").unwrap().to_owned();
    let idle = TcpStream::connect(&address).await.unwrap();

    let body = json!({ "email": "minsu@example.com", "password": PASSWORD, "sign_in": {} }).to_string();
    let head = format!(
        "POST /v1/accounts HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut stream = BufReader::new(TcpStream::connect(&address).await.unwrap());
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server says this when the request has reached its handler.
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert!(line.starts_with("HTTP/1.1 100 "), "{line}");
    stream.read_line(&mut line).await.unwrap();

    process.terminate();
    eventually("it has heard", Duration::from_secs(10), || async { process.errors().contains("shutting down") }).await;
    let is_closed = || async { TcpStream::connect(&address).await.is_err() };
    eventually("no new connections", Duration::from_secs(5), is_closed).await;

    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(process.exited().await.code(), Some(0));
    assert!(process.errors().contains("stopped"));
    drop(idle);

    // What was answered is there.
    let process = Process::start(folder.path(), &[]).await;
    process.sign_in("minsu@example.com").await;
}

#[tokio::test]
async fn it_leaves_one_data_file() {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    process.sign_up("minsu@example.com").await;
    assert_eq!(process.stop().await.code(), Some(0));
    let names = fs::read_dir(folder.path().join("data")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["counterfoil.lock", "counterfoil.sqlite", "master.key"]);
}
