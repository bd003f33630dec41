//! Whether the process lives, and whether it should be given requests.

use crate::app::App;
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The answer of both.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// `ok`, `ready` or `unavailable`.
    #[schema(value_type = String, example = "ready")]
    status: &'static str,
    /// What was looked at, and how it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Checks>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Checks {
    /// Whether the store reads and writes.
    #[schema(value_type = String, example = "ok")]
    store: &'static str,
    /// Whether the revocations are loaded, and known up to the last seconds.
    #[schema(value_type = String, example = "ok")]
    feed: &'static str,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Health)))]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "ok", checks: None })
}

/// The process can serve: its store reads and writes, and it knows of every sign-out of the last seconds.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = Health), (status = 503, body = Health, description = "Not ready")))]
pub(super) async fn ready(State(app): State<App>) -> Response {
    let word = |good: bool| if good { "ok" } else { "unavailable" };
    let (store, feed) = (app.is_store_good().await, app.is_feed_fresh());
    let checks = Some(Checks { store: word(store), feed: word(feed) });
    if store && feed {
        return Json(Health { status: "ready", checks }).into_response();
    }
    let retry = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
    (StatusCode::SERVICE_UNAVAILABLE, retry, Json(Health { status: "unavailable", checks })).into_response()
}
