//! A layer for whatever speaks tower: it answers refusals itself and puts the user into the request.

use crate::{CurrentUser, Guard};
use http::{Extensions, Request, Response};
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Lets requests through that have a good credential, and answers the others itself.
///
/// The user is in the request's extensions; in axum, a handler takes it as [`CurrentUser`] and nothing is verified twice.
/// The answer's body is any that can be made of bytes: axum's, or `http_body_util::Full<Bytes>` under plain hyper.
///
/// ```
/// use axum::{Router, routing::get};
/// use counterfoil_guard::{CurrentUser, Guard};
///
/// fn app(guard: Guard) -> Router {
///     Router::new()
///         .route("/invoices", get(async |user: CurrentUser| user.account().to_string()))
///         .layer(guard.layer())
///         .with_state(guard)
/// }
/// ```
#[derive(Clone)]
pub struct RequireUserLayer {
    guard: Guard,
}

impl Guard {
    /// A layer that lets nobody through without a good credential.
    pub fn layer(&self) -> RequireUserLayer {
        RequireUserLayer { guard: self.clone() }
    }
}

/// By which guard a request was let in, and under which policy. A guard of other rules must not take its word.
#[derive(Clone)]
struct LetInBy(Guard);

/// The user whom this very guard has let in already.
pub(crate) fn let_in_by(guard: &Guard, extensions: &Extensions) -> Option<CurrentUser> {
    let LetInBy(Guard(inner, when_stale)) = extensions.get()?;
    let is_same = Arc::ptr_eq(inner, &guard.0) && *when_stale == guard.1;
    extensions.get::<CurrentUser>().filter(|_| is_same).cloned()
}

impl fmt::Debug for RequireUserLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireUserLayer")
    }
}

impl<S> Layer<S> for RequireUserLayer {
    type Service = RequireUser<S>;

    fn layer(&self, inner: S) -> RequireUser<S> {
        RequireUser { inner, guard: self.guard.clone() }
    }
}

/// See [`RequireUserLayer`].
#[derive(Clone)]
pub struct RequireUser<S> {
    inner: S,
    guard: Guard,
}

impl<S> fmt::Debug for RequireUser<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequireUser")
    }
}

impl<S, B, R> Service<Request<B>> for RequireUser<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    S::Error: Send,
    B: Send + 'static,
    R: From<Vec<u8>> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready goes, and a copy stays (tower's own advice).
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let guard = self.guard.clone();
        Box::pin(async move {
            // The body need not be `Sync`, so only these two are lent across the wait.
            let (method, headers) = (request.method().clone(), std::mem::take(request.headers_mut()));
            let verdict = guard.authenticate(&method, &headers).await;
            *request.headers_mut() = headers;
            match verdict {
                Ok(user) => {
                    request.extensions_mut().insert(user);
                    request.extensions_mut().insert(LetInBy(guard));
                    inner.call(request).await
                }
                Err(rejection) => Ok(rejection.to_answer()),
            }
        })
    }
}
