//! `?wait=1s`: how long a sign-out waits for the verifiers before it is answered.

use super::HttpError;
use crate::{
    app::{App, EndedSessions, RECEIPT_WAIT_MAX, RequestOrigin, SignOutOf},
    config::HumanDuration,
};
use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use counterfoil_wire::Receipt;
use serde::Deserialize;
use std::time::Duration;

/// How long to wait for verifiers.
#[derive(Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WaitQuery {
    /// Answer when every verifier that could still accept a token has applied this, or after so long, such as `1s` (at most
    /// `10s`); `receipt` then says who had.
    pub(super) wait: Option<String>,
}

/// The same, as a handler takes it.
pub(super) struct Wait(pub(super) Option<Duration>);

impl<S: Send + Sync> FromRequestParts<S> for Wait {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let detail = "expected nothing, or `wait=1s` after the question mark";
        let invalid = |_| HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", detail);
        let Query(query) = Query::<WaitQuery>::from_request_parts(parts, state).await.map_err(invalid)?;
        parse_wait(query.wait.as_deref()).map(Self)
    }
}

/// The time to wait, if any is asked for.
///
/// # Errors
/// 400 `invalid_query`.
pub(super) fn parse_wait(text: Option<&str>) -> Result<Option<Duration>, HttpError> {
    let Some(text) = text else { return Ok(None) };
    let wait = text.parse::<humantime::Duration>().ok().map(Duration::from).filter(|wait| *wait <= RECEIPT_WAIT_MAX);
    let most = HumanDuration::from(RECEIPT_WAIT_MAX);
    let refused = || {
        let detail = format!("`wait` is a time of at most {most}, such as `1s` or `500ms`");
        HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
    };
    wait.ok_or_else(refused).map(Some)
}

/// Waits for the verifiers, if that was asked for.
pub(super) async fn receipt(
    app: &App,
    of: SignOutOf,
    ended: EndedSessions,
    wait: Option<Duration>,
    origin: &RequestOrigin,
) -> Option<Receipt> {
    Some(app.confirm(of, ended, wait?, origin).await)
}
