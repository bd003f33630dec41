//! `/v1/forward-auth`: verification for gateways (nginx `auth_request`, Traefik and Caddy forward auth, Envoy `ext_authz`).

use crate::{app::App, http::HttpError};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
};
use counterfoil_guard::{CurrentUser, Rejection};
use counterfoil_wire::Problem;

const EMAIL_VERIFIED: HeaderName = HeaderName::from_static("x-auth-email-verified");
const EMAIL: HeaderName = HeaderName::from_static("x-auth-email");

/// Whether the request behind a gateway is signed in, and as whom. Any method will do. No store is asked.
#[utoipa::path(get, path = "/v1/forward-auth", tag = "verification", security(("access_token" = [])), responses(
    (status = 200, description = "Signed in", headers(
        ("X-Auth-Subject" = String, description = "The account's id"),
        ("X-Auth-Session" = String, description = "The session's id"),
        ("X-Auth-Scope" = String, description = "What the token may do"),
        ("X-Auth-Email" = String, description = "The account's address, where it is known. No identity: see X-Auth-Email-Verified"),
        ("X-Auth-Email-Verified" = String, description = "`true` once the person has shown that the address is theirs"),
    )),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "No access token, or not a good one"),
))]
pub(in crate::http) async fn forward_auth(
    State(app): State<App>,
    user: Result<CurrentUser, Rejection>,
) -> Result<HeaderMap, HttpError> {
    // Gateways know 2xx, 401 and 403; nginx turns anything else into a 500. A header that is no credential is none.
    let user = user.map_err(|rejection| match rejection {
        Rejection::Malformed(what) => Rejection::Refused { code: "authorization_malformed", detail: what.to_owned() },
        other => other,
    })?;
    let email = app.email_of(user.account()).await;
    let mut headers = user.identity_headers().clone();
    if let Some(email) = email {
        headers.insert(EMAIL_VERIFIED, HeaderValue::from_static(if email.is_verified { "true" } else { "false" }));
        // An address may hold any Unicode letter: UTF-8 bytes are opaque to HTTP (RFC 9110 §5.5), and nothing that could
        // end a header line gets past the rules for addresses.
        headers.extend(HeaderValue::from_maybe_shared(email.address).ok().map(|address| (EMAIL, address)));
    }
    Ok(headers)
}
