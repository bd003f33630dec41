//! One question for news: `GET /v1/feed`.

use super::{
    clock::Shown,
    entries::{self, Page},
    error::{Failure, FollowError},
    shared::Shared,
    telemetry,
};
use counterfoil_domain::{
    revocation::{FeedHead, proven_until},
    time::{Clock, UnixMillis},
};
use counterfoil_wire::FeedBody;
use reqwest::Url;
use std::time::Duration;

/// How long the server may hold a question while there is nothing to say. Half as long as an answer is as good as new: a quiet
/// feed keeps a verifier in sync with two questions a second, and one that is cut off notices at most so much early.
pub(crate) const HELD_FOR: Duration = Duration::from_millis(500);
/// A server that does not hold questions is asked no more often than this while it has nothing to say.
pub(crate) const QUIET_PAUSE: Duration = Duration::from_millis(250);
/// So much longer an answer may take.
const GRACE: Duration = Duration::from_secs(2);
/// A thousand entries have some 300 kB.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// After which place.
    pub(crate) after: FeedHead,
    /// Whether the place is told as that of this verifier: then everything up to there is acknowledged by it.
    pub(crate) is_acknowledged: bool,
    /// How long it may be held.
    pub(crate) wait: Duration,
}

/// What came, and until when it proves what it says.
pub(crate) struct News {
    pub(crate) page: Page,
    pub(crate) proven_until: Duration,
    /// What the server's clock showed.
    pub(crate) clock: Shown,
    /// The server had nothing to say and said so at once, although it might have held the question.
    pub(crate) was_hasty: bool,
}

impl Shared {
    /// Asks for news.
    pub(crate) async fn ask(&self, question: Question) -> Result<News, Failure> {
        let url = self.question_url(&self.feed_url()?, question);
        let sent_at = self.clock.monotonic();
        let answer = self.http.get(&url, question.wait + GRACE, PAGE_BYTES_MAX).await?;
        let received_at = self.clock.monotonic();
        let body: FeedBody = serde_json::from_slice(&answer.body).map_err(Failure::unreadable)?;
        let (held, age) = (Duration::from_millis(body.held_ms), Duration::from_millis(body.age_ms));
        telemetry::poll();
        Ok(News {
            page: entries::page(&body)?,
            proven_until: proven_until(sent_at, received_at, held, age),
            clock: Shown { now: UnixMillis::from_millis(body.now_ms), sent_at, received_at, held },
            was_hasty: body.entries.is_empty() && question.wait > QUIET_PAUSE && held < QUIET_PAUSE,
        })
    }

    /// Says that this verifier goes, so that nobody waits for it.
    pub(crate) async fn say_goodbye(&self) -> Result<(), Failure> {
        let question = Question { after: self.revocations.applied(), is_acknowledged: true, wait: Duration::ZERO };
        let mut url = self.question_url(&self.feed_url()?, question);
        url.query_pairs_mut().append_pair("leaving", "true");
        self.http.get(&url, HELD_FOR, PAGE_BYTES_MAX).await.map(drop)
    }

    /// Where the feed is.
    pub(crate) fn feed_url(&self) -> Result<Url, Failure> {
        let endpoints = self.endpoints();
        let feed = endpoints.and_then(|endpoints| endpoints.feed.clone());
        Ok(feed.ok_or_else(|| FollowError::NoFeed { issuer: self.target.issuer.clone() })?)
    }

    fn question_url(&self, feed: &Url, question: Question) -> Url {
        let FeedHead { position, chain } = question.after;
        let mut url = feed.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("epoch", &position.epoch.0.to_string())
            .append_pair("after", &position.seq.to_string())
            // As it is written is as it travels: lower-case hexadecimal.
            .append_pair("chain", &format!("{chain:?}"))
            .append_pair("wait", &format!("{}ms", question.wait.as_millis()));
        if question.is_acknowledged {
            query
                .append_pair("verifier", &self.verifier)
                .append_pair("accepts_for", &format!("{}s", self.accepts_for_seconds()));
        }
        drop(query);
        url
    }
}
