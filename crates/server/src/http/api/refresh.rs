//! `/v1/sessions/current/refresh`.

use super::NO_STORE;
use crate::{
    app::{App, RefreshInput, RequestOrigin},
    http::{HttpError, json::StrictJson},
};
use axum::{Json, extract::State, response::IntoResponse};
use counterfoil_wire::{Problem, TokenReply};
use serde::Deserialize;

/// A refresh.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct RefreshRequest {
    /// The newest refresh token received.
    #[schema(example = "cfr_…")]
    refresh_token: String,
    /// The access token of the same session, ended or not. Whoever stole the refresh token alone has not got it.
    access_token: Option<String>,
}

/// Trade a refresh token for new tokens. Safe to repeat after a lost reply: a retry soon after gets the same successor.
#[utoipa::path(post, path = "/v1/sessions/current/refresh", tag = "sessions", request_body = RefreshRequest, responses(
    (status = 200, body = TokenReply),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invalid_grant`, `refresh_token_expected`, `access_token_required`"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds; nobody is signed out by it"),
))]
pub(in crate::http) async fn refresh(
    State(app): State<App>,
    origin: RequestOrigin,
    StrictJson(request, _held): StrictJson<RefreshRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let RefreshRequest { refresh_token, access_token } = request;
    let input = RefreshInput { refresh_token, access_token, ..RefreshInput::default() };
    Ok((NO_STORE, Json(app.refresh(input, &origin).await?)))
}
