//! `GET /.well-known/jwks.json` (RFC 7517 §5).

use crate::app::App;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The public keys of access tokens: of those that sign, that signed, and that will sign.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "oauth", responses(
    (status = 200, content_type = "application/jwk-set+json", description = "A JWK Set; empty when tokens are signed with a shared secret"),
    (status = 304, description = "The copy named in `If-None-Match` is still good"),
))]
pub(in crate::http) async fn jwks(State(app): State<App>, asked: HeaderMap) -> Response {
    let published = app.published_keys();
    let max_age = app.settings().key_terms.jwks_max_age.as_secs();
    let mut headers = HeaderMap::new();
    // A new key signs only after this time and a margin: whoever keeps a copy no longer than that never lacks a key.
    let cache_control = HeaderValue::try_from(format!("public, max-age={max_age}"));
    headers.extend(cache_control.ok().map(|value| (header::CACHE_CONTROL, value)));
    headers.insert(header::ETAG, published.entity_tag().clone());
    // Public, and browsers must be able to verify (RFC 9700 §2.6).
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if is_known(&asked, published.entity_tag()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    (headers, published.body().clone()).into_response()
}

/// Whether the asker holds this very set (RFC 9110 §13.1.2). A comma in somebody else's tag names nothing of ours.
fn is_known(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let fields = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|field| field.to_str().ok());
    let mut tags = fields.flat_map(|field| field.split(',')).map(str::trim);
    tags.any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held).as_bytes() == tag.as_bytes())
}
