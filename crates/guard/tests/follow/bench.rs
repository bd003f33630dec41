//! A guard and its server on the bench.

use crate::{
    recorder::Kept,
    server::{NOW_SECONDS, SECRET, Server},
};
use axum::http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use counterfoil_domain::{
    id::{AccountId, SessionId, TokenId},
    time::{Clock, UnixMillis},
};
use counterfoil_guard::{Follow, Guard, GuardState};
use counterfoil_jwt::{Algorithm, KeyId, SigningKey, sign};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);
pub(crate) const SESSION: SessionId = SessionId::from_bytes([2; 16]);
pub(crate) const TOKEN: TokenId = TokenId::from_bytes([3; 16]);

pub(crate) fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa).unwrap().with_key_id(KeyId::new(kid).unwrap())
}

/// The service's clocks. Both go on by themselves, and can be set.
pub(crate) struct Hands {
    started: Instant,
    wall_ms: AtomicI64,
    skipped_ms: AtomicU64,
}

impl Hands {
    pub(crate) fn new() -> Arc<Self> {
        let (wall_ms, skipped_ms) = (AtomicI64::new(NOW_SECONDS * 1_000), AtomicU64::new(1_000_000));
        Arc::new(Self { started: Instant::now(), wall_ms, skipped_ms })
    }

    /// Somebody sets the wall clock.
    pub(crate) fn set_wall(&self, by_ms: i64) {
        self.wall_ms.fetch_add(by_ms, Relaxed);
    }

    /// Time passes in which nothing runs: the machine slept, or the process was stopped.
    pub(crate) fn pass(&self, duration: Duration) {
        self.skipped_ms.fetch_add(u64::try_from(duration.as_millis()).unwrap(), Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.wall_ms.load(Relaxed)).plus(self.started.elapsed())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.skipped_ms.load(Relaxed))
    }
}

pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) hands: Arc<Hands>,
    pub(crate) metrics: Arc<Kept>,
    pub(crate) log: Log,
    // Dropped last.
    _metrics: metrics::LocalRecorderGuard<'static>,
    _log: tracing::subscriber::DefaultGuard,
}

impl Bench {
    /// A server, and ears for what is logged and counted on this thread.
    pub(crate) async fn new() -> Self {
        let metrics = Arc::<Kept>::default();
        // Tests are few and each lives as long as its process nearly does.
        let leaked: &'static Arc<Kept> = Box::leak(Box::new(Arc::clone(&metrics)));
        let listening = metrics::set_default_local_recorder(&**leaked);
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
        let logging = tracing::subscriber::set_default(subscriber);
        let (server, hands) = (Server::start().await, Hands::new());
        Self { server, hands, metrics, log, _metrics: listening, _log: logging }
    }

    /// A guard to be, as most tests want it.
    pub(crate) fn follow(&self) -> Follow {
        let clock: Arc<dyn Clock> = self.hands.clone();
        Guard::follow(&self.server.issuer).client("billing", SECRET).audience(AUDIENCE).name("billing").clock(clock)
    }

    /// One that is ready.
    pub(crate) async fn guard(&self) -> Guard {
        let guard = self.follow().start().await.unwrap();
        assert_eq!(guard.status().state, GuardState::InSync, "{:?}\n{}", guard.status(), self.log.text());
        guard
    }

    /// The claims of a good token.
    pub(crate) fn claims(&self) -> Value {
        let now = self.server.now().as_seconds();
        json!({
            "iss": self.server.issuer,
            "sub": ACCOUNT.to_string(),
            "aud": AUDIENCE,
            "exp": now + 1_800,
            "iat": now,
            "nbf": now,
            "jti": TOKEN.to_string(),
            "client_id": "app",
            "scope": "read write",
            "sid": SESSION.to_string(),
            "gen": 4,
            "auth_time": now,
            "amr": ["pwd"],
        })
    }

    pub(crate) fn token(&self) -> String {
        sign(&self.server.key, "at+jwt", &self.claims()).unwrap()
    }

    pub(crate) fn token_with(&self, name: &str, value: impl Into<Value>) -> String {
        sign(&self.server.key, "at+jwt", &self.claims_of(name, value)).unwrap()
    }

    /// The claims with one changed.
    pub(crate) fn claims_of(&self, name: &str, value: impl Into<Value>) -> Value {
        let mut claims = self.claims();
        claims[name] = value.into();
        claims
    }
}

/// The code of the guard's answer to a request; empty if it is let in.
pub(crate) async fn ask(guard: &Guard, method: Method, token: &str) -> &'static str {
    guard.authenticate(&method, &bearer(token)).await.err().map_or("", |rejection| rejection.code())
}

pub(crate) async fn get(guard: &Guard, token: &str) -> &'static str {
    ask(guard, Method::GET, token).await
}

pub(crate) async fn post(guard: &Guard, token: &str) -> &'static str {
    ask(guard, Method::POST, token).await
}

pub(crate) fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap())])
}

/// Waits for something that comes by itself. The limit is for tests that fail: none measures by it.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

pub(crate) async fn until_answer(guard: &Guard, token: &str, code: &str) {
    for _ in 0..3_000 {
        if get(guard, token).await == code {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never answered `{code}`: {:?}", guard.status());
}

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.text().contains(text)
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
