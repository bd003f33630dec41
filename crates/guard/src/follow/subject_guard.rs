//! A guard for issuers that offer no feed: their keys are followed, and nothing else can be.

use super::{
    backoff,
    builder::Follow,
    discovery::Target,
    error::{Failure, FollowError},
    http::Http,
    keys::KeySource,
    subject::Subject,
    telemetry,
};
use crate::{Rejection, bearer};
use arc_swap::ArcSwap;
use counterfoil_domain::{
    entropy::{Entropy, random_bytes},
    scope::ScopeSet,
    time::{Clock, UnixMillis},
};
use counterfoil_jwt::{Error, KeySet, Policy, Verified, verify};
use counterfoil_wire::ACCESS_TOKEN_TYPE;
use http::HeaderMap;
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How long a start waits for the keys.
const START_WITHIN: Duration = Duration::from_secs(5);

/// Tells whom tokens of another issuer speak about: of any that publishes its keys. Cheap to clone.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use counterfoil_guard::{Guard, Subject};
///
/// async fn reports(subject: Subject) -> String {
///     format!("the reports of {}", subject.subject())
/// }
///
/// # async fn service() -> Result<(), Box<dyn std::error::Error>> {
/// let guard = Guard::follow("https://login.example.net").audience("reports").without_feed().start().await?;
/// let app: Router = Router::new().route("/reports", get(reports)).with_state(guard);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SubjectGuard(Arc<Inner>);

struct Inner {
    policy: Policy,
    keys: Arc<ArcSwap<KeySet>>,
    source: Arc<KeySource>,
    clock: Arc<dyn Clock>,
    /// When it goes, the task ends.
    _running: watch::Sender<()>,
}

/// A guard to be for an issuer without a feed: [`Follow::without_feed`].
#[must_use = "nothing is followed before `start`"]
pub struct FollowKeys {
    follow: Follow,
    token_type: Option<&'static str>,
}

impl Follow {
    /// Accepts that the issuer offers no feed: a sign-out there is not seen here before the token ends. Its metadata is
    /// looked for as OAuth has it (RFC 8414) and as OpenID Connect has it. What was said of clients, names and stale routes
    /// is for servers with a feed, and does not count.
    pub fn without_feed(self) -> FollowKeys {
        FollowKeys { follow: self, token_type: Some(ACCESS_TOKEN_TYPE) }
    }
}

impl FollowKeys {
    /// Accepts tokens of any `typ`. Without this it must be `at+jwt` (RFC 9068 §2.1), by which an ID token, which tells a
    /// client who signed in, is never taken for a key to a service. Issuers that set no `typ` need it: then see to it that
    /// the audience is that of this service and of no client.
    pub fn any_type(mut self) -> Self {
        self.token_type = None;
        self
    }

    /// Starts to follow the keys. Cold as [`Follow::start`] if the issuer does not answer.
    ///
    /// # Errors
    /// [`FollowError`]: something that no trying mends.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<SubjectGuard, FollowError> {
        let target = self.follow.target()?;
        // Whose tokens say which audience is for each issuer to say; a guess could take in what was meant for others.
        if self.follow.audiences.is_empty() {
            return Err(FollowError::NoAudience);
        }
        let policy = self.follow.policy();
        let policy = match self.token_type {
            Some(token_type) => policy.token_type(token_type),
            None => policy,
        };
        let addresses = [target.oauth_metadata()?, target.openid_metadata()?];
        let Follow { clock, entropy, algorithms, .. } = self.follow;
        // Everything that is asked for is public.
        let http = Arc::new(Http::new(None)?);
        let source = KeySource::new(Arc::clone(&http), Arc::clone(&clock), Arc::clone(&entropy), algorithms);
        let (source, keys) = (Arc::new(source), Arc::new(ArcSwap::default()));
        let (running, mut stop) = watch::channel(());
        let issuer = target.issuer.clone();
        tracing::warn!(issuer, "this issuer offers no feed: a sign-out is not seen here before the token ends");
        let found = find(&target, &http, &addresses, &source).await;
        if let Err(Failure::Configuration(error)) = found {
            return Err(error);
        }
        let (first, is_found) = (source.load_anew(false), found.is_ok());
        let (running_source, taken) = (Arc::clone(&source), Arc::clone(&keys));
        tokio::spawn(async move {
            let work = async {
                if found.is_err() {
                    find_for_ever(&target, &http, &addresses, &running_source, &*entropy).await;
                }
                let take = move |set: KeySet| {
                    taken.store(Arc::new(set));
                    true
                };
                running_source.run(Box::new(take)).await;
            };
            tokio::select! {
                _ = stop.changed() => {}
                () = work => {}
            }
        });
        let is_ready = is_found && matches!(tokio::time::timeout(START_WITHIN, source.tried(first)).await, Ok(Ok(())));
        if !is_ready {
            tracing::warn!(issuer, "the issuer gave no keys: the guard starts cold and goes on trying");
        }
        Ok(SubjectGuard(Arc::new(Inner { policy, keys, source, clock, _running: running })))
    }
}

async fn find(target: &Target, http: &Http, addresses: &[reqwest::Url], source: &KeySource) -> Result<(), Failure> {
    source.found_at(target.discover(http, addresses).await?.keys);
    Ok(())
}

async fn find_for_ever(
    target: &Target,
    http: &Http,
    addresses: &[reqwest::Url],
    source: &KeySource,
    entropy: &dyn Entropy,
) {
    let mut failures = 0;
    while let Err(failure) = find(target, http, addresses, source).await {
        failures += 1;
        telemetry::failure(failure.kind().as_str());
        tracing::warn!(issuer = target.issuer, %failure, "the issuer gives no metadata");
        let random = u64::from_le_bytes(random_bytes(entropy));
        tokio::time::sleep(backoff::delay(failures, backoff::CAP_WHEN_STALE, random)).await;
    }
}

impl SubjectGuard {
    /// Whom the bearer token of a request with these headers speaks about.
    ///
    /// # Errors
    /// [`Rejection`]: no token, one that is not good, or no keys yet.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Subject, Rejection> {
        let token = bearer::well_formed(bearer::presented(headers)?.ok_or(Rejection::NotPresented)?)?;
        let verdict = match self.verify(token) {
            Err(Error::UnknownKey) if self.0.source.len() == 0 => return Err(Rejection::NotReady),
            Err(Error::UnknownKey) if self.0.source.load_unknown().await => self.verify(token),
            verdict => verdict,
        };
        let refused = |error: Error| Rejection::Refused { code: error.code(), detail: error.to_string() };
        subject(verdict.map_err(refused)?)
    }

    /// Waits until there are keys.
    pub async fn ready(&self) {
        self.0.source.loaded(1).await;
    }

    fn verify(&self, token: &str) -> Result<Verified<Map<String, Value>>, Error> {
        let now = u64::try_from(self.0.clock.now().as_seconds()).unwrap_or(0);
        verify(token, &**self.0.keys.load(), &self.0.policy, now)
    }
}

fn subject(verified: Verified<Map<String, Value>>) -> Result<Subject, Rejection> {
    let expires_at = verified.expires_at().map_or(0, counterfoil_jwt::NumericDate::unix_seconds);
    let claims = verified.into_inner();
    let refused = |what: &str| {
        let detail = format!("the claim `{what}` is missing, or not what it should be");
        Rejection::Refused { code: "claims_not_usable", detail }
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let name = text("sub").filter(|subject| !subject.is_empty()).ok_or_else(|| refused("sub"))?.to_owned();
    let scope = text("scope").unwrap_or_default().parse::<ScopeSet>().map_err(|_| refused("scope"))?;
    let expires_at = UnixMillis::from_seconds(i64::try_from(expires_at).unwrap_or(i64::MAX));
    Ok(Subject { name, scope, expires_at, claims })
}
