//! `/v1/forward-auth`: verification for gateways (nginx `auth_request`, Traefik and Caddy forward auth, Envoy `ext_authz`).

use crate::{app::App, http::HttpError};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use counterfoil_guard::{CurrentUser, Rejection};
use counterfoil_wire::Problem;

const SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
const SESSION: HeaderName = HeaderName::from_static("x-auth-session");
const SCOPE: HeaderName = HeaderName::from_static("x-auth-scope");
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
    let mut headers = HeaderMap::with_capacity(5);
    let email = app.email_of(user.account()).await;
    let values = [
        (SUBJECT, Some(user.account().to_string())),
        (SESSION, Some(user.session().to_string())),
        (SCOPE, Some(user.scope().to_string())),
        (EMAIL_VERIFIED, email.as_ref().map(|email| email.is_verified.to_string())),
        (EMAIL, email.map(|email| email.address.as_ref().to_owned())),
    ];
    for (name, value) in values {
        // An address may hold any Unicode letter: UTF-8 bytes are opaque to HTTP (RFC 9110 §5.5), and nothing that
        // could end a header line gets past the rules for addresses and scopes.
        if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(headers)
}
