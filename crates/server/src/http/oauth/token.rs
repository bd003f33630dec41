//! `POST /oauth/token` (RFC 6749 §6).

use crate::{
    app::{App, RefreshInput, RequestOrigin, Transport},
    http::{
        HttpError,
        api::NO_STORE,
        form::{OauthForm, OauthRefusal},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use counterfoil_wire::{OauthError, OauthTokenReply};

/// HTTP/1.0 caches, which RFC 6749 §5.1 still thinks of.
const PRAGMA: [(HeaderName, HeaderValue); 1] = [(header::PRAGMA, HeaderValue::from_static("no-cache"))];

/// Trade a refresh token for new tokens, the OAuth way.
#[utoipa::path(post, path = "/oauth/token", tag = "oauth",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`grant_type=refresh_token&refresh_token=…`, and optionally `scope` and `client_id`"),
    responses(
        (status = 200, body = OauthTokenReply),
        (status = 400, body = OauthError, description = "`invalid_request`, `invalid_grant`, `invalid_scope`, `unsupported_grant_type`"),
        (status = 503, body = OauthError, description = "Try again after `Retry-After` seconds"),
    ))]
pub(in crate::http) async fn token(
    State(app): State<App>,
    origin: RequestOrigin,
    mut form: OauthForm,
) -> Result<impl IntoResponse, OauthRefusal> {
    let missing = |name| HttpError::new(StatusCode::BAD_REQUEST, "invalid_request", format!("{name} is missing"));
    let grant_type = form.take("grant_type").ok_or_else(|| missing("grant_type"))?;
    if grant_type != "refresh_token" {
        let detail = "this server trades refresh tokens: grant_type=refresh_token";
        return Err(HttpError::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", detail).into());
    }
    let input = RefreshInput {
        refresh_token: form.take("refresh_token").ok_or_else(|| missing("refresh_token"))?,
        access_token: form.take("access_token"),
        scope: form.take("scope"),
        client_id: form.take("client_id"),
        transport: Transport::Body,
    };
    let reply = app.refresh(input, &origin).await?.reply;
    let reply = OauthTokenReply {
        access_token: reply.access_token.unwrap_or_default(),
        token_type: reply.token_type.unwrap_or_default(),
        expires_in: reply.expires_in.unwrap_or_default(),
        refresh_token: reply.refresh_token.unwrap_or_default(),
        scope: reply.scope,
    };
    Ok((NO_STORE, PRAGMA, Json(reply)))
}
