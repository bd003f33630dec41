//! Session policies: how a session is carried by the client and kept alive, and how long it may live.

use std::{fmt, str::FromStr, time::Duration};

/// How the client proves its session, and how the session goes on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SessionPolicy {
    /// A short-lived access token and a rotating refresh token: requests ask no store.
    #[default]
    Refresh,
}

/// A text that names no policy of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session policy of this server: expected `refresh`")]
pub struct UnknownPolicy;

impl SessionPolicy {
    /// The word used in requests, answers and stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
        }
    }
}

impl FromStr for SessionPolicy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        match text {
            "refresh" => Ok(Self::Refresh),
            _ => Err(UnknownPolicy),
        }
    }
}

impl fmt::Display for SessionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long a session and its tokens live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetimes {
    /// How long an access token is good. Short, because it is the bound on what a thief of one gets.
    pub access_token_lifetime: Duration,
    /// A session not refreshed for this long is over.
    pub idle_lifetime: Duration,
    /// A session this old is over, whatever its use. Rotation never lengthens it (BBA §6.3.2.3).
    pub absolute_lifetime: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self { access_token_lifetime: Duration::from_mins(30), idle_lifetime: 14 * DAY, absolute_lifetime: 90 * DAY }
    }
}
