//! `/v1/sessions/current/extend`: a later end for a sliding session.

use super::NO_STORE;
use crate::{
    app::{App, RequestOrigin, Transport},
    http::{
        HttpError,
        cookies::{self, HeldKinds},
    },
};
use axum::{Json, extract::State, http::HeaderMap, response::IntoResponse};
use counterfoil_guard::CurrentUser;
use counterfoil_wire::{Problem, TokenReply};

/// A new token with a later end, never past the session's absolute limit. The presented one stays good until its own.
#[utoipa::path(post, path = "/v1/sessions/current/extend", tag = "sessions", security(("access_token" = []), ("cookie" = [])), responses(
    (status = 200, body = TokenReply, description = "The token comes as the presented one did: in the body, or in a cookie"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "Not signed in, or not any more"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_origin`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`not_sliding`: only sessions with the policy `sliding` are extended"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds"),
))]
pub(in crate::http) async fn extend(
    State(app): State<App>,
    user: CurrentUser,
    origin: RequestOrigin,
    headers: HeaderMap,
) -> Result<impl IntoResponse, HttpError> {
    let is_cookie = app.guard().is_from_cookie(&headers);
    let transport = if is_cookie { Transport::Cookie { with_access_token: false } } else { Transport::Body };
    let issued = app.extend(&user, transport, &origin).await?;
    let set = cookies::set(&issued.cookies, &HeldKinds::default(), &app.settings().cookies)?;
    Ok((NO_STORE, set, Json(issued.reply)))
}
