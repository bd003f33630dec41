//! A guard on the bench: one key, a clock to turn, tokens to mint.

use crate::sessions::Sessions;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response},
    routing::get,
};
use counterfoil_domain::{
    account::AccountGeneration,
    entropy::Entropy,
    id::{AccountId, FeedEntryId, SessionId, TokenId},
    policy::SessionPolicy,
    revocation::{FeedHead, Revocation, RevocationDraft},
    time::{Clock, UnixMillis},
};
use counterfoil_guard::{CookieRules, CurrentUser, Guard, GuardOptions, Rejection, Revocations};
use counterfoil_jwt::{Algorithm, KeyId, KeySet, Policy, SigningKey, sign};
use serde_json::{Value, json};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};
use tower::ServiceExt;

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const LEEWAY_SECONDS: u64 = 5;
/// When tokens are minted unless a test says otherwise.
pub(crate) const NOW_SECONDS: i64 = 1_800_000_000;
pub(crate) const LIFETIME_SECONDS: i64 = 1_800;
pub(crate) const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);
pub(crate) const SESSION: SessionId = SessionId::from_bytes([2; 16]);
pub(crate) const TOKEN: TokenId = TokenId::from_bytes([3; 16]);
pub(crate) const GENERATION: AccountGeneration = AccountGeneration::from_raw(4);
pub(crate) const KID: &str = "k1";

/// A clock that a test turns.
pub(crate) struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> UnixMillis {
        UnixMillis::from_seconds(self.0.load(Relaxed))
    }
}

/// Ids of feed entries need not differ here.
pub(crate) struct Ones;

impl Entropy for Ones {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
}

pub(crate) struct Bench {
    pub(crate) key: SigningKey,
    pub(crate) guard: Guard,
    pub(crate) revocations: Arc<Revocations>,
    /// What the guard looks up, if it does.
    pub(crate) sessions: Arc<Sessions>,
    clock: Arc<Hands>,
}

/// The rules of the guard on the bench.
pub(crate) fn policy() -> Policy {
    let policy = Policy::new(Algorithm::EdDsa).issuer(ISSUER).audience(AUDIENCE).token_type("at+jwt");
    policy.leeway_seconds(LEEWAY_SECONDS)
}

/// A new key of this name.
pub(crate) fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa).unwrap().with_key_id(KeyId::new(kid).unwrap())
}

/// A set with the public halves.
pub(crate) fn set(keys: &[&SigningKey]) -> KeySet {
    let mut set = KeySet::default();
    for key in keys {
        set.add(key.verifying_key().clone()).unwrap();
    }
    set
}

/// The claims of a good token.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": ACCOUNT.to_string(),
        "aud": AUDIENCE,
        "exp": NOW_SECONDS + LIFETIME_SECONDS,
        "iat": NOW_SECONDS,
        "nbf": NOW_SECONDS,
        "jti": TOKEN.to_string(),
        "client_id": "app",
        "scope": "read write",
        "sid": SESSION.to_string(),
        "gen": GENERATION.as_raw(),
        "auth_time": NOW_SECONDS - 60,
        "amr": ["pwd"],
    })
}

/// The claims with one changed; `null` takes it out.
pub(crate) fn claims_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    match value.into() {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

/// One step of something that waits.
pub(crate) fn step<F: Future>(waiting: &mut Pin<&mut F>) -> Poll<F::Output> {
    waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// The headers of a request.
pub(crate) fn headers(fields: &[(&'static str, &[u8])]) -> HeaderMap {
    let fields = fields.iter();
    fields.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())).collect()
}

/// `Authorization: Bearer …`, alone.
pub(crate) fn bearer(token: &str) -> HeaderMap {
    headers(&[("authorization", format!("Bearer {token}").as_bytes())])
}

/// The session cookie, alone.
pub(crate) fn session_cookie(value: &str) -> HeaderMap {
    headers(&[("cookie", format!("__Host-counterfoil-session={value}").as_bytes())])
}

/// The access cookie, alone.
pub(crate) fn access_cookie(value: &str) -> HeaderMap {
    headers(&[("cookie", format!("__Host-counterfoil-access={value}").as_bytes())])
}

impl Bench {
    /// A guard whose revocations are loaded.
    pub(crate) fn new() -> Self {
        let bench = Self::cold();
        bench.revocations.take_snapshot(FeedHead::default(), std::time::Duration::ZERO, std::time::Duration::ZERO);
        bench
    }

    /// A guard that has not read the feed yet.
    pub(crate) fn cold() -> Self {
        Self::cold_with(GuardOptions::default())
    }

    /// A guard that remembers no more than so many tokens.
    pub(crate) fn remembering(verified_tokens_max: usize) -> Self {
        let bench = Self::cold_with(GuardOptions { verified_tokens_max, ..GuardOptions::default() });
        bench.revocations.take_snapshot(FeedHead::default(), std::time::Duration::ZERO, std::time::Duration::ZERO);
        bench
    }

    /// A guard that takes cookies and looks sessions up.
    pub(crate) fn with_sessions() -> Self {
        let bench = Self::cold_with_sessions();
        bench.revocations.take_snapshot(FeedHead::default(), std::time::Duration::ZERO, std::time::Duration::ZERO);
        bench
    }

    /// The same, and it has not read the feed yet.
    pub(crate) fn cold_with_sessions() -> Self {
        let sessions = Arc::<Sessions>::default();
        let options = GuardOptions {
            cookies: Some(CookieRules::new(ISSUER)),
            lookup: Some(sessions.clone()),
            ..GuardOptions::default()
        };
        Self { sessions, ..Self::cold_with(options) }
    }

    fn cold_with(options: GuardOptions) -> Self {
        let key = key(KID);
        let (revocations, clock) = (Arc::<Revocations>::default(), Arc::new(Hands(AtomicI64::new(NOW_SECONDS))));
        let keys = set(&[&key]);
        let guard = Guard::with_options(policy(), keys, Arc::clone(&revocations), clock.clone(), options);
        Self { key, guard, revocations, sessions: Arc::default(), clock }
    }

    /// A guard with other options, and with the same rules, key, revocations and clock.
    pub(crate) fn guard_with(&self, options: GuardOptions) -> Guard {
        let keys = set(&[&self.key]);
        Guard::with_options(policy(), keys, Arc::clone(&self.revocations), self.clock.clone(), options)
    }

    /// A guard with other rules, and with the same key, revocations and clock.
    pub(crate) fn another_guard(&self, policy: Policy) -> Guard {
        self.another_guard_with(policy, set(&[&self.key]))
    }

    /// A guard with other rules and keys, and with the same revocations and clock.
    pub(crate) fn another_guard_with(&self, policy: Policy, keys: KeySet) -> Guard {
        Guard::new(policy, keys, Arc::clone(&self.revocations), self.clock.clone())
    }

    pub(crate) fn turn_clock_to(&self, seconds: i64) {
        self.clock.0.store(seconds, Relaxed);
    }

    /// A token with these claims, signed by the key that the guard knows.
    pub(crate) fn mint(&self, claims: &Value) -> String {
        sign(&self.key, "at+jwt", claims).unwrap()
    }

    pub(crate) fn good_token(&self) -> String {
        self.mint(&claims())
    }

    /// What the guard says to a token.
    pub(crate) fn verdict(&self, token: &str) -> Result<CurrentUser, Rejection> {
        self.guard.authenticate_token(token)
    }

    /// The code of its refusal; empty if it lets the token in.
    pub(crate) fn code(&self, token: &str) -> &'static str {
        self.verdict(token).err().map_or("", |rejection| rejection.code())
    }

    /// The code of the guard's answer to a request with these headers, empty if it is let in, and how many look-ups and
    /// verifications it took.
    pub(crate) async fn asked(&self, method: &Method, headers: &HeaderMap) -> (&'static str, u64, u64) {
        let (lookups, verifications) = (self.sessions.lookups(), self.guard.verifications());
        let verdict = self.guard.authenticate(method, headers).await;
        let code = verdict.err().map_or("", |rejection| rejection.code());
        (code, self.sessions.lookups() - lookups, self.guard.verifications() - verifications)
    }

    /// The code of the guard's answer to a request that reads, and how many look-ups it took.
    pub(crate) async fn read(&self, headers: &HeaderMap) -> (&'static str, u64) {
        let (code, lookups, _) = self.asked(&Method::GET, headers).await;
        (code, lookups)
    }

    /// A token of this policy.
    pub(crate) fn token_of(&self, policy: SessionPolicy) -> String {
        self.mint(&claims_with("policy", policy.as_str()))
    }

    /// Applies an entry of the feed.
    pub(crate) fn revoke(&self, revocation: Revocation) {
        let at = UnixMillis::from_seconds(NOW_SECONDS);
        let drop_at = UnixMillis::from_seconds(NOW_SECONDS + LIFETIME_SECONDS + 65);
        let draft = RevocationDraft { id: FeedEntryId::generate(at, &Ones), at, drop_at, revocation };
        self.revocations.apply([&draft]);
    }

    /// Asks a handler that takes a `CurrentUser`, with these `Authorization` headers.
    pub(crate) async fn ask(&self, authorization: &[&str]) -> Response<Body> {
        let handler = get(|user: CurrentUser| async move { user.account().to_string() });
        let app = Router::new().route("/", handler).with_state(self.guard.clone());
        let request =
            authorization.iter().fold(Request::get("/"), |request, value| request.header("authorization", *value));
        app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }
}
