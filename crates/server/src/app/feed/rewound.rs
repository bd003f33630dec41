//! Places that are none of ours, and what they tell of the store.

use super::verifiers::VerifierKey;
use crate::app::{App, RequestOrigin};
use counterfoil_domain::{
    revocation::{Anomaly, BETWEEN_EPOCHS, Chain, FeedPosition, after_rewind},
    store::StoreError,
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a verifier that is ahead waits for the store to be read anew.
const READ_WAIT: Duration = Duration::from_secs(1);

impl App {
    /// Judges the place that a verifier says it has applied. One that is ahead of us, or of another history, may have read
    /// what this process has not: then the store is read anew first. If it is ahead of the store itself, the store was put
    /// back, and a new life of it begins.
    pub(super) async fn judge_verifier(
        &self,
        place: FeedPosition,
        chain: Option<Chain>,
        verifier: Option<&VerifierKey>,
    ) -> Result<(), Anomaly> {
        let log = &self.0.feed.log;
        let Err(first) = log.judge(place, chain) else { return Ok(()) };
        if !first.shows_rewind() {
            return Err(first);
        }
        let has_read = matches!(timeout(READ_WAIT, self.follow_feed()).await, Ok(Ok(())));
        let Err(anomaly) = log.judge(place, chain) else { return Ok(()) };
        self.tell_anomaly(anomaly, place, verifier);
        // Whoever need not prove who they are could make it up.
        if let Some(verifier) = verifier.filter(|verifier| verifier.client.is_some())
            && has_read
            && anomaly.shows_rewind()
            && place.epoch.0 <= self.now().as_millis()
            && let Err(error) = self.begin_epoch(verifier).await
        {
            tracing::error!(%error, "no new epoch could be begun: it is tried again when a verifier asks");
        }
        Err(anomaly)
    }

    fn tell_anomaly(&self, anomaly: Anomaly, place: FeedPosition, verifier: Option<&VerifierKey>) {
        let now = self.0.parts.clock.monotonic();
        if !self.0.feed.figures.anomalies.may_tell(anomaly, now) {
            return;
        }
        let name = verifier.map_or("(without a name)", |verifier| verifier.name.as_str());
        let head = self.0.feed.log.head().0.position;
        tracing::error!(
            anomaly = anomaly.as_str(),
            verifier = name,
            ?place,
            ?head,
            "a verifier has read what is not in this store: either it follows another server, or the store was restored \
             from a backup"
        );
    }

    /// Begins a new life of the feed, at most once a minute: verifiers take nothing in it for old news, and every token is
    /// refused once, so that everybody refreshes and the store is asked.
    async fn begin_epoch(&self, verifier: &VerifierKey) -> Result<(), StoreError> {
        let now = self.0.parts.clock.monotonic();
        {
            let mut begun_at = self.0.feed.epoch_begun_at.lock();
            if begun_at.is_some_and(|at| now.saturating_sub(at) < BETWEEN_EPOCHS) {
                return Ok(());
            }
            *begun_at = Some(now);
        }
        let begun = self.write_epoch(verifier).await;
        if begun.is_err() {
            *self.0.feed.epoch_begun_at.lock() = None;
        }
        begun
    }

    async fn write_epoch(&self, verifier: &VerifierKey) -> Result<(), StoreError> {
        let from = self.0.feed.log.head().0.position.epoch;
        let keys = self.store().keys().await?;
        let occasion = self.occasion(&RequestOrigin::default());
        let rewind = after_rewind(&keys, verifier.name.as_str(), self.settings().longest_token_lifetime(), &occasion);
        let committed = self.store().begin_epoch(from, rewind.drafts, rewind.event).await?;
        self.apply_committed(&committed);
        if committed.entries.is_empty() {
            return Ok(()); // another process was first
        }
        self.0.feed.figures.epochs.add();
        tracing::error!(
            verifier = verifier.name.as_str(),
            epoch = committed.feed.position.epoch.0,
            "the store is older than what was read of it: it was restored from a backup. A new epoch was begun, and everybody \
             has to refresh. Sign-outs after the backup are lost in the store: if that matters, run \
             `counterfoil session end --everybody`"
        );
        self.follow_feed().await
    }
}
