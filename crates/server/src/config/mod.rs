//! Configuration: flags over environment (`COUNTERFOIL_…`, `__` between levels) over `counterfoil.toml` over defaults.

mod duration;
mod keys;
mod listen;
mod load;
mod network;
mod options;
mod problem;
mod reference;
mod sessions;
mod settings;

pub use duration::{HumanDuration, OrNever};
pub use listen::parse_listen;
pub use load::{ConfigSources, load};
pub use network::{InvalidNetwork, Network};
pub use options::{
    AccessTokenConfig, ClaimsConfig, Config, CookieSessionConfig, FeedConfig, LogConfig, PasswordConfig, RefreshConfig,
    ScopeConfig, SessionConfig, SigningConfig, SlidingConfig, TrackedConfig,
};
pub use problem::ConfigError;
pub use reference::reference_page;
pub use sessions::SignInPolicies;
pub use settings::{Setting, settings};

use counterfoil_domain::{
    password::PasswordRules,
    policy::{Lifetimes, SessionPolicy},
    rotation::RotationRules,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, thread::available_parallelism, time::Duration};
use tracing_subscriber::EnvFilter;

/// The most that clocks may differ by (RFC 7519 §4.1.4: a few minutes at most).
pub const LEEWAY_MAX: Duration = Duration::from_mins(2);

/// The most that `session.per_account_max` may be: a sign-out everywhere ends them in one step, which others wait for.
const SESSIONS_PER_ACCOUNT_MAX: usize = 1_000;

/// How logs are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        let lifetimes = Lifetimes::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            trusted_proxies: Vec::new(),
            data: PathBuf::from("counterfoil-data"),
            store: None,
            signing: SigningConfig {
                algorithm: "EdDSA".to_owned(),
                secret_file: None,
                rotate_after: OrNever::after(HumanDuration::from_days(90)),
                jwks_max_age: HumanDuration::from_seconds(300),
            },
            access_token: AccessTokenConfig {
                lifetime: lifetimes.access_token_lifetime.into(),
                audience: None,
                leeway: HumanDuration::from_seconds(5),
            },
            session: SessionConfig {
                policy: SessionPolicy::default().to_string(),
                policies: sessions::sign_in_policies().map(|policy| policy.to_string()).collect(),
                per_account_max: 100,
                audit_retention: HumanDuration::from_days(90),
            },
            cookie_session: CookieSessionConfig {
                idle_lifetime: lifetimes.session.idle_lifetime.into(),
                absolute_lifetime: lifetimes.session.absolute_lifetime.into(),
            },
            tracked: TrackedConfig { lifetime: lifetimes.tracked_lifetime.into() },
            sliding: SlidingConfig {
                lifetime: lifetimes.sliding.idle_lifetime.into(),
                absolute_lifetime: lifetimes.sliding.absolute_lifetime.into(),
            },
            refresh: RefreshConfig {
                idle_lifetime: lifetimes.refresh.idle_lifetime.into(),
                absolute_lifetime: lifetimes.refresh.absolute_lifetime.into(),
                retry_window: RotationRules::default().retry_window.into(),
                require_access_token: false,
            },
            scope: ScopeConfig { everybody: vec!["account".to_owned()], by_role: BTreeMap::new() },
            claims: ClaimsConfig { fixed: BTreeMap::new(), from_attributes: BTreeMap::new() },
            feed: FeedConfig { wake_ups: true },
            password: PasswordConfig {
                characters_min: PasswordRules::default().characters_min(),
                hash_threads: None,
                hash_queue_max: 64,
            },
            log: LogConfig { format: LogFormat::Text, filter: "info,refinery_core=warn".to_owned() },
        }
    }
}

impl Config {
    /// The password rules.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`] when the minimum is below what is safe.
    pub fn password_rules(&self) -> Result<PasswordRules, ConfigError> {
        PasswordRules::with_characters_min(self.password.characters_min).ok_or_else(|| {
            ConfigError::of_option("password.characters_min", "expected 8 to 256: NIST SP 800-63B-4 allows no less")
        })
    }

    /// The SQLite file.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`] when `store` names another kind of store.
    pub fn sqlite_path(&self) -> Result<PathBuf, ConfigError> {
        match self.store.as_deref() {
            None => Ok(self.data.join("counterfoil.sqlite")),
            Some(url) => url
                .strip_prefix("sqlite:")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .ok_or_else(|| ConfigError::of_option("store", "expected sqlite:PATH")),
        }
    }

    /// How many passwords are hashed at a time. Unless configured, half of the processors: the other half answers requests.
    pub fn hash_threads(&self) -> usize {
        let half = || available_parallelism().map_or(1, |processors| processors.get() / 2).max(1);
        self.password.hash_threads.unwrap_or_else(half)
    }

    /// Whether the server is for this machine alone: it listens on loopback, is reached under no other name, and no proxy
    /// brings others in.
    pub fn serves_this_machine_only(&self) -> bool {
        let is_ours = |url: &String| url.parse::<axum::http::Uri>().is_ok_and(|uri| is_loopback_name(uri.host()));
        self.listen.ip().is_loopback()
            && self.public_url.as_ref().is_none_or(is_ours)
            && self.trusted_proxies.is_empty()
    }

    /// Checks what the types cannot: options that are unsafe or contradict each other.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`], naming the option and what to do.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |option, problem: &str| Err(ConfigError::of_option(option, problem));
        self.password_rules()?;
        self.sqlite_path()?;
        self.check_sessions()?;
        if !(1..=SESSIONS_PER_ACCOUNT_MAX).contains(&self.session.per_account_max) {
            return refuse(
                "session.per_account_max",
                "expected 1 to 1000: a sign-out everywhere ends them in one step",
            );
        }
        if !(1..=60).contains(&self.refresh.retry_window.get().as_secs()) {
            return refuse("refresh.retry_window", "expected 1s to 60s: in it a copied token is answered like a retry");
        }
        if self.access_token.leeway.get() > LEEWAY_MAX {
            return refuse("access_token.leeway", "expected at most 2m (RFC 7519 §4.1.4: a few minutes at most)");
        }
        if self.password.hash_threads == Some(0) {
            return refuse("password.hash_threads", "expected at least 1, or nothing for half of the processors");
        }
        if self.password.hash_queue_max == 0 {
            return refuse("password.hash_queue_max", "expected at least 1: with none, no password could be checked");
        }
        self.check_signing()?;
        if let Err(error) = EnvFilter::try_new(&self.log.filter) {
            return refuse("log.filter", &error.to_string());
        }
        if self.trusted_proxies.iter().any(Network::is_everything) {
            return refuse(
                "trusted_proxies",
                "this is everybody: anybody could choose an address; name the proxies only",
            );
        }
        if let Some(url) = &self.public_url {
            check_public_url(url)?;
        }
        Ok(())
    }
}

/// Whether a URL's host is this machine, as it calls itself.
pub(crate) fn is_loopback_name(host: Option<&str>) -> bool {
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// RFC 8414 §2: the issuer is https, without query or fragment; plain http only where nobody can listen in.
fn check_public_url(url: &str) -> Result<(), ConfigError> {
    let refuse = |problem: &str| Err(ConfigError::of_option("public_url", problem));
    let Ok(uri) = url.parse::<axum::http::Uri>() else { return refuse("not a URL") };
    let is_loopback = is_loopback_name(uri.host());
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback => {}
        _ => return refuse("expected https://… (http only for localhost)"),
    }
    if url.contains(['?', '#', '@']) || url.ends_with('/') || uri.path() != "/" {
        return refuse("expected scheme and host only, such as https://auth.example.com, without a slash at the end");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_safe() {
        Config::default().check().unwrap();
    }

    #[test]
    fn unsafe_options_are_refused_by_name() {
        type Change = fn(&mut Config);
        let cases: [(&str, Change); 28] = [
            ("password.hash_threads", |config| config.password.hash_threads = Some(0)),
            ("password.hash_queue_max", |config| config.password.hash_queue_max = 0),
            ("signing.algorithm", |config| config.signing.algorithm = "none".into()),
            ("signing.rotate_after", |config| {
                config.signing.rotate_after = OrNever::after(HumanDuration::from_seconds(3_599));
            }),
            ("signing.jwks_max_age", |config| config.signing.jwks_max_age = HumanDuration::from_seconds(0)),
            ("signing.jwks_max_age", |config| config.signing.jwks_max_age = HumanDuration::from_seconds(86_401)),
            ("log.filter", |config| config.log.filter = "loud==".into()),
            ("password.characters_min", |config| config.password.characters_min = 7),
            ("store", |config| config.store = Some("mysql://x".into())),
            ("access_token.lifetime", |config| config.access_token.lifetime = HumanDuration::from_seconds(0)),
            ("refresh.idle_lifetime", |config| config.refresh.idle_lifetime = HumanDuration::from_seconds(60)),
            ("refresh.absolute_lifetime", |config| config.refresh.absolute_lifetime = HumanDuration::from_days(1)),
            ("cookie_session.idle_lifetime", |config| {
                config.cookie_session.idle_lifetime = HumanDuration::from_seconds(119);
            }),
            ("cookie_session.absolute_lifetime", |config| {
                config.cookie_session.absolute_lifetime = HumanDuration::from_seconds(120);
            }),
            ("tracked.lifetime", |config| config.tracked.lifetime = HumanDuration::from_seconds(0)),
            ("sliding.lifetime", |config| config.sliding.lifetime = HumanDuration::from_seconds(0)),
            ("sliding.absolute_lifetime", |config| config.sliding.absolute_lifetime = HumanDuration::from_seconds(60)),
            ("session.policy", |config| config.session.policy = "personal".into()),
            ("session.policy", |config| config.session.policies = vec!["sliding".into()]),
            ("session.policies", |config| config.session.policies = vec!["refresh".into(), "cookie".into()]),
            ("scope.everybody", |config| config.scope.everybody = vec!["a b".into()]),
            ("scope.by_role", |config| drop(config.scope.by_role.insert("x".into(), vec![String::new()]))),
            ("claims.fixed", |config| drop(config.claims.fixed.insert("sub".into(), "x".into()))),
            ("session.per_account_max", |config| config.session.per_account_max = 0),
            ("trusted_proxies", |config| config.trusted_proxies = vec!["0.0.0.0/0".parse().unwrap()]),
            ("refresh.retry_window", |config| config.refresh.retry_window = HumanDuration::from_seconds(61)),
            ("access_token.leeway", |config| config.access_token.leeway = HumanDuration::from_seconds(121)),
            ("public_url", |config| config.public_url = Some("http://auth.example.com".into())),
        ];
        for (option, change) in cases {
            let mut config = Config::default();
            change(&mut config);
            let ConfigError::Unsafe { option: named, .. } = config.check().unwrap_err() else { panic!("{option}") };
            assert_eq!(named, option);
        }
    }

    #[test]
    fn public_urls() {
        for url in ["https://auth.example.com", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:8080"] {
            assert!(check_public_url(url).is_ok(), "{url}");
        }
        for url in [
            "https://a.example/",
            "https://a.example/x",
            "https://a.example?x",
            "https://u@a.example",
            "ftp://a",
            "a",
            "",
        ] {
            assert!(check_public_url(url).is_err(), "{url}");
        }
    }
}
