//! `POST /oauth/introspect` (RFC 7662).
//!
//! The answer is never to be cached, although RFC 7662 §4 allows it: whoever keeps `"active": true` for ten seconds makes a
//! sign-out take ten seconds. Who wants to ask less often follows the feed, which says when an answer is over.

use crate::{
    app::{App, RequestOrigin},
    http::{
        HttpError,
        api::NO_STORE,
        form::{OauthForm, OauthRefusal},
        verifier::Verifier,
    },
};
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use counterfoil_wire::{Introspection, OauthError};

/// Whether a token is good right now: an access token, a refresh token or a personal token. The store is asked.
#[utoipa::path(post, path = "/oauth/introspect", tag = "oauth", security(("client" = [])),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`token=…`, and optionally `token_type_hint`"),
    responses(
        (status = 200, body = Introspection, description = "What it is; of one that is not good only `\"active\": false`"),
        (status = 400, body = OauthError, description = "`invalid_request`"),
        (status = 401, body = OauthError, description = "`invalid_client`"),
        (status = 503, body = OauthError, description = "Nothing can be said now: try again after `Retry-After` seconds"),
    ))]
pub(in crate::http) async fn introspect(
    State(app): State<App>,
    verifier: Result<Verifier, HttpError>,
    origin: RequestOrigin,
    mut form: OauthForm,
) -> Result<impl IntoResponse, OauthRefusal> {
    verifier?;
    let missing = || HttpError::new(StatusCode::BAD_REQUEST, "invalid_request", "token is missing");
    let token = form.take("token").ok_or_else(missing)?;
    // The hint only says where to look first (RFC 7662 §2.1); the token says by itself what it is.
    Ok((NO_STORE, Json(app.introspect(&token, &origin).await?)))
}
