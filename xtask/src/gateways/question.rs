//! What a gateway asks, word for word: for once somebody else listens in the server's place, and writes it down.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};

use super::http::Request;
use super::world::World;

/// Who sends more does so at once.
const MORE_LIMIT: Duration = Duration::from_millis(300);
const REFUSAL: &[u8] =
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Type: application/problem+json\r\n\
    Content-Length: 2\r\nConnection: close\r\n\r\n{}";

/// Asks about a request with everything that a question needs, while the server is down.
pub(super) fn complete(world: &World<'_>) -> anyhow::Result<()> {
    let clerk = listen(world.addresses.server)?;
    let request = Request::post("/drafts/1?page=2")
        .bearer("one")
        .header("Cookie", "theirs=1")
        .header("Origin", "https://evil.example")
        .header("Sec-Fetch-Site", "cross-site")
        .header("X-Forwarded-For", "192.0.2.1")
        .header("X-Forwarded-Proto", "gopher")
        .body(b"the body");
    let answered = world.ask(&request);
    let asked = clerk.join().map_err(|_| anyhow!("whoever listened fell over"))??;
    answered?.expect(401)?;

    let (head, body) = asked.split_once("\r\n\r\n").context("half a question")?;
    ensure!(body.is_empty() && !head.contains("chunked"), "the body was sent: {asked}");
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    ensure!(first == "GET /v1/forward-auth?extend=true HTTP/1.1", "asked `{first}`");
    let mut told: Vec<String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| format!("{}: {value}", name.to_ascii_lowercase()))
        .collect();
    told.sort_unstable();
    for expected in [
        "authorization: Bearer one",
        "cookie: theirs=1",
        "origin: https://evil.example",
        "sec-fetch-site: cross-site",
        "x-forwarded-method: POST",
        "x-forwarded-uri: /drafts/1?page=2",
        "x-forwarded-host: localhost",
        "x-forwarded-proto: http",
        "x-forwarded-for: 127.0.0.1",
    ] {
        let name = expected.split_inclusive(':').next().unwrap_or_default();
        let found: Vec<_> = told.iter().filter(|line| line.starts_with(name)).collect();
        ensure!(found == [expected], "told {found:?}, not {expected}");
    }
    Ok(())
}

/// Takes one question at this address, and refuses it.
fn listen(address: SocketAddr) -> anyhow::Result<thread::JoinHandle<anyhow::Result<String>>> {
    let listener = TcpListener::bind(address).context("listening in the server's place")?;
    Ok(thread::spawn(move || {
        let (mut line, _) = listener.accept()?;
        let asked = read(&mut line)?;
        line.write_all(REFUSAL)?;
        Ok(asked)
    }))
}

/// The head and whatever comes behind it.
fn read(line: &mut TcpStream) -> anyhow::Result<String> {
    line.set_read_timeout(Some(MORE_LIMIT))?;
    let (mut asked, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match line.read(&mut piece) {
            Ok(0) | Err(_) => return Ok(String::from_utf8_lossy(&asked).into_owned()),
            Ok(length) => asked.extend(piece.get(..length).unwrap_or_default()),
        }
    }
}
