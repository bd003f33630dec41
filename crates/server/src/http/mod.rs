//! The server's outside: paths, bodies, answers. Handlers are thin: parse, call the use case, present.

pub mod api;
mod body;
mod cookies;
mod edge;
mod error;
mod form;
mod health;
mod json;
mod metrics;
pub mod oauth;
mod openapi;
mod origin;
mod person;
pub(crate) mod request_context;
mod requests;
mod serve;
mod verifier;
mod wait;

pub use body::{BODY_BYTES_MAX, LARGE_BODIES_BYTES_MAX, SMALL_BODY_BYTES_MAX};
pub use error::HttpError;
pub use openapi::openapi_document;
pub use serve::{ServeOptions, serve};

use crate::app::App;
use axum::{
    Extension, Router,
    extract::FromRef,
    routing::{any, delete, get, post, put},
};
use counterfoil_guard::Guard;
use edge::EdgeLayer;
use requests::RequestCounts;
use std::time::Duration;

/// A request that has no answer after this long is given up with 503.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

impl FromRef<App> for Guard {
    fn from_ref(app: &App) -> Self {
        app.guard().clone()
    }
}

/// The whole server as a router: every path of the API, ready to be served or nested into another app.
pub fn router(app: App) -> Router {
    let counts = RequestCounts::default();
    Router::new()
        .route("/v1/accounts", post(api::accounts::sign_up))
        .route("/v1/sessions", post(api::sessions::sign_in).get(api::sessions::list).delete(api::sessions::end_all))
        .route("/v1/sessions/current/refresh", post(api::refresh::refresh))
        .route("/oauth/token", post(oauth::token::token))
        .route("/oauth/revoke", post(oauth::revoke::revoke))
        .route("/oauth/introspect", post(oauth::introspect::introspect))
        .route("/v1/feed", get(api::feed::poll))
        .route("/v1/feed/snapshot", get(api::feed::snapshot))
        .route("/v1/feed/state", get(api::feed::state))
        .route("/v1/account", get(api::account::show).patch(api::account::change).delete(api::account::delete))
        .route("/v1/account/password", put(api::account::change_password))
        .route("/v1/sessions/current/extend", post(api::extend::extend))
        .route(
            "/v1/personal-tokens",
            get(api::personal_tokens::list).post(api::personal_tokens::create).delete(api::personal_tokens::delete_all),
        )
        .route("/v1/personal-tokens/{id}", delete(api::personal_tokens::delete))
        .route("/v1/sessions/{id}", delete(api::sessions::end_one))
        .route("/v1/forward-auth", any(api::forward_auth::forward_auth))
        .route("/v1/openapi.json", get(openapi::serve_document))
        .route("/.well-known/jwks.json", get(oauth::jwks::jwks))
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata::metadata))
        .route("/.well-known/openid-configuration", get(oauth::metadata::openid_configuration))
        .route("/metrics", get(metrics::metrics).layer(Extension(counts.clone())))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .with_state(app)
        .layer(EdgeLayer { request_timeout: REQUEST_TIMEOUT, counts })
}
