//! No request waits without bound.

use super::HttpError;
use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Duration;

/// Gives a request up after `timeout`: the answer is 503 like every other that says "later", `Retry-After` included.
pub(super) async fn limit(timeout: Duration, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(timeout, next.run(request)).await;
    answered.unwrap_or_else(|_| {
        let detail = "the server did not get to this in time; repeat the request in a moment";
        HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, http::header, middleware, routing::get};
    use tower::ServiceExt;

    #[tokio::test]
    async fn what_hangs_is_answered_with_503_and_retry_after() {
        let limit = middleware::from_fn(|request, next| limit(Duration::from_millis(20), request, next));
        let hanging = Router::new().route("/", get(std::future::pending::<()>)).layer(limit);
        let answer = hanging.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
