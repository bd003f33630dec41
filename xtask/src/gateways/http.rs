//! HTTP/1.1 as it is on the line: requests that no well-behaved client would write, and the answers to them.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

/// Who has not answered by then will not, however busy the machine.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// A request, sent as it was put together.
#[derive(Clone)]
pub(super) struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    /// Of this method, for this path, on a connection of its own.
    pub(super) fn new(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"), body: Vec::new() }
    }

    pub(super) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(super) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// One more header, also where there is one of that name.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        _ = write!(self.head, "{name}: {value}\r\n"); // into a string: cannot fail
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// A body with its length.
    pub(super) fn body(self, body: &[u8]) -> Self {
        let mut request = self.header("Content-Length", &body.len().to_string());
        request.body = body.to_vec();
        request
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string().as_bytes())
    }

    /// A body in pieces (RFC 9112 §7.1).
    pub(super) fn chunks(self, pieces: &[&[u8]]) -> Self {
        let mut request = self.header("Transfer-Encoding", "chunked");
        for piece in pieces {
            request.body.extend(format!("{:x}\r\n", piece.len()).into_bytes());
            request.body.extend(*piece);
            request.body.extend(b"\r\n");
        }
        request.body.extend(b"0\r\n\r\n");
        request
    }

    /// Whatever follows the headers, which say something else of it.
    pub(super) fn raw_body(mut self, bytes: &[u8]) -> Self {
        self.body = bytes.to_vec();
        self
    }

    /// Sends it, and reads until the other side closes.
    pub(super) fn send(&self, to: SocketAddr) -> anyhow::Result<Answer> {
        self.send_within(ANSWER_LIMIT, to)
    }

    /// The same, for an answer that must not take so long.
    pub(super) fn send_within(&self, limit: Duration, to: SocketAddr) -> anyhow::Result<Answer> {
        let mut line = TcpStream::connect(to).context("connecting to the gateway")?;
        line.set_read_timeout(Some(limit))?;
        line.set_write_timeout(Some(limit))?;
        let mut bytes = self.head.clone().into_bytes();
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        // A refusal may come before the body was read: then the answer is what counts, not that the rest was not taken.
        _ = line.write_all(&bytes);
        let mut answer = Vec::new();
        let read = line.read_to_end(&mut answer);
        if answer.is_empty() {
            read.context("reading the answer")?;
        }
        Answer::parse(&answer)
    }
}

/// The first answer on the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let end =
            bytes.windows(4).position(|four| four == b"\r\n\r\n").context("an answer without an end of its head")?;
        let (head, rest) = bytes.split_at(end);
        let mut lines = std::str::from_utf8(head).context("the head of an answer")?.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        let mut answer = Self { status: status.context("an answer without a status")?, headers, body: Vec::new() };
        let rest = rest.get(4..).unwrap_or_default();
        answer.body = if answer.header("transfer-encoding") == Some("chunked") {
            unchunked(rest)?
        } else {
            let length = answer.header("content-length").and_then(|length| length.parse().ok());
            rest.get(..length.unwrap_or(rest.len())).context("an answer that was cut off")?.to_vec()
        };
        Ok(answer)
    }

    /// The values of a header, one for each time that it was sent.
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of a header that is there once.
    pub(super) fn header(&self, name: &'static str) -> Option<&str> {
        let mut all = self.all(name);
        all.next().filter(|_| all.next().is_none())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }

    pub(super) fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status == status { Ok(self) } else { bail!("answered {}, not {status}: {}", self.status, self.text()) }
    }

    /// A refusal of this status and with this code, as RFC 9457 writes it.
    pub(super) fn expect_problem(self, status: u16, code: &str) -> anyhow::Result<Self> {
        let answer = self.expect(status)?;
        if answer.header("content-type") != Some("application/problem+json") {
            bail!("{status} with the content type {:?}", answer.header("content-type"));
        }
        let problem = answer.json()?;
        if problem.get("code").and_then(Value::as_str) != Some(code) || problem.get("status") != Some(&status.into()) {
            bail!("{status} with {problem}, not {code}");
        }
        Ok(answer)
    }

    /// A header that is there once, with this value.
    pub(super) fn expect_header(self, name: &'static str, value: &str) -> anyhow::Result<Self> {
        let found: Vec<_> = self.all(name).collect();
        if found == [value] { Ok(self) } else { bail!("{name} is {found:?}, not `{value}`") }
    }
}

fn unchunked(mut rest: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").context("a chunk without its size")?;
        let (size, after) = rest.split_at(end);
        let size = usize::from_str_radix(std::str::from_utf8(size)?, 16).context("the size of a chunk")?;
        if size == 0 {
            return Ok(body);
        }
        let chunk = after.get(2..).unwrap_or_default();
        body.extend(chunk.get(..size).context("a chunk that was cut off")?);
        rest = chunk.get(size + 2..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let plain =
            Answer::parse(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 2\r\n\r\n{}x");
        let plain = plain.unwrap();
        assert_eq!((plain.status, plain.text().as_str()), (200, "{}"));
        assert_eq!(plain.all("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(plain.header("set-cookie"), None, "there are two");
        let chunked =
            Answer::parse(b"HTTP/1.1 401 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n5\r\na\":1}\r\n0\r\n\r\n");
        assert_eq!(chunked.unwrap().text(), "{\"a\":1}");
        for cut in ["", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "HTTP/1.1\r\n\r\n"] {
            assert!(Answer::parse(cut.as_bytes()).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_problem_is_told_by_status_and_code() {
        let text = r#"{"status":401,"code":"token_missing"}"#;
        let answer = || {
            Answer::parse(format!("HTTP/1.1 401 X\r\nContent-Type: application/problem+json\r\n\r\n{text}").as_bytes())
                .unwrap()
        };
        assert!(answer().expect_problem(401, "token_missing").is_ok());
        assert!(answer().expect_problem(401, "token_expired").is_err());
        assert!(answer().expect_problem(403, "token_missing").is_err());
    }
}
