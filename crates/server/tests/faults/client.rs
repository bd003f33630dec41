//! An honest client: it keeps the newest refresh token it received, and presents that one until it gets another.

use crate::{
    driver::{http::refresh_request, now},
    kill::Run,
    line::{Answer, Line},
    tokens::minted_at,
};
use anyhow::Context;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};
use tokio::time::sleep_until;

/// A session is left alone for this long after a refresh: longer than the retry window (1 s), so that the next refresh
/// moves it.
const REST: Duration = Duration::from_millis(1_050);

/// A session in a client's hands.
pub(crate) struct Held {
    pub(crate) refresh_token: String,
    pub(crate) access_token: String,
    free_at: Instant,
}

impl Held {
    pub(crate) fn new(refresh_token: String) -> Self {
        Self { refresh_token, access_token: String::new(), free_at: now() }
    }

    /// Waits until a refresh moves the session.
    pub(crate) async fn rest(&self) {
        sleep_until(self.free_at.into()).await;
    }

    /// Refreshes the session, however often that takes. Whether it is still signed in.
    pub(crate) async fn refresh(&mut self, line: &mut Line, run: &Run) -> anyhow::Result<bool> {
        let answer = line.ask(&refresh_request(&self.refresh_token)).await?;
        let counts = &run.counts;
        counts.refreshes.fetch_add(1, Relaxed);
        counts.lost.fetch_add(answer.lost.into(), Relaxed);
        counts.put_off.fetch_add(answer.put_off.into(), Relaxed);
        if answer.status != 200 {
            let (minted, lost) = (minted_at(&self.refresh_token), answer.lost);
            run.fault(format!("signed out: {answer} (token of {minted:?}, {lost} answers lost)"));
            return Ok(false);
        }
        self.keep(&answer, run).context("an answer without tokens")?;
        Ok(true)
    }

    fn keep(&mut self, answer: &Answer, run: &Run) -> Option<()> {
        let (refresh_token, access_token) = (answer.member("refresh_token")?, answer.member("access_token")?);
        if refresh_token == self.refresh_token {
            run.counts.unmoved.fetch_add(1, Relaxed);
        } else {
            run.counts.rotations.fetch_add(1, Relaxed);
            // Minted before the kill and received after it: the server had committed and could not say so.
            if answer.lost > 0 && minted_at(refresh_token)? <= run.killed_at() {
                run.counts.recovered.fetch_add(1, Relaxed);
            }
        }
        refresh_token.clone_into(&mut self.refresh_token);
        access_token.clone_into(&mut self.access_token);
        self.free_at = now() + REST;
        Some(())
    }
}

/// Refreshes its sessions in turn until the run is over, and gives them back. One that was signed out is a fault of the
/// run, and is dropped.
pub(crate) async fn refresh_in_turn(run: Arc<Run>, mut sessions: Vec<Held>) -> anyhow::Result<Vec<Held>> {
    let mut line = Line::to(run.address);
    while !run.is_over() && !sessions.is_empty() {
        let mut kept = Vec::with_capacity(sessions.len());
        for mut held in sessions {
            if !run.is_over() {
                held.rest().await;
                if !held.refresh(&mut line, &run).await? {
                    continue;
                }
            }
            kept.push(held);
        }
        sessions = kept;
    }
    Ok(sessions)
}
