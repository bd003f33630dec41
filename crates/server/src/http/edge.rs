//! What every request passes on its way in and every answer on its way out, in one layer: an id, a limit of time, a net
//! under panics, and the headers that all answers have. One layer and not five, because each would box the request's
//! future anew, and verification takes no longer than a few such boxes.

use super::{
    HttpError,
    error::{self, RefusalForm},
    request_context::{InRequest, RequestContext},
    requests::RequestCounts,
};
use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{FutureExt, future::CatchUnwind};
use pin_project_lite::pin_project;
use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Timeout, timeout};
use tower::{Layer, Service};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps a service in an [`Edge`].
#[derive(Clone)]
pub(super) struct EdgeLayer {
    /// A request that has no answer after this long is given up with 503.
    pub(super) request_timeout: Duration,
    /// Counts the answers.
    pub(super) counts: RequestCounts,
}

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, inner: S) -> Edge<S> {
        Edge { inner, request_timeout: self.request_timeout, counts: self.counts.clone() }
    }
}

/// See [`EdgeLayer`].
#[derive(Clone)]
pub(super) struct Edge<S> {
    inner: S,
    request_timeout: Duration,
    counts: RequestCounts,
}

impl<S> Service<Request> for Edge<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = EdgeFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let context = RequestContext::of(&request);
        let form = RefusalForm::at(request.uri());
        let handled = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        EdgeFuture { form, counts: self.counts.clone(), handled: context.scope(timeout(self.request_timeout, handled)) }
    }
}

pin_project! {
    /// The answer on its way through the [`Edge`]. Its parts are named and not boxed.
    pub(super) struct EdgeFuture<F> {
        form: RefusalForm,
        counts: RequestCounts,
        #[pin]
        handled: InRequest<Timeout<CatchUnwind<AssertUnwindSafe<F>>>>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for EdgeFuture<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (form, mut handled) = (*this.form, this.handled);
        let outcome = ready!(handled.as_mut().poll(context));
        let Some(request) = handled.take_value() else { return Poll::Pending };
        let id = request.id;
        let mut response = request.sync_scope(|| {
            let response = match outcome {
                Ok(Ok(Ok(response))) => response,
                Ok(Err(panic)) => error::panicked(&*panic).into_response_in(form),
                Err(_) => too_late().into_response_in(form),
            };
            tracing::debug!(status = response.status().as_u16(), "answered");
            response
        });
        this.counts.add(response.status());
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id.to_header_value());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Poll::Ready(Ok(response))
    }
}

fn too_late() -> HttpError {
    let detail = "the server did not get to this in time; repeat the request in a moment";
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, routing::get};
    use tower::ServiceExt;

    async fn answer_of(handler: Router) -> Response {
        let edge = EdgeLayer { request_timeout: Duration::from_millis(20), counts: RequestCounts::default() };
        handler.layer(edge).oneshot(Request::new(Body::empty())).await.unwrap()
    }

    #[tokio::test]
    async fn what_hangs_is_answered_with_503_and_retry_after() {
        let answer = answer_of(Router::new().route("/", get(std::future::pending::<()>))).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    }

    #[tokio::test]
    async fn what_panics_is_answered_with_500_and_nothing_of_the_panic() {
        async fn panic() {
            panic!("a secret");
        }
        let answer = answer_of(Router::new().route("/", get(panic))).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[REQUEST_ID].len(), 16);
        let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("secret"), "{body:?}");
    }

    #[tokio::test]
    async fn every_answer_has_an_id_of_its_own() {
        let router = || Router::new().route("/", get(|| async { "ok" }));
        let (first, second) = (answer_of(router()).await, answer_of(router()).await);
        assert_ne!(first.headers()[REQUEST_ID], second.headers()[REQUEST_ID]);
        assert_eq!(first.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
}
