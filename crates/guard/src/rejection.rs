//! Why a request is refused, and the answer that says so (RFC 6750 §3).

use axum_core::response::{IntoResponse, Response};
use counterfoil_wire::{PROBLEM_CONTENT_TYPE, Problem};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use std::{borrow::Cow, error::Error, fmt};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// No credential: 401 with a bare challenge (RFC 6750 §3.1).
    NotPresented,
    /// The header is not as RFC 6750 §2.1 has it: 400.
    Malformed(&'static str),
    /// More than one credential: 400 (RFC 6750 §2).
    Ambiguous,
    /// Two cookies of one name: 400.
    CookieRepeated,
    /// A cookie longer than any of ours: 431.
    CookieTooLarge,
    /// A request with a cookie that may come from another site's page: 403.
    CrossOrigin,
    /// The token is not good: 401.
    Refused {
        /// What was wrong, for a program: one of `counterfoil_jwt`'s codes.
        code: &'static str,
        /// What was wrong, for a person. Never holds any of the token.
        detail: String,
    },
    /// The token was good and has been revoked: 401.
    Revoked,
    /// It may not do this: 403, naming the scope that is missing (RFC 6750 §3.1).
    InsufficientScope(String),
    /// The account has not the role for this: 403.
    RoleMissing,
    /// A program asks for what only a person may do: 403.
    PersonOnly,
    /// The person must prove anew who they are: 401 (RFC 9470 §3).
    SignInTooOld {
        /// How long ago it may be.
        max_age_seconds: u32,
    },
    /// The revocations are not loaded yet, so nothing can be said: 503, never "not signed in".
    NotReady,
    /// It cannot be proven that every sign-out is known, and the route does not go on without: 503, never "not signed in".
    RevocationsStale,
    /// The request asks for a place of the feed (`Counterfoil-Min-Seq`) that is not applied yet: 503.
    FeedBehind,
    /// What `Counterfoil-Min-Seq` says is no place of the feed: 400.
    PlaceMalformed,
    /// A session could not be looked up: 503, never "not signed in".
    Unavailable,
}

impl Rejection {
    /// The stable code of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPresented => "token_missing",
            Self::Malformed(_) => "authorization_malformed",
            Self::Ambiguous => "credentials_ambiguous",
            Self::CookieRepeated => "cookie_repeated",
            Self::CookieTooLarge => "cookie_too_large",
            Self::CrossOrigin => "cross_origin",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::RoleMissing => "role_missing",
            Self::PersonOnly => "person_only",
            Self::SignInTooOld { .. } => "insufficient_user_authentication",
            Self::Unavailable => "store_unavailable",
            Self::Refused { code, .. } => code,
            Self::Revoked => "token_revoked",
            Self::NotReady => "not_ready",
            Self::RevocationsStale => "revocations_stale",
            Self::FeedBehind => "feed_behind",
            Self::PlaceMalformed => "min_seq_malformed",
        }
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotPresented | Self::Refused { .. } | Self::Revoked | Self::SignInTooOld { .. } => {
                StatusCode::UNAUTHORIZED
            }
            Self::Malformed(_) | Self::Ambiguous | Self::CookieRepeated | Self::PlaceMalformed => {
                StatusCode::BAD_REQUEST
            }
            Self::CookieTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::CrossOrigin | Self::InsufficientScope(_) | Self::RoleMissing | Self::PersonOnly => {
                StatusCode::FORBIDDEN
            }
            Self::NotReady | Self::RevocationsStale | Self::FeedBehind | Self::Unavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// What was wrong and what to do, for a person.
    pub fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::NotPresented => {
                "this needs an access token: send `Authorization: Bearer …`, or the cookie of a session".into()
            }
            Self::Malformed(what) => (*what).into(),
            Self::Ambiguous => "more than one credential: send the Authorization header or one cookie, not both".into(),
            Self::CookieRepeated => {
                "two cookies of one name: which of them is ours cannot be known; forget the cookies of this site".into()
            }
            Self::CookieTooLarge => "a cookie is longer than any of ours: forget the cookies of this site".into(),
            Self::CrossOrigin => {
                "a request with a cookie that changes something must come from the server's own pages: \
                 send `Origin` with the server's public URL, as browsers do there"
                    .into()
            }
            Self::InsufficientScope(scope) => format!("this needs the scope `{scope}`").into(),
            Self::RoleMissing => "this account may not do that".into(),
            Self::PersonOnly => "this is for a signed-in person: a personal token cannot do it".into(),
            Self::SignInTooOld { max_age_seconds } => {
                format!("this needs a sign-in of the last {} minutes: sign in again", max_age_seconds / 60).into()
            }
            Self::Refused { detail, .. } => detail.clone().into(),
            Self::Revoked => "this token was revoked: its session was signed out; sign in again".into(),
            Self::NotReady => "keys and revocations are still being loaded: try again in a moment".into(),
            Self::RevocationsStale => {
                "this service cannot tell right now who was signed out; nobody is signed out by it: try again in a moment"
                    .into()
            }
            Self::FeedBehind => {
                "this service has not yet read the revocations up to `Counterfoil-Min-Seq`: try again in a moment".into()
            }
            Self::PlaceMalformed => "`Counterfoil-Min-Seq` is one place of the feed: `epoch.seq`, such as `5.1204`".into(),
            Self::Unavailable => {
                "the server cannot look sessions up right now; nobody is signed out by it: try again in a moment".into()
            }
        }
    }

    /// The `WWW-Authenticate` challenge, where the status calls for one (RFC 6750 §3). The description is a fixed text
    /// of this program, so it needs no quoting.
    fn challenge(&self) -> Option<HeaderValue> {
        let error = match self {
            Self::NotPresented => return Some(HeaderValue::from_static("Bearer")),
            Self::Malformed(_) | Self::Ambiguous => "invalid_request",
            Self::Refused { .. } | Self::Revoked => "invalid_token",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::SignInTooOld { .. } => "insufficient_user_authentication",
            _ => return None,
        };
        let more = match self {
            // The words of a scope need no quoting (RFC 6749 §3.3).
            Self::InsufficientScope(scope) => format!(", scope=\"{scope}\""),
            Self::SignInTooOld { max_age_seconds } => format!(", max_age=\"{max_age_seconds}\""),
            _ => String::new(),
        };
        let code = self.code();
        HeaderValue::try_from(format!("Bearer error=\"{error}\", error_description=\"{code}\"{more}")).ok()
    }

    /// The session of a cookie or a tracked token was not found, or does not live.
    pub(crate) fn session_ended() -> Self {
        Self::Refused { code: "session_ended", detail: "the session has ended: sign in again".to_owned() }
    }

    /// The opaque id of a session where a signed token should be.
    pub(crate) fn session_id_presented() -> Self {
        let detail = "this is the id of a session: it is sent in the session cookie and nowhere else".to_owned();
        Self::Refused { code: "session_id_presented", detail }
    }

    /// A personal token with a checksum that is not its own. Nothing was looked up.
    pub(crate) fn personal_token_mistyped() -> Self {
        let detail = "this is no personal token: mistyped, or cut off".to_owned();
        Self::Refused { code: "personal_token_mistyped", detail }
    }

    /// A personal token that is not there, or not any more.
    pub(crate) fn personal_token_refused() -> Self {
        let detail = "this personal token is not good (any more): it was deleted, or has ended".to_owned();
        Self::Refused { code: "personal_token_refused", detail }
    }

    /// What needs a look-up was presented to a guard that has none.
    pub(crate) fn lookup_needed() -> Self {
        let detail = "this service takes access tokens only that need no look-up".to_owned();
        Self::Refused { code: "policy_not_accepted", detail }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail())
    }
}

impl Error for Rejection {}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.to_answer()
    }
}

impl Rejection {
    /// The whole answer, in a body of whichever kind the service around speaks.
    pub(crate) fn to_answer<B: From<Vec<u8>>>(&self) -> http::Response<B> {
        let status = self.status();
        let problem = Problem {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Error").into(),
            status: status.as_u16(),
            detail: self.detail(),
            code: self.code().into(),
        };
        let mut response = http::Response::new(B::from(serde_json::to_vec(&problem).unwrap_or_default()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_CONTENT_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        // By its code: told to a gateway it is a 401, and the browser behind it is in the same place.
        if matches!(self.code(), "cookie_repeated" | "cookie_too_large") {
            // The way out: a browser cannot tell which of its cookies is in the way, and would send them for ever.
            headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cookies\""));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
