//! `GET /.well-known/jwks.json` (RFC 7517 §5).

use crate::app::App;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};

/// The public keys of access tokens.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "oauth", responses(
    (status = 200, content_type = "application/jwk-set+json", description = "A JWK Set; empty when tokens are signed with a shared secret"),
))]
pub(in crate::http) async fn jwks(State(app): State<App>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        // Long enough to spare requests, short enough that a new key is known before it signs.
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
        // Public, and browsers must be able to verify (RFC 9700 §2.6).
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    (headers, app.jwks().to_owned())
}
