//! Sessions as clients hold them: the newest token, and from when on a refresh moves the session.

use crate::driver::{
    http::{Connection, refresh_request},
    now,
};
use anyhow::{Context, ensure};
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// The server's retry window in these measurements, the smallest it takes: inside of it a refresh is answered from the
/// row as it is, and there would be nothing durable to measure.
pub(crate) const RETRY_WINDOW: (&str, &str) = ("REFRESH__RETRY_WINDOW", "1s");
/// A session is left alone for longer than that after each refresh.
const REST: Duration = Duration::from_millis(1_050);

/// A session, held by a client.
pub(crate) struct Held {
    token: String,
    free_at: Instant,
}

impl Held {
    /// Sessions with these refresh tokens.
    pub(crate) fn all(tokens: Vec<String>) -> Vec<Self> {
        let free_at = now();
        tokens.into_iter().map(|token| Self { token, free_at }).collect()
    }

    /// Waits until a refresh moves the session. Whether that took any time.
    pub(crate) async fn rest(&self) -> bool {
        let waits = self.free_at > now();
        if waits {
            sleep_until(self.free_at.into()).await;
        }
        waits
    }

    /// Refreshes the session, which must move, and keeps the new token.
    pub(crate) async fn refresh(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        let reply = connection.exchange(&refresh_request(&self.token)).await?;
        ensure!(reply.status == 200, "refresh: {} {}", reply.status, reply.body);
        let token = reply.member("refresh_token").context("no refresh token")?;
        ensure!(token != self.token, "the same refresh token came back: nothing was written");
        token.clone_into(&mut self.token);
        self.free_at = now() + REST;
        Ok(())
    }
}

/// Deals `held` out to so many clients, each hand beginning with the sessions that rested longest.
pub(crate) fn deal(mut held: Vec<Held>, clients: usize) -> Vec<Vec<Held>> {
    held.sort_by_key(|held| held.free_at);
    let mut hands: Vec<Vec<Held>> = std::iter::repeat_with(Vec::new).take(clients).collect();
    let mut held = held.into_iter();
    while held.len() > 0 {
        for (hand, held) in hands.iter_mut().zip(&mut held) {
            hand.push(held);
        }
    }
    hands
}

/// The access token of the session behind this refresh token, which is spent by it.
pub(crate) async fn access_token(connection: &mut Connection, refresh_token: &str) -> anyhow::Result<String> {
    let reply = connection.exchange(&refresh_request(refresh_token)).await?;
    ensure!(reply.status == 200, "refresh: {} {}", reply.status, reply.body);
    Ok(reply.member("access_token").context("no access token")?.to_owned())
}
