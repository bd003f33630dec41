//! `POST /oauth/revoke` (RFC 7009).

use crate::{
    app::{App, RequestOrigin, RevokedToken, SignOutOf},
    http::{
        HttpError,
        api::{NO_STORE, signed_out_with},
        form::{OauthForm, OauthRefusal},
        wait::{Wait, WaitQuery, receipt},
    },
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use counterfoil_wire::{OauthError, SignedOut};

/// Give a token back: either kind ends its session, and with it every token of it. Unknown and dead tokens are no error.
#[utoipa::path(post, path = "/oauth/revoke", tag = "oauth", params(WaitQuery),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`token=…`, and optionally `token_type_hint` and `client_id`"),
    responses(
        (status = 200, body = Option<SignedOut>, description = "Revoked, or nothing to do. With `wait`, and where something was revoked, who had heard of it; else no body"),
        (status = 400, body = OauthError, description = "`invalid_request`"),
        (status = 503, body = OauthError, description = "Try again after `Retry-After` seconds"),
    ))]
pub(in crate::http) async fn revoke(
    State(app): State<App>,
    origin: RequestOrigin,
    wait: Result<Wait, HttpError>,
    mut form: OauthForm,
) -> Result<Response, OauthRefusal> {
    let Wait(wait) = wait?;
    let missing = || HttpError::new(StatusCode::BAD_REQUEST, "invalid_request", "token is missing");
    let token = form.take("token").ok_or_else(missing)?;
    // The hint only says where to look first (RFC 7009 §2.1); the token says by itself what it is.
    let revoked = app.revoke_token(&token, form.take("client_id"), &origin).await?;
    // RFC 7009 §2.2: clients ignore the body, so only who asks for the receipt gets one.
    if let RevokedToken::Revoked(session, ended) = revoked
        && let Some(receipt) = receipt(&app, SignOutOf::Session(session), ended, wait, &origin).await
    {
        return Ok((NO_STORE, Json(signed_out_with(ended, Some(receipt)))).into_response());
    }
    Ok((StatusCode::OK, NO_STORE).into_response())
}
