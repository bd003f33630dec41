//! The key set, fetched anew when its time has come, when the feed says that it has changed, and when a token names a key
//! that nobody knows.
//!
//! One task fetches, one set at a time, and everybody waits for the number of a fetch that *starts* after they asked: an
//! answer that was under way already may be older than what they ask about. A set that is empty or cannot be read never
//! takes the place of a good one.

use super::{
    backoff, cache_control,
    error::{Failure, FailureKind},
    http::Http,
    telemetry,
};
use bytes::Bytes;
use counterfoil_domain::{
    entropy::{Entropy, random_bytes},
    time::Clock,
};
use counterfoil_jwt::{AlgorithmSet, KeySet};
use parking_lot::Mutex;
use reqwest::Url;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, watch};

const KEYS_TIMEOUT: Duration = Duration::from_secs(2);
const KEYS_BYTES_MAX: usize = 512 * 1024;
/// Unknown keys make the set be fetched no more often than this, whoever names however many of them.
pub(crate) const UNKNOWN_KEY_COOL_DOWN: Duration = Duration::from_secs(10);
/// How long a request waits for the set that may have its key.
const UNKNOWN_KEY_WAIT: Duration = Duration::from_secs(2);
/// Over so much time services spread their fetches when the feed tells all of them at once.
const SPREAD: Duration = Duration::from_millis(100);

/// Takes a good set; `false` when nobody is there any more.
pub(crate) type TakeKeys = Box<dyn Fn(KeySet) -> bool + Send + Sync>;

/// The fetches of one key set.
pub(crate) struct KeySource {
    http: Arc<Http>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    algorithms: AlgorithmSet,
    state: Mutex<State>,
    asked: Notify,
    ended: watch::Sender<Ended>,
}

#[derive(Default)]
struct State {
    url: Option<Url>,
    /// The number of the last fetch that was started.
    started: u64,
    /// The number of a fetch that somebody waits for.
    wanted: u64,
    /// The same, for those who are not helped by a failure: it is tried again.
    needed: u64,
    /// Whether what is wanted may come a moment later.
    spread: bool,
    /// When a token last named an unknown key, and the fetch that it brought about.
    unknown_key: Option<(Duration, u64)>,
    /// The set in use, as it came.
    body: Bytes,
    fresh_for: Duration,
}

/// The last fetch that is over, the last that went well, and how many keys that brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    any: u64,
    well: u64,
    pub(crate) keys: usize,
    pub(crate) failure: Option<Failure>,
}

impl KeySource {
    pub(crate) fn new(
        http: Arc<Http>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        algorithms: AlgorithmSet,
    ) -> Self {
        let (state, ended) = (Mutex::default(), watch::Sender::default());
        Self { http, clock, entropy, algorithms, state, asked: Notify::new(), ended }
    }

    /// Where the set is.
    pub(crate) fn found_at(&self, url: Url) {
        self.state.lock().url = Some(url);
        self.asked.notify_one();
    }

    /// How many keys are held.
    pub(crate) fn len(&self) -> usize {
        self.ended.borrow().keys
    }

    /// Asks for a fetch that starts from now on, and is tried until it goes well. The number is for [`Self::loaded`].
    pub(crate) fn load_anew(&self, spread: bool) -> u64 {
        let mut state = self.state.lock();
        let number = state.started + 1;
        state.spread = spread && (state.spread || state.wanted < number);
        state.wanted = number;
        state.needed = number;
        drop(state);
        self.asked.notify_one();
        number
    }

    /// Waits until a fetch of this number or a later one has gone well.
    pub(crate) async fn loaded(&self, number: u64) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.ended.subscribe().wait_for(|ended| ended.well >= number).await;
    }

    /// Waits until a fetch of this number or a later one is over.
    ///
    /// # Errors
    /// What went wrong with it.
    pub(crate) async fn tried(&self, number: u64) -> Result<(), Failure> {
        match self.ended.subscribe().wait_for(|ended| ended.any >= number).await {
            Ok(ended) if ended.well >= number => Ok(()),
            Ok(ended) => Err(ended.failure.clone().unwrap_or_else(|| Failure::unreadable("no key set"))),
            Err(_) => Err(Failure::unreadable("no key set")),
        }
    }

    /// A token names an unknown key: see [`Upstream::load_unknown_key`](crate::upstream::Upstream::load_unknown_key).
    pub(crate) async fn load_unknown(&self) -> bool {
        let number = {
            let mut state = self.state.lock();
            let now = self.clock.monotonic();
            let recently = state.unknown_key.filter(|(at, _)| now.saturating_sub(*at) < UNKNOWN_KEY_COOL_DOWN);
            if let Some((_, number)) = recently {
                number
            } else {
                let number = state.started + 1;
                state.unknown_key = Some((now, number));
                state.wanted = number;
                state.spread = false;
                self.asked.notify_one();
                number
            }
        };
        // Those who come while it is cooled down find it over, and do not wait.
        let is_over_already = self.ended.borrow().any >= number;
        let waited = tokio::time::timeout(UNKNOWN_KEY_WAIT, self.tried(number)).await;
        !is_over_already && matches!(waited, Ok(Ok(())))
    }

    /// Fetches for ever, until nobody takes the keys.
    pub(crate) async fn run(&self, take: TakeKeys) {
        let (mut failures, mut next_in) = (0, None);
        loop {
            self.due(next_in).await;
            let (number, url) = self.start().await;
            let Some(url) = url else { continue };
            match self.fetch(&url, &take).await {
                Ok(Some(keys)) => {
                    failures = 0;
                    next_in = Some(self.state.lock().fresh_for);
                    self.ended.send_modify(|ended| {
                        *ended = Ended { any: number, well: number, keys, failure: None };
                    });
                    telemetry::key_fetch("ok");
                }
                Ok(None) => return,
                Err(failure) => {
                    failures += 1;
                    let is_needed = self.state.lock().needed > self.ended.borrow().well;
                    let cap = if is_needed { backoff::CAP_WHILE_FRESH } else { cache_control::SHORTEST };
                    next_in = Some(backoff::delay(failures, cap, self.random()));
                    telemetry::key_fetch(failure.kind().as_str());
                    tracing::warn!(%url, %failure, keys = self.len(), "the key set could not be fetched: those held stay");
                    self.ended.send_modify(|ended| {
                        ended.any = number;
                        ended.failure = Some(failure);
                    });
                }
            }
        }
    }

    /// Waits until somebody asks for the set, or its time has come. What was fetched and failed is not asked for again by
    /// those who only wanted to see.
    async fn due(&self, next_in: Option<Duration>) {
        let is_wanted = || {
            let state = self.state.lock();
            state.url.is_some() && state.wanted > state.started
        };
        let rest = async {
            match next_in {
                Some(next_in) => tokio::time::sleep(next_in).await,
                None => std::future::pending().await,
            }
        };
        let asked = async {
            while !is_wanted() {
                self.asked.notified().await;
            }
        };
        tokio::select! {
            () = asked => {}
            () = rest => {}
        }
    }

    async fn start(&self) -> (u64, Option<Url>) {
        if self.state.lock().spread {
            let spread_us = u64::try_from(SPREAD.as_micros()).unwrap_or(u64::MAX);
            tokio::time::sleep(Duration::from_micros(self.random() % spread_us.saturating_add(1))).await;
        }
        let mut state = self.state.lock();
        state.started += 1;
        state.spread = false;
        (state.started, state.url.clone())
    }

    /// How many keys came; `None` when nobody takes them.
    async fn fetch(&self, url: &Url, take: &TakeKeys) -> Result<Option<usize>, Failure> {
        let answer = self.http.get_public(url, KEYS_TIMEOUT, KEYS_BYTES_MAX).await?;
        let text = std::str::from_utf8(&answer.body).map_err(Failure::unreadable)?;
        let set = KeySet::from_json(text, self.algorithms)
            .map_err(|error| Failure::unreadable(format!("the key set: {error}")))?;
        if set.is_empty() {
            let detail = format!("the key set has no key that can be used ({} were left out)", set.skipped().len());
            return Err(Failure::Passing(FailureKind::Unreadable, detail));
        }
        let keys = set.len();
        let is_same = {
            let mut state = self.state.lock();
            state.fresh_for = cache_control::fresh_for(&answer.headers);
            std::mem::replace(&mut state.body, answer.body.clone()) == answer.body
        };
        // Other keys make the guard verify every token anew.
        Ok((is_same || take(set)).then_some(keys))
    }

    fn random(&self) -> u64 {
        u64::from_le_bytes(random_bytes(&*self.entropy))
    }
}
