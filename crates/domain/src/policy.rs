//! Session policies: how a session is carried by the client and kept alive, and how long it may live.

use std::{fmt, str::FromStr, time::Duration};

/// How long verifiers take a personal token for good without looking it up. Its deletion comes with the feed, within a
/// second; this bounds what else may have changed, and how old "last used" may be.
pub const PERSONAL_TOKEN_REMEMBERED_FOR: Duration = Duration::from_mins(5);

/// How the client proves its session, and how the session goes on. Behind each is one [`Session`](crate::session::Session),
/// so that all of them are listed and ended the same way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum SessionPolicy {
    /// An opaque id in a cookie; every request looks it up. Use pushes the idle limit on.
    Session,
    /// A signed token whose session is looked up at every request.
    Tracked,
    /// A signed token that is issued anew with a later end when the service says so: requests ask no store.
    Sliding,
    /// A short-lived access token and a rotating refresh token: requests ask no store.
    #[default]
    Refresh,
    /// A named token that its owner made for a program. It has no idle limit, and need not have an end.
    Personal,
}

/// A text that names no policy of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session policy: expected `session`, `tracked`, `sliding` or `refresh`")]
pub struct UnknownPolicy;

impl SessionPolicy {
    /// Every policy there is.
    pub const ALL: [Self; 5] = [Self::Session, Self::Tracked, Self::Sliding, Self::Refresh, Self::Personal];

    /// The word used in requests, answers, tokens and stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Tracked => "tracked",
            Self::Sliding => "sliding",
            Self::Refresh => "refresh",
            Self::Personal => "personal",
        }
    }

    /// Whether a person can sign in with it. A personal token is made by somebody who is signed in already.
    pub const fn is_for_sign_in(self) -> bool {
        !matches!(self, Self::Personal)
    }

    /// Whether the client holds a signed token, which a verifier accepts by its signature and the feed.
    pub const fn has_signed_token(self) -> bool {
        matches!(self, Self::Tracked | Self::Sliding | Self::Refresh)
    }

    /// Whether a request is only accepted after its session was looked up.
    pub const fn is_looked_up(self) -> bool {
        matches!(self, Self::Session | Self::Tracked | Self::Personal)
    }
}

impl FromStr for SessionPolicy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text).ok_or(UnknownPolicy)
    }
}

impl fmt::Display for SessionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long a session lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Not used for this long, it is over. What counts as use is the policy's.
    pub idle_lifetime: Duration,
    /// This old, it is over, whatever its use (BBA §6.3.2.3).
    pub absolute_lifetime: Duration,
}

impl Limits {
    /// No limits at all.
    const NONE: Self = Self { idle_lifetime: Duration::MAX, absolute_lifetime: Duration::MAX };

    /// The same for both: nothing pushes the end on.
    const fn fixed(lifetime: Duration) -> Self {
        Self { idle_lifetime: lifetime, absolute_lifetime: lifetime }
    }
}

/// How long sessions and their tokens live, by policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetimes {
    /// How long an access token of the `refresh` policy is good. Short, because it is the bound on what a thief of one gets.
    pub access_token_lifetime: Duration,
    /// Of the `session` policy.
    pub session: Limits,
    /// How long a token of the `tracked` policy is good, and with it its session.
    pub tracked_lifetime: Duration,
    /// Of the `sliding` policy. The idle lifetime is that of its tokens.
    pub sliding: Limits,
    /// Of the `refresh` policy.
    pub refresh: Limits,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        const HALF_AN_HOUR: Duration = Duration::from_mins(30);
        let working_day = Limits { idle_lifetime: HALF_AN_HOUR, absolute_lifetime: Duration::from_hours(12) };
        Self {
            access_token_lifetime: HALF_AN_HOUR,
            session: working_day,
            tracked_lifetime: working_day.absolute_lifetime,
            sliding: working_day,
            refresh: Limits { idle_lifetime: 14 * DAY, absolute_lifetime: 90 * DAY },
        }
    }
}

impl Lifetimes {
    /// The limits of a session with this policy. A personal token has those that it was made with, and no others.
    pub const fn limits(&self, policy: SessionPolicy) -> Limits {
        match policy {
            SessionPolicy::Session => self.session,
            SessionPolicy::Tracked => Limits::fixed(self.tracked_lifetime),
            SessionPolicy::Sliding => self.sliding,
            SessionPolicy::Refresh => self.refresh,
            SessionPolicy::Personal => Limits::NONE,
        }
    }

    /// The longest that a token lives which verifiers accept without asking anybody. Entries of the feed are kept for as
    /// long. A tracked token is none of these: its session is looked up, ended or not. A personal token is, for as long as it
    /// is remembered.
    pub fn longest_token_lifetime(&self) -> Duration {
        self.access_token_lifetime.max(self.sliding.idle_lifetime).max(PERSONAL_TOKEN_REMEMBERED_FOR)
    }

    /// The longest that a signed token lives, tracked ones too: its key is needed for as long.
    pub fn longest_signed_token_lifetime(&self) -> Duration {
        self.access_token_lifetime.max(self.sliding.idle_lifetime).max(self.tracked_lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_policies() {
        for policy in SessionPolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        for text in ["", "Session", "cookie", "refresh "] {
            assert_eq!(text.parse::<SessionPolicy>(), Err(UnknownPolicy), "{text:?}");
        }
    }

    #[test]
    fn entries_outlive_what_is_not_looked_up() {
        let lifetimes = Lifetimes::default();
        assert_eq!(lifetimes.longest_token_lifetime(), Duration::from_mins(30));
        assert_eq!(lifetimes.longest_signed_token_lifetime(), Duration::from_hours(12), "tracked");
        let hour = Duration::from_hours(1);
        let sliding = Limits { idle_lifetime: hour, ..lifetimes.sliding };
        assert_eq!(Lifetimes { sliding, ..lifetimes }.longest_token_lifetime(), hour);
        assert_eq!(
            Lifetimes { access_token_lifetime: 2 * hour, sliding, ..lifetimes }.longest_token_lifetime(),
            2 * hour
        );
        let second = Duration::from_secs(1);
        let sliding = Limits { idle_lifetime: second, ..lifetimes.sliding };
        let short = Lifetimes { access_token_lifetime: second, sliding, ..lifetimes };
        assert_eq!(short.longest_token_lifetime(), PERSONAL_TOKEN_REMEMBERED_FOR);
    }
}
