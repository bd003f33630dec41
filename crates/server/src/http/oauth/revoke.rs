//! `POST /oauth/revoke` (RFC 7009).

use crate::{
    app::{App, RequestOrigin},
    http::{
        HttpError,
        api::NO_STORE,
        form::{OauthForm, OauthRefusal},
    },
};
use axum::{extract::State, http::StatusCode, response::IntoResponse};
use counterfoil_wire::OauthError;

/// Give a token back: either kind ends its session, and with it every token of it. Unknown and dead tokens are no error.
#[utoipa::path(post, path = "/oauth/revoke", tag = "oauth",
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`token=…`, and optionally `token_type_hint` and `client_id`"),
    responses(
        (status = 200, description = "Revoked, or nothing to do"),
        (status = 400, body = OauthError, description = "`invalid_request`"),
        (status = 503, body = OauthError, description = "Try again after `Retry-After` seconds"),
    ))]
pub(in crate::http) async fn revoke(
    State(app): State<App>,
    origin: RequestOrigin,
    mut form: OauthForm,
) -> Result<impl IntoResponse, OauthRefusal> {
    let missing = || HttpError::new(StatusCode::BAD_REQUEST, "invalid_request", "token is missing");
    let token = form.take("token").ok_or_else(missing)?;
    // The hint only says where to look first (RFC 7009 §2.1); the token says by itself what it is.
    app.revoke_token(&token, form.take("client_id"), &origin).await?;
    Ok((StatusCode::OK, NO_STORE))
}
