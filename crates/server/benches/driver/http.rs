//! A client of HTTP/1.1 that knows just enough: keep-alive, `Content-Length`, one request at a time, and requests that
//! are bytes made beforehand. It measures the server and not itself.

use memchr::memmem;
use std::{future::poll_fn, io, net::SocketAddr, pin::Pin, str, str::FromStr};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// The largest answer that is understood.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

const CONTENT_LENGTH: &[u8] = b"\r\ncontent-length: ";

/// The content type of the API's bodies.
pub(crate) const JSON: &str = "application/json";

/// The bytes of a request. `body` is its content type and text.
pub(crate) fn request(method: &str, path: &str, bearer: Option<&str>, body: Option<(&str, &str)>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: counterfoil.test\r\n");
    if let Some(token) = bearer {
        text.extend(["Authorization: Bearer ", token, "\r\n"]);
    }
    if let Some((content_type, body)) = body {
        let length = body.len().to_string();
        text.extend(["Content-Type: ", content_type, "\r\nContent-Length: ", &length, "\r\n\r\n", body]);
    } else {
        text.push_str("\r\n");
    }
    text.into_bytes()
}

/// The request that trades this refresh token.
pub(crate) fn refresh_request(token: &str) -> Vec<u8> {
    let body = format!(r#"{{"refresh_token":"{token}"}}"#);
    request("POST", "/v1/sessions/current/refresh", None, Some((JSON, &body)))
}

/// One connection, kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, in the connection's own buffer.
pub(crate) struct Reply<'c> {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: &'c str,
}

impl Reply<'_> {
    /// The first member of the body with this name, if it is a string without escapes.
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        json_member(self.body, name)
    }
}

/// The first member of a JSON text with this name, if it is a string without escapes.
pub(crate) fn json_member<'t>(json: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = json.split_once(&format!(r#""{name}":""#))?;
    rest.split_once('"').map(|(value, _)| value)
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; ANSWER_BYTES_MAX] })
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply<'_>> {
        self.send(request).await?;
        self.receive().await
    }

    /// Sends a request; its answer is to be taken with [`Connection::receive`].
    pub(crate) async fn send(&mut self, mut request: &[u8]) -> io::Result<()> {
        while !request.is_empty() {
            let written = poll_fn(|context| Pin::new(&mut self.stream).poll_write(context, request)).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            request = request.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Waits for the answer to what was sent.
    pub(crate) async fn receive(&mut self) -> io::Result<Reply<'_>> {
        let mut filled = 0;
        let head = loop {
            let free = self.buffer.get_mut(filled..).filter(|free| !free.is_empty()).ok_or_else(|| odd("too long"))?;
            let mut free = ReadBuf::new(free);
            poll_fn(|context| Pin::new(&mut self.stream).poll_read(context, &mut free)).await?;
            if free.filled().is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += free.filled().len();
            match Head::parse(self.buffer.get(..filled).unwrap_or_default())? {
                Some(head) if head.answer_bytes() <= filled => break head,
                _ => {}
            }
        };
        if head.answer_bytes() < filled {
            return Err(odd("more than was asked for"));
        }
        let body = self.buffer.get(head.body_at..filled).unwrap_or_default();
        Ok(Reply { status: head.status, body: str::from_utf8(body).map_err(|_| odd("not text"))? })
    }
}

struct Head {
    status: u16,
    body_at: usize,
    body_bytes: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };

        let status = bytes.get(9..12).and_then(number::<u16>).ok_or_else(|| odd("no status"))?;
        // hyper writes the names of fields in lower case.
        let head = bytes.get(..end).unwrap_or_default();
        let length = memmem::find(head, CONTENT_LENGTH).and_then(|at| head.get(at + CONTENT_LENGTH.len()..));
        let digits = length.and_then(|rest| rest.split(|byte| *byte == b'\r').next());
        let body_bytes = digits.and_then(number::<usize>).ok_or_else(|| odd("no length"))?;
        Ok(Some(Self { status, body_at: end + 4, body_bytes }))
    }

    const fn answer_bytes(&self) -> usize {
        self.body_at + self.body_bytes
    }
}

fn number<N: FromStr>(digits: &[u8]) -> Option<N> {
    str::from_utf8(digits).ok()?.parse().ok()
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("an answer that this client does not understand: {what}"))
}
