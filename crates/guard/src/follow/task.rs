//! The task that follows the feed: find the server, load everything, ask for news, and again from wherever it breaks off.
//!
//! Two places matter. What is *applied* is where the ledger stands; it moves with every page, whatever happens. What is
//! *acknowledged* is what the server is told: it stays below an entry that says that the keys have changed until they are
//! loaded, because the server starts to sign with a new key when everybody has acknowledged that. While it waits, news are
//! asked for without a name, so that revocations flow and freshness is proven, and the name is told with the older place.

use super::{
    backoff,
    clock::Shown,
    error::{Failure, FailureKind},
    poll::{HELD_FOR, News, QUIET_PAUSE, Question},
    shared::{Shared, Stage},
    snapshot::{self, Loaded},
    telemetry,
};
use counterfoil_domain::{
    revocation::{Anomaly, FeedHead, Freshness, Next, Revocation, proven_until},
    time::{Clock, UnixMillis},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{oneshot, watch};

/// How long a snapshot may take to begin.
const SNAPSHOT_BEGINS_WITHIN: Duration = Duration::from_secs(5);
/// How long a start waits for the keys before it tries again.
const KEYS_WITHIN: Duration = Duration::from_secs(3);

/// A snapshot whose entries are applied.
#[derive(Clone, Copy)]
struct Held {
    loaded: Loaded,
    proven_until: Duration,
    clock: Shown,
}

/// See the module.
pub(crate) struct FeedTask {
    shared: Arc<Shared>,
    /// What the server was told last.
    acknowledged: Option<FeedHead>,
    /// The newest version of the key set that is loaded.
    keys_version: Option<i64>,
    /// The fetch that must be over before more is acknowledged, and the version that it brings.
    keys_pending: Option<(u64, i64)>,
    /// A first snapshot, applied, that waits for the rest of what is needed before a request is let in.
    held: Option<Held>,
    /// How often something went wrong in a row.
    failures: u32,
}

impl FeedTask {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, acknowledged: None, keys_version: None, keys_pending: None, held: None, failures: 0 }
    }

    /// Follows until told to stop. The first outcome, whether it is ready or not, goes to `first`.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>, first: oneshot::Sender<Result<(), Failure>>) {
        let mut first = Some(first);
        loop {
            let outcome = tokio::select! {
                biased;
                // An error is the guard gone.
                _ = stop.wait_for(|stop| *stop) => break,
                outcome = self.step() => outcome,
            };
            let pause = match &outcome {
                Ok(pause) => *pause,
                Err(failure) => self.after(failure),
            };
            let is_settled = outcome.is_err() || self.shared.revocations.is_loaded();
            if let Some(first) = first.take_if(|_| is_settled) {
                // Nobody waits any more: then it is in the log.
                let _ = first.send(outcome.map(drop));
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        if self.acknowledged.is_some() && self.shared.say_goodbye().await.is_err() {
            tracing::debug!("the server could not be told that this verifier goes: it will wait for it for a while");
        }
    }

    /// Does the next thing, and tells how long to rest after it.
    async fn step(&mut self) -> Result<Duration, Failure> {
        match self.shared.stage() {
            Stage::Discovering => {
                let target = &self.shared.target;
                let endpoints = target.discover(&self.shared.http, &[target.oauth_metadata()?]).await?;
                self.shared.found(endpoints);
                self.shared.feed_url()?;
                self.shared.enter(Stage::Loading);
                Ok(Duration::ZERO)
            }
            Stage::Loading if self.shared.revocations.is_loaded() => {
                let held = self.load().await?;
                // Taken or not: one that is not believed is answered by a question, which says how far was read.
                self.shared.enter(Stage::Following);
                self.take(&held)?;
                let before = self.acknowledged.unwrap_or_default();
                self.keys_named(held.loaded.keys_version, before);
                Ok(Duration::ZERO)
            }
            Stage::Loading => self.first_load().await,
            Stage::Following => self.follow().await,
        }
    }

    /// From nothing to letting requests in: the entries, the keys that they speak of, and the server's knowing of us. In
    /// this order: keys are fetched after a snapshot that names their version, and nothing is let in while the server could
    /// say "everywhere" without us.
    async fn first_load(&mut self) -> Result<Duration, Failure> {
        let held = match self.held {
            Some(held) => held,
            None => self.load().await?,
        };
        self.held = Some(held);
        let keys = &self.shared.keys;
        let number = keys.load_anew(false);
        let late = |_| Failure::unreadable("the key set does not come");
        tokio::time::timeout(KEYS_WITHIN, keys.tried(number)).await.map_err(late)??;
        self.keys_version = held.loaded.keys_version;
        let question = Question { after: held.loaded.head, is_acknowledged: true, wait: Duration::ZERO };
        let news = self.shared.ask(question).await?;
        self.held = None;
        if let Some(anomaly) = news.page.resync {
            return Err(Failure::Anomaly(anomaly));
        }
        self.take(&held)?;
        self.acknowledged = Some(held.loaded.head);
        self.shared.enter(Stage::Following);
        self.read(news)
    }

    async fn load(&self) -> Result<Held, Failure> {
        let mut url = self.shared.feed_url()?;
        url.set_path(&format!("{}/snapshot", url.path().trim_end_matches('/')));
        let sent_at = self.shared.clock.monotonic();
        let loaded = async {
            let mut body = self.shared.http.open(&url, SNAPSHOT_BEGINS_WITHIN).await?;
            let begun_at = self.shared.clock.monotonic();
            let loaded = snapshot::load(&mut body, &self.shared.revocations).await?;
            let (now, held) = (UnixMillis::from_millis(loaded.now_ms), Duration::ZERO);
            let clock = Shown { now, sent_at, received_at: begun_at, held };
            Ok(Held { loaded, clock, proven_until: proven_until(sent_at, begun_at, held, loaded.age) })
        }
        .await;
        telemetry::snapshot(if loaded.is_ok() { "ok" } else { "failed" });
        loaded
    }

    fn take(&self, held: &Held) -> Result<(), Failure> {
        let now = self.shared.clock.monotonic();
        let (revocations, place) = (&self.shared.revocations, held.loaded.head);
        if !revocations.take_snapshot(place, held.proven_until, now) {
            let is_older = place.position.epoch < revocations.applied().position.epoch;
            return Err(Failure::Anomaly(if is_older { Anomaly::OlderEpoch } else { Anomaly::Rewound }));
        }
        self.shared.is_kept_for(held.loaded.kept_for);
        self.shared.clock.learn(held.clock);
        Ok(())
    }

    /// Asks for news from where we are.
    async fn follow(&mut self) -> Result<Duration, Failure> {
        let after = self.shared.revocations.applied();
        let named = Question { after, is_acknowledged: true, wait: HELD_FOR };
        let Some((number, version)) = self.keys_pending else {
            let news = self.shared.ask(named).await?;
            self.acknowledged = Some(after);
            return self.read(news);
        };
        let unnamed = Question { is_acknowledged: false, ..named };
        let told = self.acknowledged.map(|after| Question { after, is_acknowledged: true, wait: Duration::ZERO });
        let say_so = async {
            // That it was heard is all; what it is answered comes by the other question as well.
            if let Some(told) = told {
                drop(self.shared.ask(told).await);
            }
        };
        let asked = async { tokio::join!(self.shared.ask(unnamed), say_so).0 };
        tokio::select! {
            biased;
            () = self.shared.keys.loaded(number) => {
                self.keys_pending = None;
                self.keys_version = Some(version);
                // At once, and with the name: somebody may wait for just this.
                Ok(Duration::ZERO)
            }
            news = asked => self.read(news?),
        }
    }

    /// Applies what came.
    fn read(&mut self, News { page, proven_until, clock, was_hasty }: News) -> Result<Duration, Failure> {
        let revocations = &self.shared.revocations;
        let (before, now) = (revocations.applied(), self.shared.clock.monotonic());
        let next = match (page.resync, &page.unread) {
            (Some(anomaly), _) => revocations.told(anomaly, page.content.head, proven_until, now),
            (None, Some(failure)) => {
                // What can be read is applied; a proof of knowing everything it is not.
                revocations.apply(page.content.entries.iter().map(|entry| &entry.draft));
                return Err(failure.clone());
            }
            (None, None) => revocations.read(&page.content, proven_until, now),
        };
        if matches!(next, Next::Wait | Next::ReadOn) {
            self.shared.clock.learn(clock);
            let mut below = before;
            for entry in &page.content.entries {
                self.shared.is_kept_for(entry.draft.drop_at.since(entry.draft.at));
                if let Revocation::Keys { version } = entry.draft.revocation {
                    self.keys_named(Some(version), below);
                }
                below = entry.head;
            }
        }
        match next {
            Next::Wait => {
                self.failures = 0;
                self.shared.went_well();
                Ok(if was_hasty { QUIET_PAUSE } else { Duration::ZERO })
            }
            Next::ReadOn => Ok(Duration::ZERO),
            Next::LoadSnapshot(anomaly) => {
                self.shared.enter(Stage::Loading);
                Err(Failure::Anomaly(anomaly))
            }
            Next::Disregard(anomaly) => Err(Failure::Anomaly(anomaly)),
        }
    }

    /// The key set has changed, which stands just after `below`.
    fn keys_named(&mut self, version: Option<i64>, below: FeedHead) {
        let Some(version) = version.filter(|version| Some(*version) > self.keys_version) else { return };
        if self.keys_pending.is_none() {
            self.acknowledged = Some(below);
        }
        self.keys_pending = Some((self.shared.keys.load_anew(true), version));
    }

    /// How long to rest after something went wrong.
    fn after(&mut self, failure: &Failure) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.shared.went_wrong(failure, self.failures);
        // An address that is gone may be another one by now.
        if matches!(failure, Failure::Status { status: 404 | 410, .. }) {
            self.shared.enter(Stage::Discovering);
        }
        let cap = match self.shared.freshness() {
            // The server counts wrong secrets, and would shut out everybody at this address.
            _ if failure.kind() == FailureKind::Configuration => backoff::CAP_FOR_CONFIGURATION,
            Freshness::InSync | Freshness::Lagging(_) => backoff::CAP_WHILE_FRESH,
            Freshness::Cold if self.failures <= 8 => backoff::CAP_WHILE_FRESH,
            Freshness::Cold | Freshness::Stale(_) => backoff::CAP_WHEN_STALE,
        };
        backoff::delay(self.failures, cap, self.shared.random())
    }
}
