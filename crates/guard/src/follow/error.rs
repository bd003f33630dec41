//! What can go wrong between a guard and its server.

use counterfoil_domain::revocation::Anomaly;
use std::fmt;

/// What is wrong with how a guard was set up, or with the server it was pointed at. Trying again does not mend it, so
/// [`start`](super::Follow::start) fails with it; met later, it is named in the log each time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FollowError {
    /// The issuer is no URL that one can be found at (RFC 8414 §2).
    #[error("the issuer `{issuer}` cannot be followed: {problem}")]
    BadIssuer {
        /// As it was given.
        issuer: String,
        /// What is the matter with it.
        problem: &'static str,
    },
    /// Nobody said for whom the tokens of an issuer without a feed must be.
    #[error(
        "say for whom tokens must be, with `.audience(\"…\")`: the issuer's documentation tells what `aud` they have"
    )]
    NoAudience,
    /// The name of this process is none.
    #[error("the name of a verifier is 1 to 48 characters of A-Z a-z 0-9 . _ : -")]
    BadName,
    /// The issuer's host answers, and knows nothing of it.
    #[error("{url} answers {status}: is `{issuer}` the issuer's URL, exactly as the server's configuration has it?")]
    NoMetadata {
        /// The issuer asked for.
        issuer: String,
        /// Where its metadata should be.
        url: String,
        /// What is answered there.
        status: u16,
    },
    /// The metadata speaks for another issuer (RFC 8414 §3.3).
    #[error("the server calls itself `{told}` and not `{asked}`: write the issuer exactly as the server does")]
    IssuerMismatch {
        /// The issuer asked for.
        asked: String,
        /// What the metadata says.
        told: String,
    },
    /// The metadata names an address that must not be used.
    #[error("the server's `{member}` is `{url}`: {problem}")]
    BadEndpoint {
        /// The member of the metadata.
        member: &'static str,
        /// What it says.
        url: String,
        /// What is the matter with it.
        problem: &'static str,
    },
    /// The issuer is no Counterfoil, or an old one.
    #[error(
        "issuer {issuer} offers no feed: sign-outs would not be seen before a token ends; call without_feed() if that is \
         acceptable"
    )]
    NoFeed {
        /// The issuer.
        issuer: String,
    },
    /// The server does not know this client by this secret.
    #[error(
        "the server refuses the client `{client}` with its secret ({url} answers 401): check both; a secret that was \
         replaced stops working"
    )]
    SecretRefused {
        /// The client; empty if none was given.
        client: String,
        /// Where.
        url: String,
    },
    /// The server knows the client, and it may not do this.
    #[error("the client `{client}` may not read {url} (403): it must be registered as a verifier")]
    NotAVerifier {
        /// The client.
        client: String,
        /// Where.
        url: String,
    },
    /// No HTTP client can be made on this machine.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
}

/// Why a call gave nothing that can be used. The words are those of logs and metrics.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum FailureKind {
    /// No connection.
    Unreachable,
    /// No whole answer within its time.
    TimedOut,
    /// Another status than 200.
    Status,
    /// The answer sends elsewhere, where nobody goes: whoever may redirect us could send our secret anywhere.
    Redirected,
    /// More than such an answer may have.
    TooLarge,
    /// It ended before its end.
    CutOff,
    /// Not what such an answer says.
    Unreadable,
    /// An answer that does not fit what is held.
    Anomaly,
    /// The set-up is wrong: see [`FollowError`].
    Configuration,
}

impl FailureKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Status => "status",
            Self::Redirected => "redirected",
            Self::TooLarge => "too_large",
            Self::CutOff => "cut_off",
            Self::Unreadable => "unreadable",
            Self::Anomaly => "anomaly",
            Self::Configuration => "configuration",
        }
    }
}

/// A call that gave nothing.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// It may go well the next time.
    Passing(FailureKind, String),
    /// Another status than 200.
    Status {
        /// Which.
        status: u16,
        /// Of what.
        url: String,
    },
    /// The answer contradicts what is held.
    Anomaly(Anomaly),
    /// It will not go well before somebody changes something.
    Configuration(FollowError),
}

impl Failure {
    pub(crate) fn unreadable(detail: impl fmt::Display) -> Self {
        Self::Passing(FailureKind::Unreadable, detail.to_string())
    }

    pub(crate) const fn kind(&self) -> FailureKind {
        match self {
            Self::Passing(kind, _) => *kind,
            Self::Status { .. } => FailureKind::Status,
            Self::Anomaly(_) => FailureKind::Anomaly,
            Self::Configuration(_) => FailureKind::Configuration,
        }
    }
}

impl From<FollowError> for Failure {
    fn from(error: FollowError) -> Self {
        Self::Configuration(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing(kind, detail) => write!(f, "{}: {detail}", kind.as_str()),
            Self::Status { status, url } => write!(f, "{url} answers {status}"),
            Self::Anomaly(anomaly) => f.write_str(anomaly.as_str()),
            Self::Configuration(error) => error.fmt(f),
        }
    }
}
