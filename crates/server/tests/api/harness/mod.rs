//! What the tests stand on.

mod client;
mod held;
mod probed_store;
mod process;
mod server;
mod snapshot;
mod verifier;

pub(crate) use client::{Client, PASSWORD, Reply, Tokens, members};
pub(crate) use held::{ACCESS_COOKIE, Carried, Held, REFRESH_COOKIE, SESSION_COOKIE};
pub(crate) use probed_store::{Fault, Probes};
pub(crate) use process::Process;
pub(crate) use server::{DATA_FILE, PUBLIC_URL, Server};
pub(crate) use snapshot::{Snapshot, snapshot};
pub(crate) use verifier::{Credentials, Verifier, poll_path};

use std::{future::Future, time::Duration};
use tokio::time::sleep;

/// Longer than any session's retry window, shorter than an access token's life.
pub(crate) const PAST_THE_WINDOW: Duration = Duration::from_secs(16);
/// Longer than an access token's life and the leeway.
pub(crate) const PAST_THE_ACCESS_TOKEN: Duration = Duration::from_mins(31);

/// Asks again and again until the answer is yes, for what another thread or process does in its own time.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, limit: Duration, mut ask: impl FnMut() -> F) {
    const PAUSE: Duration = Duration::from_millis(20);
    for _ in 0..limit.as_millis() / PAUSE.as_millis() {
        if ask().await {
            return;
        }
        sleep(PAUSE).await;
    }
    panic!("not within {limit:?}: {what}");
}
