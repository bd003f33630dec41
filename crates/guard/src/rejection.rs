//! Why a request is refused, and the answer that says so (RFC 6750 §3).

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};
use counterfoil_wire::{PROBLEM_CONTENT_TYPE, Problem};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use std::{borrow::Cow, error::Error, fmt};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// No bearer token: 401 with a bare challenge (RFC 6750 §3.1).
    NotPresented,
    /// The header is not as RFC 6750 §2.1 has it: 400.
    Malformed(&'static str),
    /// The token is not good: 401.
    Refused {
        /// What was wrong, for a program: one of `counterfoil_jwt`'s codes.
        code: &'static str,
        /// What was wrong, for a person. Never holds any of the token.
        detail: String,
    },
    /// The token was good and has been revoked: 401.
    Revoked,
    /// The revocations are not loaded yet, so nothing can be said: 503, never "not signed in".
    NotReady,
}

impl Rejection {
    /// The stable code of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPresented => "token_missing",
            Self::Malformed(_) => "authorization_malformed",
            Self::Refused { code, .. } => code,
            Self::Revoked => "token_revoked",
            Self::NotReady => "not_ready",
        }
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotPresented | Self::Refused { .. } | Self::Revoked => StatusCode::UNAUTHORIZED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What was wrong and what to do, for a person.
    pub fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::NotPresented => "this needs an access token: send `Authorization: Bearer …`".into(),
            Self::Malformed(what) => (*what).into(),
            Self::Refused { detail, .. } => detail.clone().into(),
            Self::Revoked => "this token was revoked: its session was signed out; sign in again".into(),
            Self::NotReady => "revocations are still being loaded: try again in a moment".into(),
        }
    }

    /// The `WWW-Authenticate` challenge, where the status calls for one (RFC 6750 §3). The description is a fixed text
    /// of this program, so it needs no quoting.
    fn challenge(&self) -> Option<HeaderValue> {
        let error = match self {
            Self::NotPresented => return Some(HeaderValue::from_static("Bearer")),
            Self::Malformed(_) => "invalid_request",
            Self::Refused { .. } | Self::Revoked => "invalid_token",
            Self::NotReady => return None,
        };
        HeaderValue::try_from(format!("Bearer error=\"{error}\", error_description=\"{}\"", self.code())).ok()
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
        let status = self.status();
        let problem = Problem {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Error").into(),
            status: status.as_u16(),
            detail: self.detail(),
            code: self.code().into(),
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&problem).unwrap_or_default()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_CONTENT_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
