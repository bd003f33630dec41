//! `GET /.well-known/oauth-authorization-server` (RFC 8414).

use crate::app::App;
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use serde::Serialize;

/// What the server offers, for OAuth clients. Only what is really there (RFC 8414 §2).
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Metadata {
    issuer: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    /// Required by the RFC, which also forbids empty lists: `none` is the registered value for a server whose
    /// authorization endpoint gives nothing out, and there is no such endpoint.
    #[schema(value_type = Vec<String>)]
    response_types_supported: [&'static str; 1],
    #[schema(value_type = Vec<String>)]
    grant_types_supported: [&'static str; 1],
    #[schema(value_type = Vec<String>)]
    token_endpoint_auth_methods_supported: [&'static str; 1],
    #[schema(value_type = Vec<String>)]
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
    #[schema(value_type = Vec<String>)]
    introspection_endpoint_auth_methods_supported: [&'static str; 1],
    /// Where verifiers follow the revocations: `/v1/feed`. A member of our own, as RFC 8414 §2 allows.
    counterfoil_feed_endpoint: String,
    #[schema(value_type = Vec<String>)]
    scopes_supported: Vec<String>,
}

/// The same under the name that OpenID Connect's clients know (RFC 8414 §5): many libraries look nowhere else.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "oauth", responses((status = 200, body = Metadata)))]
pub(in crate::http) async fn openid_configuration(state: State<App>) -> impl IntoResponse {
    metadata(state).await
}

/// What the server offers, for OAuth clients.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "oauth", responses((status = 200, body = Metadata)))]
pub(in crate::http) async fn metadata(State(app): State<App>) -> impl IntoResponse {
    let issuer = &app.settings().issuer;
    let at = |path: &str| format!("{issuer}{path}");
    let metadata = Metadata {
        issuer: issuer.clone(),
        token_endpoint: at("/oauth/token"),
        revocation_endpoint: at("/oauth/revoke"),
        introspection_endpoint: at("/oauth/introspect"),
        counterfoil_feed_endpoint: at("/v1/feed"),
        jwks_uri: at("/.well-known/jwks.json"),
        response_types_supported: ["none"],
        grant_types_supported: ["refresh_token"],
        token_endpoint_auth_methods_supported: ["none"],
        revocation_endpoint_auth_methods_supported: ["none"],
        introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
        scopes_supported: app.settings().scope_grants.everybody.iter().map(str::to_owned).collect(),
    };
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    (headers, Json(metadata))
}
