//! `/v1/sessions`: sign in, list, sign out.

use super::NO_STORE;
use crate::{
    app::{App, AppError, EndedSessions, RequestOrigin, SignInInput, SignInOptions, feed_place, session_body},
    http::{HttpError, json::StrictJson},
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::StatusCode,
    response::IntoResponse,
};
use counterfoil_domain::{id::SessionId, secret::PasswordText, session::EndOne};
use counterfoil_guard::CurrentUser;
use counterfoil_wire::{Problem, SessionList, SignedOut, TokenReply};
use serde::Deserialize;

/// A sign-in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct SignInRequest {
    /// The address of the account.
    #[schema(example = "minsu@example.com")]
    email: String,
    /// Its password.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    password: PasswordText,
    /// The session policy: `refresh`.
    #[schema(example = "refresh")]
    policy: Option<String>,
    /// How tokens travel: `body`.
    #[schema(example = "body")]
    transport: Option<String>,
    /// What the person calls the device.
    device_name: Option<String>,
}

/// Sign in with e-mail address and password.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = SignInRequest, responses(
    (status = 201, body = TokenReply),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invalid_credentials`: the same for an unknown account and a wrong password"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`policy_not_allowed`, `transport_not_allowed`, `invalid_name`, `invalid_request`"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn sign_in(
    State(app): State<App>,
    origin: RequestOrigin,
    StrictJson(request, _held): StrictJson<SignInRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let SignInRequest { email, password, policy, transport, device_name } = request;
    let options = SignInOptions { policy, transport, device_name };
    let reply = app.sign_in(SignInInput { email, password, options }, &origin).await?;
    Ok((StatusCode::CREATED, NO_STORE, Json(reply)))
}

/// The living sessions of the signed-in account, newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", security(("access_token" = [])), responses(
    (status = 200, body = SessionList),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "No access token, or not a good one"),
))]
pub(in crate::http) async fn list(State(app): State<App>, user: CurrentUser) -> Result<impl IntoResponse, HttpError> {
    let sessions = app.living_sessions(user.account()).await?;
    let sessions = sessions.iter().map(|session| session_body(session, Some(user.session()))).collect();
    Ok((NO_STORE, Json(SessionList { sessions })))
}

/// Sign out one session of the signed-in account; `current` is the one that asks.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "sessions", security(("access_token" = [])),
    params(("id" = String, Path, description = "The session's id, or `current`")), responses(
    (status = 200, body = SignedOut),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "No access token, or not a good one"),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`session_not_found`: none, or not yours"),
))]
pub(in crate::http) async fn end_one(
    State(app): State<App>,
    user: CurrentUser,
    origin: RequestOrigin,
    id: Result<Path<String>, PathRejection>,
) -> Result<impl IntoResponse, HttpError> {
    // What is not even a text is no session's name either.
    let id = match id.map(|Path(id)| id).as_deref() {
        Ok("current") => user.session(),
        Ok(text) => text.parse::<SessionId>().map_err(|_| AppError::SessionNotFound)?,
        Err(_) => return Err(AppError::SessionNotFound.into()),
    };
    let ended = app.end_session(id, EndOne::Owner(user.account()), &origin).await?;
    Ok((NO_STORE, Json(signed_out(ended))))
}

/// Which sessions a sign-out everywhere spares.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct EndAllQuery {
    /// `true` keeps the session that asks.
    #[serde(default)]
    keep_current: bool,
}

/// Sign out everywhere, or everywhere else.
#[utoipa::path(delete, path = "/v1/sessions", tag = "sessions", security(("access_token" = [])), params(EndAllQuery), responses(
    (status = 200, body = SignedOut),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`invalid_query`"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "No access token, or not a good one"),
))]
pub(in crate::http) async fn end_all(
    State(app): State<App>,
    user: CurrentUser,
    origin: RequestOrigin,
    query: Result<Query<EndAllQuery>, QueryRejection>,
) -> Result<impl IntoResponse, HttpError> {
    let Query(query) = query.map_err(|_| {
        let detail = "expected nothing, `keep_current=true` or `keep_current=false` after the question mark";
        HttpError::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
    })?;
    let keep = query.keep_current.then_some(user.session());
    let ended = app.end_sessions(user.account(), keep, &origin).await?;
    Ok((NO_STORE, Json(signed_out(ended))))
}

const fn signed_out(ended: EndedSessions) -> SignedOut {
    SignedOut { revoked: ended.revoked, feed: feed_place(ended.feed) }
}
