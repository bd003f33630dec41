//! Every option and what it means, once: the documentation of a field here is what `config show` and
//! `docs/configuration.md` say.

use super::{HumanDuration, LogFormat, Network, OrNever, listen};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

/// Makes the structs as they are written, and keeps what is said of each field in `MEANINGS`.
macro_rules! options {
    ($(
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $( $(#[doc = $meaning:literal])+ $(#[serde($($serde:tt)+)])? pub $option:ident: $kind:ty, )+
        }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $( $(#[doc = $meaning])+ $(#[serde($($serde)+)])? pub $option: $kind, )+
        }

        impl $name {
            /// Each option's name and meaning, in order.
            const MEANINGS: &[(&str, &str)] = &[$( (stringify!($option), concat!($($meaning),+)) ),+];
        }
    )+ };
}

options! {
    /// Every option.
    pub struct Config {
        /// Where to listen: an address and a port, `localhost:PORT`, or `:PORT` for every address of this machine. Port 0
        /// takes a free one.
        #[serde(deserialize_with = "listen::deserialize")]
        pub listen: SocketAddr,
        /// The URL under which people and programs reach the server; the issuer of its tokens. By default the address it
        /// listens on.
        pub public_url: Option<String>,
        /// The reverse proxies in front, as addresses or networks: whom they name in `X-Forwarded-For` is believed to be
        /// the client. By default nobody is.
        pub trusted_proxies: Vec<Network>,
        /// The folder for the SQLite file and the master key.
        pub data: PathBuf,
        /// Where accounts and sessions are kept, as `sqlite:PATH`. By default `counterfoil.sqlite` in the data folder.
        pub store: Option<String>,
        /// Signing of access tokens.
        pub signing: SigningConfig,
        /// Access tokens.
        pub access_token: AccessTokenConfig,
        /// Sessions of every policy.
        pub session: SessionConfig,
        /// Sessions with the policy `session`: an opaque id in a cookie, looked up at each request.
        pub cookie_session: CookieSessionConfig,
        /// Sessions with the policy `tracked`: a signed token, and its session looked up at each request.
        pub tracked: TrackedConfig,
        /// Sessions with the policy `sliding`: a signed token that is issued anew with a later end.
        pub sliding: SlidingConfig,
        /// Sessions with the policy `refresh`: an access token and a rotating refresh token.
        pub refresh: RefreshConfig,
        /// Scopes: what may be granted to whom.
        pub scope: ScopeConfig,
        /// Claims of one's own in access tokens.
        pub claims: ClaimsConfig,
        /// The revocation feed.
        pub feed: FeedConfig,
        /// Passwords.
        pub password: PasswordConfig,
        /// Logs.
        pub log: LogConfig,
    }

    /// Signing of access tokens.
    pub struct SigningConfig {
        /// The JOSE algorithm. Public-key algorithms let others verify without being able to sign.
        pub algorithm: String,
        /// For HS256, HS384 and HS512: a file with the shared secret in base64url, made if it is missing. Whoever has it can
        /// forge tokens. Without it the secret stays in the store, and nobody but this server can verify.
        pub secret_file: Option<PathBuf>,
        /// How old the signing key becomes before the next one is published, or `never`. A secret from a file is changed by
        /// hand.
        pub rotate_after: OrNever,
        /// How long others may keep the published keys. A new key signs nothing before every copy without it has ended.
        pub jwks_max_age: HumanDuration,
    }

    /// Access tokens.
    pub struct AccessTokenConfig {
        /// How long one of the policy `refresh` is good. A short life is what a service is exposed to that cannot hear of a sign-out.
        pub lifetime: HumanDuration,
        /// For whom they are meant (`aud`). By default the issuer itself.
        pub audience: Option<String>,
        /// Tolerated difference between clocks.
        pub leeway: HumanDuration,
    }

    /// Sessions of every policy.
    pub struct SessionConfig {
        /// The policy of a sign-in that names none: `session`, `tracked`, `sliding` or `refresh`.
        pub policy: String,
        /// The policies that a sign-in may name. By default all of them.
        pub policies: Vec<String>,
        /// The most sessions that an account has at a time. One more sign-in ends the one not used for the longest.
        pub per_account_max: usize,
        /// How long lines of the audit log are kept.
        pub audit_retention: HumanDuration,
    }

    /// Sessions with the policy `session`.
    pub struct CookieSessionConfig {
        /// A session not used for this long is over. Use is written down once a minute, so it may be a minute less.
        pub idle_lifetime: HumanDuration,
        /// A session this old is over, whatever its use.
        pub absolute_lifetime: HumanDuration,
    }

    /// Sessions with the policy `tracked`.
    pub struct TrackedConfig {
        /// How long a token is good, and with it its session.
        pub lifetime: HumanDuration,
    }

    /// Sessions with the policy `sliding`.
    pub struct SlidingConfig {
        /// How long each token is good. A session that is not extended for this long is over.
        pub lifetime: HumanDuration,
        /// A session this old is over, however often it was extended.
        pub absolute_lifetime: HumanDuration,
    }

    /// Sessions with the policy `refresh`.
    pub struct RefreshConfig {
        /// A session not refreshed for this long is over.
        pub idle_lifetime: HumanDuration,
        /// A session this old is over, whatever its use.
        pub absolute_lifetime: HumanDuration,
        /// How long a retry is answered with the identical successor.
        pub retry_window: HumanDuration,
        /// Whether a refresh must bring the access token along, ended or not.
        pub require_access_token: bool,
    }

    /// Scopes.
    pub struct ScopeConfig {
        /// What everybody may be granted at sign-in, and is granted unless less is asked for.
        pub everybody: Vec<String>,
        /// What accounts with a role may be granted besides, such as `{ editor = ["articles:write"] }`.
        pub by_role: BTreeMap<String, Vec<String>>,
    }

    /// Claims of one's own.
    pub struct ClaimsConfig {
        /// Claims that are the same in every access token, such as `{ tenant = "acme" }`.
        pub fixed: BTreeMap<String, Value>,
        /// Claims taken from attributes of the account, such as `{ department = "dept" }`: the claim, then the attribute.
        pub from_attributes: BTreeMap<String, String>,
    }

    /// The revocation feed.
    pub struct FeedConfig {
        /// Whether a sign-out in this process wakes whoever waits for the feed. `false` is for tests of what happens when every
        /// wake-up is lost: the feed is then read by its timer alone, four times a second.
        pub wake_ups: bool,
    }

    /// Passwords.
    pub struct PasswordConfig {
        /// The least number of characters of a new password.
        pub characters_min: usize,
        /// How many passwords are hashed at a time; each takes 19 MiB. By default half of the processors.
        pub hash_threads: Option<usize>,
        /// How many may wait for that; past it the answer is 503.
        pub hash_queue_max: usize,
    }

    /// Logs.
    pub struct LogConfig {
        /// `text` for people, `json` for programs.
        pub format: LogFormat,
        /// What to log, such as `info` or `counterfoil=debug`.
        pub filter: String,
    }
}

/// An option's full name and what it means.
pub(super) struct OptionMeaning {
    /// Such as `refresh.retry_window`.
    pub(super) name: String,
    /// In Markdown, on one line.
    pub(super) meaning: &'static str,
}

/// A section's name (empty for what stands before the first), what it is about, and its options, in the order of the
/// configuration file.
pub(super) fn sections() -> Vec<(&'static str, &'static str, Vec<OptionMeaning>)> {
    let sections = [
        ("signing", SigningConfig::MEANINGS),
        ("access_token", AccessTokenConfig::MEANINGS),
        ("session", SessionConfig::MEANINGS),
        ("cookie_session", CookieSessionConfig::MEANINGS),
        ("tracked", TrackedConfig::MEANINGS),
        ("sliding", SlidingConfig::MEANINGS),
        ("refresh", RefreshConfig::MEANINGS),
        ("scope", ScopeConfig::MEANINGS),
        ("claims", ClaimsConfig::MEANINGS),
        ("feed", FeedConfig::MEANINGS),
        ("password", PasswordConfig::MEANINGS),
        ("log", LogConfig::MEANINGS),
    ];
    let is_section = |name: &str| sections.iter().any(|(section, _)| *section == name);
    let option = |name: String, meaning: &'static str| OptionMeaning { name, meaning: meaning.trim() };
    let top = Config::MEANINGS.iter().filter(|(name, _)| !is_section(name));
    let top = top.map(|(name, meaning)| option((*name).to_owned(), meaning)).collect();
    let mut all = vec![("", "The server", top)];
    for (section, options) in sections {
        let about = Config::MEANINGS.iter().find(|(name, _)| *name == section).map_or("", |(_, about)| about);
        let options = options.iter().map(|(name, meaning)| option(format!("{section}.{name}"), meaning)).collect();
        all.push((section, about.trim().trim_end_matches('.'), options));
    }
    all
}
