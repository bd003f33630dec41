//! One question of a verifier: what is new after the place that I have applied?

use super::{
    log::{LogPage, head_body},
    verifiers::{ACCEPTS_FOR_MAX, Heard, VerifierKey},
};
use crate::app::{App, AppError};
use bytes::Bytes;
use counterfoil_domain::{
    client::{ClientId, VerifierName},
    revocation::{Anomaly, Chain, FeedHead, FeedPosition},
};
use counterfoil_guard::Rejection;
use counterfoil_wire::FeedBody;
use std::time::Duration;
use tokio::{sync::oneshot, time::sleep};

/// The longest that a question is held.
pub const POLL_WAIT_MAX: Duration = Duration::from_secs(10);

/// What a verifier asks.
#[derive(Clone, Debug, Default)]
pub struct FeedQuestion {
    /// How far it has applied the feed; without it the answer is where the feed stands, and no entries.
    pub place: Option<FeedPosition>,
    /// The chain up to there, by which another history is noticed.
    pub chain: Option<Chain>,
    /// How long the question may be held while there is nothing to say.
    pub wait: Duration,
    /// What it calls itself. `place` is then its word that it has applied everything up to there.
    pub verifier: Option<VerifierName>,
    /// How long it may go on accepting tokens without hearing from here.
    pub accepts_for: Option<Duration>,
    /// It goes, and accepts nothing any more.
    pub leaving: bool,
}

/// What it is answered.
pub struct FeedAnswer {
    head: FeedHead,
    /// In JSON, separated by commas.
    entries: Result<Bytes, Anomaly>,
    now_ms: i64,
    held: Duration,
    age: Duration,
}

impl FeedAnswer {
    /// The answer's body in three pieces, to be sent one after the other. The middle one, the entries, may be shared with
    /// other answers.
    pub fn into_json(self) -> [Bytes; 3] {
        let (entries, resync) = match self.entries {
            Ok(entries) => (entries, None),
            Err(anomaly) => (Bytes::new(), Some(anomaly.as_str().into())),
        };
        let body = FeedBody {
            head: head_body(self.head),
            entries: Vec::new(),
            resync,
            now_ms: self.now_ms,
            held_ms: millis(self.held),
            // Up, as what was held goes down: a proof must not grow by a fraction.
            age_ms: millis(self.age + FRACTION),
        };
        let text = serde_json::to_string(&body).unwrap_or_default();
        // The body with no entries, and theirs in their place.
        let (before, after) = text.split_once("[]").unwrap_or((&text, ""));
        [format!("{before}[").into(), entries, format!("]{after}").into()]
    }
}

/// What is lost of a duration in whole milliseconds, at most.
const FRACTION: Duration = Duration::from_nanos(999_999);

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl App {
    /// Answers a verifier, from memory. While there is nothing to say the question is held, until `shutdown` completes at
    /// the latest. `client` is who has proven to be asking, if anybody had to.
    ///
    /// # Errors
    /// Not ready; too many verifiers, or too many polls without a name.
    pub async fn answer_poll(
        &self,
        question: FeedQuestion,
        client: Option<&ClientId>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<FeedAnswer, AppError> {
        let received_at = self.0.parts.clock.monotonic();
        if !self.revocations().is_loaded() {
            return Err(Rejection::NotReady.into());
        }
        let key = question.verifier.clone().map(|name| VerifierKey { client: client.cloned(), name });
        let judged = match question.place {
            Some(place) => self.judge_verifier(place, question.chain, key.as_ref()).await,
            None => Ok(()),
        };
        let superseded = match &key {
            Some(key) => self.hear(key, &question, judged.err(), received_at)?,
            None => None,
        };
        if judged.is_ok() && !question.leaving {
            self.hold(&question, superseded, shutdown).await?;
        }

        // In this order: what is read now is everything that was written until `read_at` less its age.
        let read_at = self.0.parts.clock.monotonic();
        let LogPage { head, proven_until, entries } =
            self.0.feed.log.page(question.place.map(|place| (place, question.chain)));
        if let Some(key) = key.filter(|_| !question.leaving) {
            self.0.feed.verifiers.answered(&key, read_at);
        }
        self.0.feed.figures.polls.add();
        Ok(FeedAnswer {
            head,
            entries: judged.and(entries).or_else(|anomaly| self.after_anomaly(anomaly, head, &question)),
            now_ms: self.now().as_millis(),
            held: read_at.saturating_sub(received_at),
            age: read_at.saturating_sub(proven_until),
        })
    }

    /// What was wrong when the question came may not be any more: a new epoch was begun meanwhile.
    fn after_anomaly(&self, anomaly: Anomaly, head: FeedHead, question: &FeedQuestion) -> Result<Bytes, Anomaly> {
        let is_of_earlier_life = question.place.is_some_and(|place| place.epoch < head.position.epoch);
        let told = if is_of_earlier_life { Anomaly::NewEpoch } else { anomaly };
        self.0.feed.figures.resyncs.add(told);
        Err(told)
    }

    /// Takes down who polls; gives what ends the hold when the same verifier polls anew.
    fn hear(
        &self,
        key: &VerifierKey,
        question: &FeedQuestion,
        anomaly: Option<Anomaly>,
        at: Duration,
    ) -> Result<Option<oneshot::Receiver<()>>, AppError> {
        let verifiers = &self.0.feed.verifiers;
        if question.leaving {
            verifiers.left(key);
            return Ok(None);
        }
        let accepts_for = question.accepts_for.unwrap_or(ACCEPTS_FOR_MAX).min(ACCEPTS_FOR_MAX);
        let applied = question.place.unwrap_or_default();
        let heard = Heard { applied, anomaly, applied_at: at, last_at: at, accepts_for };
        let superseded = verifiers.heard(key.clone(), heard);
        superseded.map(Some).map_err(|_| AppError::TooManyVerifiers)
    }

    /// Holds the question while there is nothing to say.
    async fn hold(
        &self,
        question: &FeedQuestion,
        superseded: Option<oneshot::Receiver<()>>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), AppError> {
        let feed = &self.0.feed;
        let Some(place) = question.place.filter(|place| *place == feed.log.head().0.position) else { return Ok(()) };
        if question.wait.is_zero() {
            return Ok(());
        }
        let _place = match &superseded {
            Some(_) => None,
            None => Some(feed.nameless.try_acquire().map_err(|_| AppError::TooManyVerifiers)?),
        };
        let another_poll = async {
            match superseded {
                Some(superseded) => drop(superseded.await),
                None => std::future::pending().await,
            }
        };
        let _held = feed.figures.held.enter();
        tokio::select! {
            () = feed.log.moved_from(place) => {}
            () = sleep(question.wait.min(POLL_WAIT_MAX)) => {}
            () = another_poll => {}
            () = shutdown => {}
        }
        Ok(())
    }
}
