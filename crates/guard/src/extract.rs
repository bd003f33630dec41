//! Taking a [`CurrentUser`] in a handler.

use crate::{CurrentUser, Guard, Rejection};
use axum_core::extract::{FromRef, FromRequestParts};
use http::request::Parts;

impl<S> FromRequestParts<S> for CurrentUser
where
    Guard: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        Guard::from_ref(state).authenticate(&parts.method, &parts.headers).await
    }
}
