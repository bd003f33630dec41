//! Demanding a scope in a handler's signature.

use crate::{CurrentUser, Guard, Rejection};
use axum_core::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use std::{marker::PhantomData, ops::Deref};

/// Names one scope, so that a handler's type can demand it. [`required_scope!`](crate::required_scope) declares one.
pub trait RequiredScope {
    /// The word (RFC 6749 §3.3).
    const SCOPE: &'static str;
}

/// Declares types that name a scope, for [`RequireScope`].
///
/// ```
/// use counterfoil_guard::{RequireScope, required_scope};
///
/// required_scope! {
///     /// May read invoices.
///     pub ReadInvoices = "invoices:read";
/// }
///
/// async fn invoices(user: RequireScope<ReadInvoices>) -> String {
///     format!("the invoices of {}", user.account())
/// }
/// ```
#[macro_export]
macro_rules! required_scope {
    ($($(#[$attribute:meta])* $visibility:vis $name:ident = $scope:literal;)+) => {$(
        $(#[$attribute])*
        $visibility struct $name;

        impl $crate::RequiredScope for $name {
            const SCOPE: &'static str = $scope;
        }
    )+};
}

/// Who is asking, and may do `S`. Without a good credential the request is refused as [`CurrentUser`] refuses it; without
/// the scope it is 403, naming the scope (RFC 6750 §3.1).
pub struct RequireScope<S> {
    user: CurrentUser,
    scope: PhantomData<fn() -> S>,
}

impl<S> RequireScope<S> {
    /// Who is asking.
    pub fn into_user(self) -> CurrentUser {
        self.user
    }
}

impl<S> Deref for RequireScope<S> {
    type Target = CurrentUser;

    fn deref(&self) -> &CurrentUser {
        &self.user
    }
}

impl<S: RequiredScope, T> FromRequestParts<T> for RequireScope<S>
where
    Guard: FromRef<T>,
    T: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Rejection> {
        let user = CurrentUser::from_request_parts(parts, state).await?;
        user.require_scope(S::SCOPE)?;
        Ok(Self { user, scope: PhantomData })
    }
}
