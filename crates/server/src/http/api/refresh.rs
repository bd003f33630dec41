//! `/v1/sessions/current/refresh`.

use super::NO_STORE;
use crate::{
    app::{App, RefreshInput, RequestOrigin, Transport},
    http::{
        HttpError,
        cookies::{self, Cookies, HeldKinds},
        json::OptionalJson,
    },
};
use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use counterfoil_guard::{CookieKind, Rejection};
use counterfoil_wire::{Problem, TokenReply};
use serde::Deserialize;

/// A refresh. With the cookie it may be left out.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(in crate::http) struct RefreshRequest {
    /// The newest refresh token received; leave it out where it is in the cookie.
    #[schema(example = "cfr_…")]
    refresh_token: Option<String>,
    /// The access token of the same session, ended or not. Whoever stole the refresh token alone has not got it.
    access_token: Option<String>,
}

/// Trade a refresh token for new tokens. Safe to repeat after a lost reply: a retry soon after gets the same successor.
/// What came in a cookie goes back in a cookie.
#[utoipa::path(post, path = "/v1/sessions/current/refresh", tag = "sessions", request_body = Option<RefreshRequest>, responses(
    (status = 200, body = TokenReply),
    (status = 400, body = Problem, content_type = "application/problem+json", description = "`credentials_ambiguous`: a token in the body and another in a cookie"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invalid_grant`, `refresh_token_expected`, `access_token_required`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`cross_origin`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid_request`: no refresh token anywhere"),
    (status = 503, body = Problem, content_type = "application/problem+json", description = "Try again after `Retry-After` seconds; nobody is signed out by it"),
))]
pub(in crate::http) async fn refresh(
    State(app): State<App>,
    origin: RequestOrigin,
    cookies: Cookies,
    OptionalJson(request, _held): OptionalJson<RefreshRequest>,
) -> Result<impl IntoResponse, HttpError> {
    let RefreshRequest { refresh_token, access_token } = request.unwrap_or_default();
    let in_cookie = cookies.get(CookieKind::Refresh).map(str::to_owned);
    let (refresh_token, transport) = match (refresh_token, in_cookie) {
        (Some(_), Some(_)) => return Err(Rejection::Ambiguous.into()),
        (Some(token), None) => (token, Transport::Body),
        (None, Some(token)) => {
            cookies.demand_same_origin()?;
            let with_access_token = cookies.get(CookieKind::Access).is_some();
            (token, Transport::Cookie { with_access_token })
        }
        (None, None) => {
            let detail = "the member `refresh_token` is missing, and no cookie carries one";
            return Err(HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail));
        }
    };
    let input = RefreshInput { refresh_token, access_token, scope: None, client_id: None, transport };
    let issued = app.refresh(input, &origin).await?;
    let set = cookies::set(&issued.cookies, &HeldKinds::default(), &app.settings().cookies)?;
    Ok((NO_STORE, set, Json(issued.reply)))
}
