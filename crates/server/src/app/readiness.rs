//! Whether the store reads and writes, asked at most once a second whoever wants to know.

use super::App;
use counterfoil_domain::time::UnixMillis;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long an answer is good. The check writes durably, and anybody may ask.
const ANSWER_GOOD_FOR: Duration = Duration::from_secs(1);

/// The last answer, and when it was given.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(UnixMillis, bool)>>);

impl App {
    /// Whether the store reads and writes, as of the last second. Askers that come together share one check.
    pub async fn is_store_good(&self) -> bool {
        let mut last = self.0.readiness.0.lock().await;
        let now = self.0.parts.clock.now();
        if let Some((at, good)) = *last
            && now.since(at) < ANSWER_GOOD_FOR
            && at <= now
        {
            return good;
        }
        let checked = self.store().check().await;
        if let Err(error) = &checked {
            tracing::warn!(%error, "not ready");
        }
        *last = Some((now, checked.is_ok()));
        checked.is_ok()
    }
}
