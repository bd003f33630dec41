//! `/v1/personal-tokens`: named tokens that a person makes for programs.

use super::{NO_STORE, signed_out};
use crate::{
    app::{App, AppError, NewPersonalTokenInput, RequestOrigin, personal_token_body},
    http::{HttpError, json::StrictJson, person::Person},
};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::IntoResponse,
};
use counterfoil_domain::{id::SessionId, time::UnixMillis};
use counterfoil_wire::{NewPersonalTokenBody, PersonalTokenList, Problem, SignedOut, Timestamp};
use serde::Deserialize;

/// A personal token to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct NewPersonalTokenRequest {
    /// What to call it, so that one knows later what it is for.
    #[schema(example = "nightly backup")]
    name: String,
    /// What it may do, separated by spaces: no more than the session that asks.
    #[schema(example = "account")]
    scope: String,
    /// When it ends. Without it, never.
    expires_at: Option<Timestamp>,
}

/// Make a personal token. Its secret is in this answer and never again.
#[utoipa::path(post, path = "/v1/personal-tokens", tag = "personal tokens", request_body = NewPersonalTokenRequest, security(("access_token" = []), ("cookie" = [])), responses(
    (status = 201, body = NewPersonalTokenBody),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`, `cross_origin`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`too_many_personal_tokens`"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many_requests`: a hundred an hour; try again after `Retry-After` seconds"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid_name`, `invalid_scope`, `scope_not_allowed`, `expiry_past`, `invalid_request`"),
))]
pub(in crate::http) async fn create(
    State(app): State<App>,
    Person(user): Person,
    origin: RequestOrigin,
    StrictJson(request, _held): StrictJson<NewPersonalTokenRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let NewPersonalTokenRequest { name, scope, expires_at } = request;
    let expires_at = expires_at.map(|at| UnixMillis::from_millis(at.as_unix_millis()));
    let input = NewPersonalTokenInput { name, scope, expires_at };
    let (token, secret) = app.create_personal_token(&user, input, &origin).await?;
    let body = NewPersonalTokenBody { token: secret.expose_text(), personal_token: personal_token_body(&token) };
    Ok((StatusCode::CREATED, NO_STORE, Json(body)))
}

/// The personal tokens of the signed-in account, newest first, without their secrets.
#[utoipa::path(get, path = "/v1/personal-tokens", tag = "personal tokens", security(("access_token" = []), ("cookie" = [])), responses(
    (status = 200, body = PersonalTokenList),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`"),
))]
pub(in crate::http) async fn list(
    State(app): State<App>,
    Person(user): Person,
) -> Result<impl IntoResponse, HttpError> {
    let tokens = app.personal_tokens(user.account()).await?;
    Ok((NO_STORE, Json(PersonalTokenList { personal_tokens: tokens.iter().map(personal_token_body).collect() })))
}

/// Delete one. It is refused everywhere within a second.
#[utoipa::path(delete, path = "/v1/personal-tokens/{id}", tag = "personal tokens", security(("access_token" = []), ("cookie" = [])),
    params(("id" = String, Path, description = "The token's id")), responses(
    (status = 200, body = SignedOut),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`, `cross_origin`"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`personal_token_not_found`: none, or not yours"),
))]
pub(in crate::http) async fn delete(
    State(app): State<App>,
    Person(user): Person,
    origin: RequestOrigin,
    id: Result<Path<String>, PathRejection>,
) -> Result<impl IntoResponse, HttpError> {
    let id = id.ok().and_then(|Path(id)| id.parse::<SessionId>().ok()).ok_or(AppError::PersonalTokenNotFound)?;
    let ended = app.delete_personal_token(user.account(), id, &origin).await?;
    Ok((NO_STORE, Json(signed_out(ended))))
}

/// Delete all of them.
#[utoipa::path(delete, path = "/v1/personal-tokens", tag = "personal tokens", security(("access_token" = []), ("cookie" = [])), responses(
    (status = 200, body = SignedOut),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`insufficient_scope`, `person_only`, `cross_origin`"),
))]
pub(in crate::http) async fn delete_all(
    State(app): State<App>,
    Person(user): Person,
    origin: RequestOrigin,
) -> Result<impl IntoResponse, HttpError> {
    let ended = app.delete_personal_tokens(user.account(), &origin).await?;
    Ok((NO_STORE, Json(signed_out(ended))))
}
