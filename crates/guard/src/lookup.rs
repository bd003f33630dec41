//! Looking sessions up, for the policies under which that is done at each request.
//!
//! A guard has no store. Whoever has one (the server, in its own process) implements [`SessionLookup`] and gives it to the
//! guard; without it, credentials that need a look-up are refused, saying so.

use crate::Rejection;
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId},
    opaque::SecretDigest,
    policy::SessionPolicy,
    scope::ScopeSet,
    time::UnixMillis,
};
use serde_json::{Map, Value};
use std::pin::Pin;

/// What a look-up gives: a living session; `None` where there is none, or none that lives.
pub type LookupFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<FoundSession>, LookupError>> + Send + 'a>>;

/// Finds living sessions. Each call is one read of the store; what it writes about a session having been seen is bounded in
/// time, not by the number of requests.
pub trait SessionLookup: Send + Sync {
    /// The living session with this id.
    fn by_id(&self, id: SessionId) -> LookupFuture<'_>;

    /// The living session whose opaque secret has this digest.
    fn by_secret(&self, digest: SecretDigest) -> LookupFuture<'_>;
}

/// The store could not be asked; whoever asked it has logged why. It says nothing about the session: outside it is 503,
/// never "not signed in".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LookupError;

impl From<LookupError> for Rejection {
    fn from(_: LookupError) -> Self {
        Self::Unavailable
    }
}

/// A living session, as it was looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundSession {
    /// Its id.
    pub session: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's generation.
    pub generation: AccountGeneration,
    /// How it is carried.
    pub policy: SessionPolicy,
    /// The OAuth client it was opened for.
    pub client_id: String,
    /// What it may do.
    pub scope: ScopeSet,
    /// The account's roles.
    pub roles: Vec<String>,
    /// Claims of the operator's own, as a signed token would carry them.
    pub custom_claims: Map<String, Value>,
    /// When its person last proved who they are.
    pub authenticated_at: UnixMillis,
    /// How (RFC 8176).
    pub methods: Vec<String>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it ends if it is not used again.
    pub ends_at: UnixMillis,
}
