//! A layer for handlers that count as use of a sliding session: their answers bring a token with a later end.

use crate::{CookieKind, CurrentUser, Guard};
use counterfoil_domain::{policy::SessionPolicy, time::UnixMillis};
use http::{HeaderName, HeaderValue, Request, Response, header};
use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_layer::Layer;
use tower_service::Service;

/// The header in which the new token travels, unless the old one came as a cookie.
pub const EXTENDED_TOKEN: HeaderName = HeaderName::from_static("counterfoil-access-token");

/// A token younger than this is not extended: a person who clicks ten times a second needs one later end, not ten.
pub const EXTENDED_AFTER: Duration = Duration::from_mins(1);

/// A token with a later end.
pub struct ExtendedToken {
    /// The token.
    pub access_token: String,
    /// When it ends.
    pub ends_at: UnixMillis,
}

/// What [`SessionExtender::extend`] gives.
pub type ExtendFuture<'a> = Pin<Box<dyn Future<Output = Result<ExtendedToken, NotExtended>> + Send + 'a>>;

/// No new token was issued; whoever was asked has logged why. The request itself is not touched by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotExtended;

/// Asks the server for a token with a later end.
pub trait SessionExtender: Send + Sync {
    /// Extends the session of this user, whose policy is `sliding`.
    fn extend<'a>(&'a self, user: &'a CurrentUser) -> ExtendFuture<'a>;
}

/// Makes the handlers below it count as use of a sliding session: their answers bring a token with a later end.
///
/// ```
/// use axum::{Router, routing::post};
/// use counterfoil_guard::{CurrentUser, ExtendLayer, Guard, SessionExtender};
/// use std::sync::Arc;
///
/// async fn save(user: CurrentUser) -> String {
///     format!("saved for {}", user.account())
/// }
///
/// fn app(guard: Guard, extender: Arc<dyn SessionExtender>) -> Router {
///     Router::new()
///         .route("/drafts", post(save).layer(ExtendLayer::new(guard.clone(), extender)))
///         .with_state(guard)
/// }
/// ```
///
/// The token before it stays good until its own end, so requests under way do not fail; both die with the session, and no
/// token outlives the session's absolute limit. Issuing is the server's: [`SessionExtender`] asks it.
#[derive(Clone)]
pub struct ExtendLayer {
    guard: Guard,
    extender: Arc<dyn SessionExtender>,
}

impl ExtendLayer {
    /// A layer that recognizes users by `guard` and asks `extender` for new tokens.
    pub fn new(guard: Guard, extender: Arc<dyn SessionExtender>) -> Self {
        Self { guard, extender }
    }
}

impl fmt::Debug for ExtendLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExtendLayer")
    }
}

impl<S> Layer<S> for ExtendLayer {
    type Service = Extend<S>;

    fn layer(&self, inner: S) -> Extend<S> {
        Extend { inner, layer: self.clone() }
    }
}

/// See [`ExtendLayer`].
#[derive(Clone, Debug)]
pub struct Extend<S> {
    inner: S,
    layer: ExtendLayer,
}

impl<S, B, R> Service<Request<B>> for Extend<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready goes, and a copy stays (tower's own advice).
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let layer = self.layer.clone();
        Box::pin(async move {
            // A sliding token needs no look-up, so none is made here: the handler makes its own for whom it needs one.
            let known = layer.guard.without_lookup(request.method(), request.headers());
            let mut response = inner.call(request).await?;
            if let Some((user, is_cookie)) = known.filter(|(user, _)| layer.is_due(user))
                && !response.status().is_client_error()
                && !response.status().is_server_error()
            {
                layer.extend(&user, is_cookie, &mut response).await;
            }
            Ok(response)
        })
    }
}

impl ExtendLayer {
    fn is_due(&self, user: &CurrentUser) -> bool {
        user.policy() == SessionPolicy::Sliding && self.guard.now().since(user.issued_at()) >= EXTENDED_AFTER
    }

    async fn extend<R>(&self, user: &CurrentUser, is_cookie: bool, response: &mut Response<R>) {
        let Ok(extended) = self.extender.extend(user).await else { return };
        let headers = response.headers_mut();
        // A token that came as a cookie leaves as one: in another header, scripts could read it.
        if is_cookie {
            let lifetime = extended.ends_at.since(self.guard.now());
            let rules = self.guard.cookies();
            let cookie = rules.and_then(|rules| rules.set(CookieKind::Access, &extended.access_token, lifetime));
            let Some(cookie) = cookie else { return };
            headers.append(header::SET_COOKIE, cookie);
        } else {
            let Ok(token) = HeaderValue::try_from(extended.access_token) else { return };
            headers.insert(EXTENDED_TOKEN, token);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
