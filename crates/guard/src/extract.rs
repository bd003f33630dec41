//! Taking a [`CurrentUser`] in a handler.

use crate::{CurrentUser, Guard, Rejection, layer};
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

impl<S> FromRequestParts<S> for CurrentUser
where
    Guard: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        let guard = Guard::from_ref(state);
        match layer::let_in_by(&guard, &parts.extensions) {
            Some(user) => Ok(user),
            None => guard.authenticate(&parts.method, &parts.headers).await,
        }
    }
}

/// `None` is for a request without any credential. One that is not good is refused all the same: a caller who believes to be
/// signed in must not be served as a stranger.
impl<S> OptionalFromRequestParts<S> for CurrentUser
where
    Guard: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Err(Rejection::NotPresented) => Ok(None),
            verdict => verdict.map(Some),
        }
    }
}
