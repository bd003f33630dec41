//! What the server does, one use case a file. HTTP handlers and the command line both come in here.

mod account_changes;
mod accounts;
mod client_credentials;
mod custom_claims;
mod device_name;
mod email_directory;
mod error;
mod extend;
mod feed;
mod feed_follower;
mod hourly_brake;
mod introspect;
mod issue;
mod key_administration;
mod maintenance;
mod new_account;
mod opening;
mod password;
mod personal_tokens;
mod present;
mod profile;
mod readiness;
mod refresh;
mod replaced;
mod revoke;
mod rotate_keys;
mod session_lookup;
mod sessions;
mod sign_in;
mod sign_out;
mod sign_up;
mod tokens;

pub use account_changes::{Standing, StandingChange};
pub use accounts::AccountAdministration;
pub use custom_claims::{CUSTOM_CLAIMS_BYTES_MAX, CustomClaims};
pub use email_directory::KnownEmail;
pub use error::AppError;
pub use feed::{
    ACCEPTS_FOR_MAX, FeedAnswer, FeedQuestion, Figure, FigureKind, POLL_WAIT_MAX, RECEIPT_WAIT_MAX, SNAPSHOT_TIME_MAX,
    SignOutOf, SnapshotPlace,
};
pub use feed_follower::FEED_POLL_INTERVAL;
pub use issue::{Issued, IssuedCookie, Transport};
pub use key_administration::{GivenUp, KeyAdministration, Rotation};
pub use new_account::NewPerson;
pub use opening::SignInOptions;
pub use password::NewPasswordInput;
pub use personal_tokens::NewPersonalTokenInput;
pub use profile::ProfileInput;
pub use refresh::{RefreshInput, Refreshed};
pub use replaced::HeldBefore;
pub use revoke::EndedSessions;
pub use session_lookup::StoredSessions;
pub use sign_in::SignInInput;
pub use sign_out::RevokedToken;
pub use sign_up::SignedUpAccount;

pub(crate) use device_name::device_name;
pub(crate) use present::{account_body, feed_place, personal_token_body, session_body, timestamp};

use crate::{
    config::{Config, ConfigError, LEEWAY_MAX, Network, SignInPolicies},
    hashing::PasswordHasher,
    keys::{PublishedKeys, ServerKeys},
};
use counterfoil_domain::{
    entropy::Entropy,
    event::Occasion,
    key::KeyTerms,
    password::PasswordRules,
    policy::Lifetimes,
    rotation::{ClockJumps, LossWindow, RotationRules},
    scope::ScopeGrants,
    session::{OpenTerms, RefreshTerms},
    store::Store,
    time::{Clock, UnixMillis},
};
use counterfoil_guard::{CookieRules, Guard, Revocations};
use counterfoil_jwt::{AlgorithmSet, Policy};
use counterfoil_wire::ACCESS_TOKEN_TYPE;
use email_directory::EmailDirectory;
use hourly_brake::{EMAIL_CHANGES_PER_HOUR_MAX, HourlyBrake, PERSONAL_TOKENS_PER_HOUR_MAX};
use parking_lot::Mutex;
use readiness::Readiness;
use rotate_keys::KeyCare;
use std::{net::IpAddr, sync::Arc, time::Duration};

/// What the operator decided, as the use cases need it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who issues the tokens: the server's public URL.
    pub issuer: String,
    /// For whom access tokens are meant.
    pub audience: String,
    /// How long sessions and tokens live.
    pub lifetimes: Lifetimes,
    /// Which policies a sign-in may have.
    pub policies: SignInPolicies,
    /// Which scopes may be granted to whom.
    pub scope_grants: ScopeGrants,
    /// Claims of the operator's own.
    pub custom_claims: CustomClaims,
    /// The names of cookies, and from where requests with them may come.
    pub cookies: CookieRules,
    /// The most sessions that an account has at a time.
    pub sessions_per_account_max: usize,
    /// The longest life that tokens of this store were ever given which verifiers take without asking anybody.
    pub longest_access_token_lifetime: Duration,
    /// What was configured about signing keys.
    pub key_terms: KeyTerms,
    /// Tolerated difference between clocks.
    pub leeway: Duration,
    /// How refresh tokens are judged.
    pub rotation: RotationRules,
    /// Whether a refresh must bring the access token along.
    pub require_access_token: bool,
    /// Which new passwords are taken.
    pub password_rules: PasswordRules,
    /// How long audit lines are kept.
    pub audit_retention: Duration,
    /// Whether a sign-out in this process wakes whoever waits for the feed.
    pub feed_wake_ups: bool,
    /// Whether programs on this machine may follow the feed without credentials: only where nothing but this machine is
    /// served.
    pub is_open_on_loopback: bool,
    /// Whose word about where a request came from is believed.
    pub trusted_proxies: Vec<Network>,
}

impl Settings {
    /// The settings of a checked configuration. `base_url` is the address the server listens on, for where nothing else
    /// is said.
    ///
    /// # Errors
    /// [`ConfigError`] when an option is unsafe.
    pub fn from_config(config: &Config, base_url: &str) -> Result<Self, ConfigError> {
        config.check()?;
        let issuer = config.public_url.clone().unwrap_or_else(|| base_url.to_owned());
        Ok(Self {
            audience: config.access_token.audience.clone().unwrap_or_else(|| issuer.clone()),
            cookies: CookieRules::new(&issuer),
            issuer,
            lifetimes: config.lifetimes(),
            policies: config.sign_in_policies()?,
            scope_grants: config.scope_grants()?,
            custom_claims: config.custom_claims()?,
            sessions_per_account_max: config.session.per_account_max,
            longest_access_token_lifetime: config.lifetimes().longest_token_lifetime(),
            key_terms: config.key_terms(kept_for(config.lifetimes().longest_token_lifetime())),
            leeway: config.access_token.leeway.get(),
            rotation: RotationRules { retry_window: config.refresh.retry_window.get(), loss_window: None },
            require_access_token: config.refresh.require_access_token,
            password_rules: config.password_rules()?,
            audit_retention: config.session.audit_retention.get(),
            feed_wake_ups: config.feed.wake_ups,
            is_open_on_loopback: config.serves_this_machine_only(),
            trusted_proxies: config.trusted_proxies.clone(),
        })
    }

    /// The same with the longest life that tokens of the store were ever given.
    #[must_use]
    pub fn with_longest_token_lifetime(self, longest: Duration) -> Self {
        let key_terms = KeyTerms { longest_token_lifetime: kept_for(longest), ..self.key_terms };
        Self { longest_access_token_lifetime: longest, key_terms, ..self }
    }

    /// How this server's access tokens are judged.
    pub fn token_policy(&self, algorithms: AlgorithmSet) -> Policy {
        Policy::new(algorithms)
            .issuer(self.issuer.as_str())
            .audience(self.audience.as_str())
            .token_type(ACCESS_TOKEN_TYPE)
            .leeway_seconds(self.leeway.as_secs())
    }

    /// What holds for every sign-in.
    pub fn open_terms(&self) -> OpenTerms {
        OpenTerms {
            lifetimes: self.lifetimes,
            sessions_per_account_max: self.sessions_per_account_max,
            longest_token_lifetime: self.longest_token_lifetime(),
        }
    }

    /// How long an entry of the feed must be kept: the longest that any living token can be taken for good.
    pub fn longest_token_lifetime(&self) -> Duration {
        kept_for(self.longest_access_token_lifetime)
    }
}

/// How long a revocation must be kept where access tokens live for `longest_access_token_lifetime`: verifiers may be
/// configured with any leeway that is allowed.
pub(crate) fn kept_for(longest_access_token_lifetime: Duration) -> Duration {
    longest_access_token_lifetime + LEEWAY_MAX
}

/// Where a request came from.
#[derive(Clone, Debug, Default)]
pub struct RequestOrigin {
    /// The address of the client.
    pub ip: Option<IpAddr>,
    /// How the program names itself.
    pub user_agent: Option<String>,
}

/// The running server without its outside: everything a use case needs. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: AppParts,
    emails: EmailDirectory,
    personal_token_brake: HourlyBrake,
    email_brake: HourlyBrake,
    clock_jumps: Mutex<ClockJumps>,
    readiness: Readiness,
    feed: feed::Feed,
    client_credentials: client_credentials::ClientCredentials,
    key_care: KeyCare,
}

/// What an [`App`] is made of.
pub struct AppParts {
    /// Where accounts and sessions are.
    pub store: Arc<dyn Store>,
    /// The server's keys.
    pub keys: ServerKeys,
    /// Verifies access tokens.
    pub guard: Guard,
    /// The revocations in memory, which the guard reads.
    pub revocations: Arc<Revocations>,
    /// Hashes passwords.
    pub hasher: PasswordHasher,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator decided.
    pub settings: Settings,
}

impl App {
    /// An app of these parts. It is cold until [`App::follow_feed`] has read the feed once.
    pub fn new(parts: AppParts) -> Self {
        let key_care = KeyCare::begun_at(parts.clock.monotonic());
        let app = Self(Arc::new(Inner {
            parts,
            emails: EmailDirectory::default(),
            personal_token_brake: HourlyBrake::new(PERSONAL_TOKENS_PER_HOUR_MAX),
            email_brake: HourlyBrake::new(EMAIL_CHANGES_PER_HOUR_MAX),
            clock_jumps: Mutex::default(),
            readiness: Readiness::default(),
            feed: feed::Feed::default(),
            client_credentials: client_credentials::ClientCredentials::default(),
            key_care,
        }));
        // From the first moment on it is seen whether a clock is set.
        app.look_at_clocks(app.now());
        app
    }

    /// Verifies access tokens of this server.
    pub fn guard(&self) -> &Guard {
        &self.0.parts.guard
    }

    /// The server's public keys.
    pub fn published_keys(&self) -> PublishedKeys {
        self.0.parts.keys.current().published().clone()
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    /// Where accounts and sessions are.
    pub fn store(&self) -> &(dyn Store + 'static) {
        &*self.0.parts.store
    }

    /// What the clock shows.
    pub fn now(&self) -> UnixMillis {
        self.0.parts.clock.now()
    }

    /// How far the feed has been applied in memory, and whether it has been read at all.
    pub fn revocations(&self) -> &Revocations {
        &self.0.parts.revocations
    }

    /// What a refresh at `now` depends on. Looks whether the clock was set meanwhile.
    fn refresh_terms(&self, now: UnixMillis) -> RefreshTerms {
        let settings = self.settings();
        let loss_window = self.look_at_clocks(now);
        RefreshTerms {
            rotation: RotationRules { loss_window, ..settings.rotation },
            lifetimes: settings.lifetimes,
            longest_token_lifetime: settings.longest_token_lifetime(),
        }
    }

    /// Compares the wall clock with the one that nobody can set.
    fn look_at_clocks(&self, now: UnixMillis) -> Option<LossWindow> {
        let (monotonic, retry_window) = (self.0.parts.clock.monotonic(), self.settings().rotation.retry_window);
        self.0.clock_jumps.lock().observe(now, monotonic, retry_window)
    }

    pub(crate) fn occasion(&self, origin: &RequestOrigin) -> Occasion<'_> {
        Occasion { now: self.0.parts.clock.now(), ip: origin.ip, entropy: &*self.0.parts.entropy }
    }
}
