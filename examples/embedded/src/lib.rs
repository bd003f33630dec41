//! An axum app that brings its own authentication server: one process, one port, one data folder.
//!
//! Two lines do it: take the guard as your router's state, and merge the server's paths into yours. The whole of it is
//! [`app`]; `main.rs` opens the server and listens.

use axum::{Json, Router, routing::get};
use counterfoil::{Counterfoil, CurrentUser};
use std::collections::BTreeMap;

/// Our own paths beside those of Counterfoil (`/v1/accounts`, `/v1/sessions`, …).
pub fn app(counterfoil: &Counterfoil) -> Router {
    Router::new()
        .route("/", get(welcome))
        .route("/hello", get(hello))
        // Handlers that take a `CurrentUser` find in the state who verifies tokens.
        .with_state(counterfoil.guard())
        .merge(counterfoil.router())
}

/// Open to everybody.
async fn welcome() -> &'static str {
    "Sign up at /v1/accounts, then ask /hello with your access token.\n"
}

/// Taking a `CurrentUser` is all the protection there is to write: without a good access token axum answers 401 and this
/// function is not called. It costs a signature check and a look into memory; no store is asked.
async fn hello(user: CurrentUser) -> Json<BTreeMap<&'static str, String>> {
    Json(BTreeMap::from([
        ("hello", user.account().to_string()),
        ("session", user.session().to_string()),
        ("scope", user.scope().to_string()),
    ]))
}
