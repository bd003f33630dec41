//! One id and one log line for each request.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::{Instrument, Level};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Counts requests; the process's start makes ids of different runs differ.
static NEXT_REQUEST: AtomicU64 = AtomicU64::new(0);

/// Gives the request an id, which its log lines and its answer carry, and logs how it ended. The log holds the route's
/// pattern and no header, query or body: those are where secrets are.
pub(super) async fn log_request(request: Request, next: Next) -> Response {
    let id = format!("{:08x}-{:x}", std::process::id(), NEXT_REQUEST.fetch_add(1, Ordering::Relaxed));
    let response = if tracing::enabled!(Level::INFO) {
        let path = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str);
        let span = tracing::info_span!("request", id, method = %request.method(), path);
        let response = next.run(request).instrument(span.clone()).await;
        let status = response.status();
        span.in_scope(|| tracing::debug!(status = status.as_u16(), "answered"));
        response
    } else {
        next.run(request).await
    };
    with_request_id(response, &id)
}

fn with_request_id(mut response: Response, id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
