//! The only table from inner errors to status, code and body.

use super::openapi::methods_at;
use crate::{app::AppError, hashing::HashingError};
use axum::{
    Json,
    extract::MatchedPath,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use counterfoil_domain::{password::PasswordRefusal, store::StoreError};
use counterfoil_wire::{OauthError, PROBLEM_CONTENT_TYPE, Problem};
use std::{any::Any, borrow::Cow};

/// Why a request was refused, as it is told outside.
#[derive(Debug)]
pub struct HttpError {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    rejection: Option<counterfoil_guard::Rejection>,
}

/// How refusals are written at a path.
#[derive(Clone, Copy)]
pub(super) enum RefusalForm {
    /// RFC 9457.
    Problem,
    /// RFC 6749 §5.2, below `/oauth`.
    Oauth,
}

impl RefusalForm {
    pub(super) fn at(uri: &Uri) -> Self {
        if uri.path().starts_with("/oauth/") { Self::Oauth } else { Self::Problem }
    }
}

/// What [`HttpError`] is made from when it does not come from a use case.
impl HttpError {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: code.into(), detail: detail.into(), rejection: None }
    }

    /// The refusal in the form that clients of the path expect.
    pub(super) fn into_response_in(self, form: RefusalForm) -> Response {
        match form {
            RefusalForm::Oauth => self.into_oauth_response(),
            RefusalForm::Problem => self.into_response(),
        }
    }

    /// The OAuth form of the same refusal (RFC 6749 §5.2): its codes, its JSON, its ASCII.
    pub(super) fn into_oauth_response(self) -> Response {
        let error = match (self.status, self.code.as_ref()) {
            (_, "invalid_grant" | "refresh_token_expected" | "access_token_required") => "invalid_grant",
            (_, "invalid_scope" | "scope_not_granted") => "invalid_scope",
            (_, "unsupported_grant_type") => "unsupported_grant_type",
            (_, "invalid_client") => "invalid_client",
            (StatusCode::SERVICE_UNAVAILABLE, _) => "temporarily_unavailable",
            (status, _) if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        let status = match self.status {
            // §5.2: 401 is for a client that presented itself in the `Authorization` header.
            StatusCode::UNAUTHORIZED if error == "invalid_client" => self.status,
            StatusCode::UNAUTHORIZED | StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        };
        let code = self.code;
        // §5.2: %x20-21 / %x23-5B / %x5D-7E only.
        let plain = |c: char| if matches!(c, ' '..='!' | '#'..='[' | ']'..='~') { c } else { '\'' };
        let error_description = self.detail.chars().map(plain).collect::<String>().into();
        let mut response = (status, Json(OauthError { error: error.into(), error_description })).into_response();
        finish(&mut response, &code);
        response
    }
}

impl From<AppError> for HttpError {
    #[rustfmt::skip]
    fn from(error: AppError) -> Self {
        use StatusCode as S;
        let (status, code) = match &error {
            AppError::InvalidEmail(_) => (S::UNPROCESSABLE_ENTITY, "invalid_email"),
            AppError::InvalidName { .. } => (S::UNPROCESSABLE_ENTITY, "invalid_name"),
            AppError::PasswordRefused(PasswordRefusal::TooShort { .. }) => (S::UNPROCESSABLE_ENTITY, "password_too_short"),
            AppError::PasswordRefused(PasswordRefusal::TooLong) => (S::UNPROCESSABLE_ENTITY, "password_too_long"),
            AppError::PasswordRefused(PasswordRefusal::Common) => (S::UNPROCESSABLE_ENTITY, "password_common"),
            AppError::EmailTaken => (S::CONFLICT, "email_taken"),
            AppError::InvalidCredentials => (S::UNAUTHORIZED, "invalid_credentials"),
            AppError::PolicyNotAllowed { .. } => (S::UNPROCESSABLE_ENTITY, "policy_not_allowed"),
            AppError::TransportNotAllowed => (S::UNPROCESSABLE_ENTITY, "transport_not_allowed"),
            AppError::AccessCookieNotAllowed => (S::UNPROCESSABLE_ENTITY, "access_cookie_not_allowed"),
            AppError::ScopeNotAllowed => (S::UNPROCESSABLE_ENTITY, "scope_not_allowed"),
            AppError::ExpiryPast => (S::UNPROCESSABLE_ENTITY, "expiry_past"),
            AppError::TooManyPersonalTokens => (S::CONFLICT, "too_many_personal_tokens"),
            AppError::TooManyRequests => (S::TOO_MANY_REQUESTS, "too_many_requests"),
            AppError::PersonalTokenNotFound => (S::NOT_FOUND, "personal_token_not_found"),
            AppError::WrongPassword => (S::FORBIDDEN, "wrong_password"),
            AppError::NotSliding => (S::CONFLICT, "not_sliding"),
            AppError::ClaimsTooLarge => (S::INTERNAL_SERVER_ERROR, "claims_too_large"),
            AppError::InvalidAttribute(_) => (S::UNPROCESSABLE_ENTITY, "invalid_attribute"),
            AppError::InvalidGrant(_) => (S::UNAUTHORIZED, "invalid_grant"),
            AppError::NotARefreshToken => (S::UNAUTHORIZED, "refresh_token_expected"),
            AppError::AccessTokenMismatch => (S::UNAUTHORIZED, "access_token_required"),
            AppError::InvalidScope(_) => (S::UNPROCESSABLE_ENTITY, "invalid_scope"),
            AppError::ScopeNotGranted => (S::UNPROCESSABLE_ENTITY, "scope_not_granted"),
            AppError::SessionNotFound => (S::NOT_FOUND, "session_not_found"),
            AppError::AccountNotFound => (S::NOT_FOUND, "account_not_found"),
            AppError::InvalidClient => (S::UNAUTHORIZED, "invalid_client"),
            AppError::TooManyAttempts => (S::TOO_MANY_REQUESTS, "too_many_attempts"),
            AppError::TooLate => (S::SERVICE_UNAVAILABLE, "too_late"),
            AppError::Hashing(HashingError::Failed) => (S::SERVICE_UNAVAILABLE, "hashing_unavailable"),
            AppError::Hashing(HashingError::Overloaded)
            | AppError::Store(StoreError::Overloaded)
            | AppError::TooManyVerifiers
            | AppError::TooManySnapshots => (S::SERVICE_UNAVAILABLE, "overloaded"),
            AppError::Store(_) => (S::SERVICE_UNAVAILABLE, "store_unavailable"),
            AppError::Signing(_) => (S::SERVICE_UNAVAILABLE, "signing_unavailable"),
            AppError::Rejected(rejection) => {
                let (status, code) = (rejection.status(), rejection.code());
                let detail = rejection.detail();
                return Self { status, code: code.into(), detail, rejection: Some(rejection.clone()) };
            }
        };
        // What failed inside is for the log; outside it is enough that it will pass.
        if status == S::SERVICE_UNAVAILABLE {
            if code == "overloaded" {
                tracing::warn!(code, "request shed");
            } else {
                tracing::error!(%error, code, "request not served");
            }
            return Self::new(status, code, "the server cannot do this right now; nothing is lost: try again in a moment");
        }
        if matches!(error, AppError::ClaimsTooLarge) {
            tracing::error!(%error, "request not served");
            return Self::new(status, code, "the operator has to shorten what is configured about this account");
        }
        if let AppError::InvalidGrant(reason) = error {
            tracing::info!(reason, "refresh refused");
        }
        Self::new(status, code, error.to_string())
    }
}

impl From<counterfoil_guard::Rejection> for HttpError {
    fn from(rejection: counterfoil_guard::Rejection) -> Self {
        AppError::Rejected(rejection).into()
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        if let Some(rejection) = self.rejection {
            return rejection.into_response();
        }
        let code = self.code.clone();
        let problem = Problem {
            kind: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
        };
        let mut response = (self.status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_CONTENT_TYPE));
        finish(&mut response, &code);
        response
    }
}

/// How a client is to say who it is (RFC 7617 §2).
const BASIC_CHALLENGE: &str = r#"Basic realm="counterfoil", charset="UTF-8""#;

/// What every refusal needs besides its body.
fn finish(response: &mut Response, code: &str) {
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        // RFC 6585 §4. What people do is counted by the hour, what programs do by the minute.
        let seconds = if code == "too_many_attempts" { "60" } else { "600" };
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 §15.5.2: a 401 names a way to authenticate.
        let way = if code == "invalid_client" { BASIC_CHALLENGE } else { "Bearer" };
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(way));
    }
}

pub(super) async fn not_found(uri: Uri) -> Response {
    let error = HttpError::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path");
    error.into_response_in(RefusalForm::at(&uri))
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri, route: Option<MatchedPath>) -> Response {
    let detail = match route.and_then(|route| methods_at(route.as_str())) {
        Some(methods) => format!("{method} is not for this path: use {methods}"),
        None => format!("{method} is not for this path; the Allow header says what is"),
    };
    HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response_in(RefusalForm::at(&uri))
}

/// The last resort (ASVS 16.5.4): a bug. Nothing of it is told outside.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> HttpError {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(message = message.unwrap_or("unknown"), "a handler panicked: please report this");
    HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the server made a mistake")
}
