//! Setting up a guard that follows a server.

use super::{
    clock::ServerClock,
    discovery::Target,
    error::{Failure, FollowError},
    following::Following,
    http::{Credentials, Http},
    keys::KeySource,
    machine::{MachineClock, MachineEntropy},
    name,
    shared::Shared,
};
use crate::{CookieRules, Guard, GuardOptions, Revocations, WhenStale, upstream::Upstream};
use counterfoil_domain::{entropy::Entropy, time::Clock};
use counterfoil_jwt::{Algorithm, AlgorithmSet, KeySet, Policy};
use counterfoil_wire::ACCESS_TOKEN_TYPE;
use reqwest::Url;
use std::{sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// How long a start waits for everything to be there. After that the guard is handed out cold, and goes on trying.
const START_WITHIN: Duration = Duration::from_secs(5);
/// Entries of the feed are kept for a minute longer than a token lives by the server's own leeway. A verifier with a larger
/// one would take tokens back that were revoked.
const LEEWAY_MAX: Duration = Duration::from_mins(1);
const LEEWAY_USUAL: Duration = Duration::from_secs(5);

/// A guard to be that follows a Counterfoil server over the network: [`Guard::follow`].
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use counterfoil_guard::{CurrentUser, Guard};
///
/// async fn invoices(user: CurrentUser) -> String {
///     format!("the invoices of {}", user.account())
/// }
///
/// # async fn service(secret: String) -> Result<(), Box<dyn std::error::Error>> {
/// let guard = Guard::follow("https://auth.example.com").client("billing", secret).start().await?;
/// let app: Router = Router::new().route("/invoices", get(invoices)).with_state(guard.clone());
/// # Ok(()) }
/// ```
#[must_use = "nothing is followed before `start`"]
pub struct Follow {
    pub(super) issuer: String,
    pub(super) client: Option<Credentials>,
    pub(super) audiences: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) algorithms: AlgorithmSet,
    pub(super) leeway: Duration,
    pub(super) allow_plain_http: bool,
    pub(super) reached_at: Option<String>,
    pub(super) options: GuardOptions,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Guard {
    /// Sets up a guard that follows the server with this issuer: it fetches keys and revocations, and keeps itself up to
    /// date. The issuer is written exactly as the server's configuration has it.
    pub fn follow(issuer: impl Into<String>) -> Follow {
        let asymmetric =
            |algorithm: &Algorithm| !matches!(algorithm, Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512);
        Follow {
            issuer: issuer.into(),
            client: None,
            audiences: Vec::new(),
            name: None,
            algorithms: Algorithm::ALL.into_iter().filter(asymmetric).collect(),
            leeway: LEEWAY_USUAL,
            allow_plain_http: false,
            reached_at: None,
            options: GuardOptions::default(),
            clock: Arc::new(MachineClock),
            entropy: Arc::new(MachineEntropy),
        }
    }
}

impl Follow {
    /// The client that this service is registered as at the server (its kind is `verifier`), and its secret. A server that
    /// listens on loopback only asks for none.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.client = Some(Credentials { client: id.into(), secret: Zeroizing::new(secret.into()) });
        self
    }

    /// For whom tokens must be (`aud`); called again, for that one or this one. Unless told otherwise that is the issuer
    /// itself, as the server has it where its configuration names no `access_token.audience`.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// What this service calls itself in the server's list of verifiers; by default the name of its host. Each process adds
    /// letters of its own: a sign-out must reach every one of them, so no two are one to the server.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Which signature algorithms are accepted; by default all with a public key. Which of them a key is for, the key says.
    pub fn algorithms(mut self, algorithms: impl Into<AlgorithmSet>) -> Self {
        self.algorithms = algorithms.into();
        self
    }

    /// How much `exp` and `nbf` may be missed by: 5 seconds by default, a minute at most. They are judged by the server's
    /// clock, so this service's own may be as wrong as it likes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(LEEWAY_MAX);
        self
    }

    /// What routes do while it cannot be proven that every sign-out is known. [`Guard::when_stale`] says otherwise for one.
    pub fn when_stale(mut self, when_stale: WhenStale) -> Self {
        self.options.when_stale = when_stale;
        self
    }

    /// Takes cookies as credentials as well: for services under the server's own host name.
    pub fn cookies(mut self, rules: CookieRules) -> Self {
        self.options.cookies = Some(rules);
        self
    }

    /// How many verified tokens are remembered: [`GuardOptions::verified_tokens_max`].
    pub fn verified_tokens_max(mut self, verified_tokens_max: usize) -> Self {
        self.options.verified_tokens_max = verified_tokens_max;
        self
    }

    /// Allows `http://` to other machines too. Whoever can read that network can read the secret of this client, and whoever
    /// can write to it can sign everybody in: for a network of one's own, or a sidecar that encrypts.
    pub fn allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Where the issuer's host is reached from here, such as `http://auth.internal:8080`, if not under its own name. Tokens
    /// and metadata still speak of the issuer.
    pub fn reached_at(mut self, base_url: impl Into<String>) -> Self {
        self.reached_at = Some(base_url.into());
        self
    }

    /// A clock of one's own, for tests and simulations.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts to follow. When everything is there within a few seconds, the guard is ready; else it is handed out cold,
    /// answers 503 on protected routes, and goes on trying: [`Guard::ready`] waits for it.
    ///
    /// # Errors
    /// [`FollowError`]: something that no trying mends, in words for the operator. A server that does not answer is no error.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<Guard, FollowError> {
        let target = self.target()?;
        // Refuses what is no address at all before anything is started.
        target.oauth_metadata()?;
        let policy = self.policy().token_type(ACCESS_TOKEN_TYPE);
        let verifier = name::of_this_process(self.name.as_deref(), &*self.entropy)?;
        let clock = Arc::new(ServerClock::new(Arc::clone(&self.clock)));
        let http = Arc::new(Http::new(self.client)?);
        let keys = KeySource::new(Arc::clone(&http), self.clock, Arc::clone(&self.entropy), self.algorithms);
        let (keys, revocations) = (Arc::new(keys), Arc::new(Revocations::new()));
        let shared =
            Shared::new(target, verifier, Arc::clone(&revocations), Arc::clone(&clock), self.entropy, http, keys);
        shared.may_accept_for(self.options.when_stale.open_for());
        let shared = Arc::new(shared);
        let following = Arc::new(Following::new(Arc::clone(&shared)));
        let upstream = Arc::clone(&following) as Arc<dyn Upstream>;
        let guard = Guard::assemble(policy, KeySet::default(), revocations, clock, self.options, Some(upstream));
        let inner = Arc::downgrade(&guard.0);
        let take = move |keys| inner.upgrade().map(|inner| inner.replace_keys(keys)).is_some();
        let outcome = following.start(Box::new(take));
        match tokio::time::timeout(START_WITHIN, outcome).await {
            Ok(Ok(Err(Failure::Configuration(error)))) => {
                guard.shutdown().await;
                Err(error)
            }
            Ok(Ok(Ok(()))) => Ok(guard),
            outcome => {
                let failure = outcome.ok().and_then(Result::ok).and_then(Result::err);
                let failure = failure.map_or_else(|| "it takes its time".to_owned(), |failure| failure.to_string());
                let issuer = shared.target.issuer.as_str();
                tracing::warn!(issuer, failure, "the server gave no answer: the guard starts cold and goes on trying");
                Ok(guard)
            }
        }
    }

    pub(super) fn target(&self) -> Result<Target, FollowError> {
        let no_url =
            |_| FollowError::BadIssuer { issuer: self.issuer.clone(), problem: "what it is reached at is no URL" };
        let reached_at = self.reached_at.as_deref().map(Url::parse).transpose().map_err(no_url)?;
        Ok(Target { issuer: self.issuer.clone(), allow_plain_http: self.allow_plain_http, reached_at })
    }

    /// The rules, but for the type.
    pub(super) fn policy(&self) -> Policy {
        let rules = Policy::new(self.algorithms).issuer(self.issuer.as_str()).leeway_seconds(self.leeway.as_secs());
        if self.audiences.is_empty() {
            return rules.audience(self.issuer.as_str());
        }
        self.audiences.iter().fold(rules, |rules, audience| rules.audience(audience.as_str()))
    }
}
