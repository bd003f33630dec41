//! A client's line to a server that may be gone for a while.

use crate::driver::http::{Connection, json_member};
use anyhow::bail;
use std::{fmt, io, net::SocketAddr, time::Duration};
use tokio::time::{sleep, timeout};

/// A client gives an exchange up after this long (the retry window is made for no more than 10 s).
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client waits before it asks again.
const PAUSE: Duration = Duration::from_millis(15);
/// A server that has not answered after so many attempts is not coming back.
const ATTEMPTS_MAX: u32 = 2_000;

/// A connection that is made anew when it breaks.
pub(crate) struct Line {
    address: SocketAddr,
    connection: Option<Connection>,
}

/// An answer, and what it took to get it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: String,
    /// How often the request was sent, or begun to be sent, without an answer coming back.
    pub(crate) lost: u32,
    /// How often the server asked to come again later (503).
    pub(crate) put_off: u32,
}

impl Answer {
    /// A member of the body.
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        json_member(&self.body, name)
    }
}

/// Status and code, and nothing that might be a token.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.member("code").unwrap_or_default())
    }
}

impl Line {
    pub(crate) const fn to(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Sends a request until it is answered: again when the connection is lost, nobody listens, nothing comes back in
    /// time, or the server cannot do it right now.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let (mut lost, mut put_off) = (0, 0);
        for _ in 0..ATTEMPTS_MAX {
            let Some(mut connection) = self.connect().await else {
                // Nothing was sent: nothing can have happened.
                sleep(PAUSE).await;
                continue;
            };
            let exchange = async {
                let reply = connection.exchange(request).await?;
                io::Result::Ok((reply.status, reply.body.to_owned()))
            };
            match timeout(TIMEOUT, exchange).await {
                Ok(Ok((503, _))) => {
                    put_off += 1;
                    self.connection = Some(connection);
                    sleep(PAUSE).await;
                }
                Ok(Ok((status, body))) => {
                    self.connection = Some(connection);
                    return Ok(Answer { status, body, lost, put_off });
                }
                Ok(Err(_)) | Err(_) => {
                    lost += 1;
                    sleep(PAUSE).await;
                }
            }
        }
        bail!("no answer after {ATTEMPTS_MAX} attempts")
    }
    /// The connection there is, or a new one; `None` when nobody listens.
    async fn connect(&mut self) -> Option<Connection> {
        if let Some(connection) = self.connection.take() {
            return Some(connection);
        }
        timeout(TIMEOUT, Connection::open(self.address)).await.ok()?.ok()
    }
}
