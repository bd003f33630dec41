//! How the feed and those who follow it are, for people and for metrics.

use super::{Figure, FigureKind, log::head_body, poll::millis};
use crate::app::{App, feed_place};
use counterfoil_domain::revocation::{FeedPosition, Freshness};
use counterfoil_wire::{FeedStateBody, VerifierBody};
use std::time::Duration;

impl App {
    /// Whether this process knows of every sign-out of the last seconds.
    pub fn is_feed_fresh(&self) -> bool {
        let freshness = self.revocations().freshness(self.0.parts.clock.monotonic());
        matches!(freshness, Freshness::InSync | Freshness::Lagging(_))
    }

    /// The names of those who could still accept a token and have not applied the feed up to `position`. A verifier says that
    /// it has applied an entry of kind `keys` only once it has loaded the keys.
    pub(in crate::app) fn verifiers_behind(&self, position: FeedPosition) -> Vec<String> {
        self.0.feed.verifiers.tally(position, self.0.parts.clock.monotonic()).missing
    }

    /// Where the feed stands, and everyone who follows it by name.
    pub fn feed_state(&self) -> FeedStateBody {
        let now = self.0.parts.clock.monotonic();
        let (head, proven_until) = self.0.feed.log.head();
        let verifiers = self.0.feed.verifiers.list(now).into_iter().map(|(key, heard)| VerifierBody {
            client_id: key.client.map(|client| client.to_string()),
            name: key.name.to_string(),
            applied: feed_place(heard.applied),
            behind: head.position.seq.saturating_sub(heard.applied.seq).max(0),
            heard_ms_ago: millis(now.saturating_sub(heard.last_at)),
            accepts_for_ms: millis(heard.accepts_for),
        });
        FeedStateBody {
            head: head_body(head),
            age_ms: millis(now.saturating_sub(proven_until)),
            live_entries: self.revocations().len(),
            verifiers: verifiers.collect(),
        }
    }

    /// Everything that is counted.
    pub fn figures(&self) -> Vec<Figure> {
        let now = self.0.parts.clock.monotonic();
        let (head, proven_until) = self.0.feed.log.head();
        let counts = self.0.feed.verifiers.counts(head.position, now);
        let gauge = |name, help, value| Figure { name, help, kind: FigureKind::Gauge, label: None, value };
        let seconds = |duration: Duration| duration.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "nobody reads more than 15 digits off a graph")]
        let count = |number: usize| number as f64;
        #[expect(clippy::cast_precision_loss, reason = "nobody reads more than 15 digits off a graph")]
        let place = |number: i64| number as f64;
        let mut figures = vec![
            gauge("counterfoil_feed_epoch", "The life of the store.", place(head.position.epoch.0)),
            gauge("counterfoil_feed_seq", "The newest entry of the feed.", place(head.position.seq)),
            gauge(
                "counterfoil_feed_age_seconds",
                "How old this process's knowledge of the feed is.",
                seconds(now.saturating_sub(proven_until)),
            ),
            gauge(
                "counterfoil_feed_entries_live",
                "Revocations in memory that could still matter to a token.",
                count(self.revocations().len()),
            ),
            gauge("counterfoil_verifiers_live", "Verifiers that could still accept a token.", count(counts.live)),
            gauge(
                "counterfoil_verifiers_behind",
                "Those of them that have not applied the newest entry.",
                count(counts.behind),
            ),
            gauge(
                "counterfoil_verifiers_stale",
                "Those of them that were not heard of for five seconds.",
                count(counts.stale),
            ),
        ];
        self.0.feed.figures.append_to(&mut figures);
        figures
    }
}
