//! Whom a token of another issuer speaks about.

use crate::{Rejection, follow::SubjectGuard};
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use counterfoil_domain::{scope::ScopeSet, time::UnixMillis};
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Whom a token of another issuer speaks about. Only a [`SubjectGuard`] makes one.
///
/// It is not a [`CurrentUser`](crate::CurrentUser): its `sub` is whatever that issuer calls people and programs, it has no
/// session that could be ended, and a sign-out is not seen before the token ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The `sub`.
    pub(super) name: String,
    pub(super) scope: ScopeSet,
    pub(super) expires_at: UnixMillis,
    pub(super) claims: Map<String, Value>,
}

impl Subject {
    /// The token's `sub`. Unique with its issuer only.
    pub fn subject(&self) -> &str {
        &self.name
    }

    /// What the token may do (`scope`, RFC 8693 §4.2).
    pub const fn scope(&self) -> &ScopeSet {
        &self.scope
    }

    /// The OAuth client that the token was issued to, if it says so.
    pub fn client_id(&self) -> Option<&str> {
        self.claims.get("client_id").and_then(Value::as_str)
    }

    /// When the token ends.
    pub const fn expires_at(&self) -> UnixMillis {
        self.expires_at
    }

    /// All claims, as a type of one's own.
    ///
    /// # Errors
    /// Those of serde: a claim is missing or of another type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.claims.clone()))
    }

    /// Demands a scope.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`]: 403, with a challenge that names the scope (RFC 6750 §3.1).
    pub fn require_scope(&self, scope: &'static str) -> Result<(), Rejection> {
        if self.scope.contains(scope) { Ok(()) } else { Err(Rejection::InsufficientScope(scope.to_owned())) }
    }
}

impl<S> FromRequestParts<S> for Subject
where
    SubjectGuard: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        SubjectGuard::from_ref(state).authenticate(&parts.headers).await
    }
}

/// `None` is for a request without any credential; one that is not good is refused all the same.
impl<S> OptionalFromRequestParts<S> for Subject
where
    SubjectGuard: FromRef<S>,
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
