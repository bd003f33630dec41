//! Who is asking.

use crate::{
    identity_headers::identity_headers,
    verified_cache::{HeldToken, VerifiedToken},
};
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    scope::ScopeSet,
    time::UnixMillis,
};
use http::HeaderMap;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// Who is asking: read from a verified, living access token. Only a [`crate::Guard`] makes one, so a handler that takes
/// it cannot be reached without a good token.
///
/// Cheap to make and to pass on: it points to what the guard remembers of the token, and copies none of it.
pub struct CurrentUser(Source);

/// Where the token is.
enum Source {
    /// In the guard's cache, held in place. Two cores that serve one token at a time have nothing to tell each other.
    Cached(HeldToken),
    /// Counted: verified just now, or a copy.
    Counted(Arc<VerifiedToken>),
}

/// What a token says, parsed.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct VerifiedUser {
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
    pub(crate) token: TokenId,
    pub(crate) generation: AccountGeneration,
    pub(crate) client_id: Box<str>,
    pub(crate) scope: ScopeSet,
    pub(crate) authenticated_at: UnixMillis,
    pub(crate) methods: Box<[String]>,
    pub(crate) expires_at: UnixMillis,
    /// Made when first asked for: most services never do.
    pub(crate) identity_headers: OnceLock<HeaderMap>,
}

impl CurrentUser {
    pub(crate) fn cached(token: HeldToken) -> Self {
        Self(Source::Cached(token))
    }

    pub(crate) fn counted(token: Arc<VerifiedToken>) -> Self {
        Self(Source::Counted(token))
    }

    fn user(&self) -> &VerifiedUser {
        match &self.0 {
            Source::Cached(token) => &token.user,
            Source::Counted(token) => &token.user,
        }
    }

    /// The account: the token's `sub`.
    pub fn account(&self) -> AccountId {
        self.user().account
    }

    /// The session: the token's `sid`.
    pub fn session(&self) -> SessionId {
        self.user().session
    }

    /// The token's own id: its `jti`.
    pub fn token(&self) -> TokenId {
        self.user().token
    }

    /// The account's generation when the token was minted.
    pub fn generation(&self) -> AccountGeneration {
        self.user().generation
    }

    /// The OAuth client that the token was issued to.
    pub fn client_id(&self) -> &str {
        &self.user().client_id
    }

    /// What the token may do.
    pub fn scope(&self) -> &ScopeSet {
        &self.user().scope
    }

    /// When the person last proved who they are.
    pub fn authenticated_at(&self) -> UnixMillis {
        self.user().authenticated_at
    }

    /// How they did: RFC 8176 words, `pwd` for a password.
    pub fn methods(&self) -> &[String] {
        &self.user().methods
    }

    /// `X-Auth-Subject`, `X-Auth-Session` and `X-Auth-Scope`, as gateways pass them on to the services behind them, and
    /// `Cache-Control: no-store`. Made once for each token that the guard remembers.
    pub fn identity_headers(&self) -> &HeaderMap {
        self.user().identity_headers.get_or_init(|| identity_headers(self.user()))
    }

    /// When the token ends.
    pub fn expires_at(&self) -> UnixMillis {
        self.user().expires_at
    }
}

impl Clone for CurrentUser {
    fn clone(&self) -> Self {
        match &self.0 {
            Source::Cached(token) => Self::counted(Arc::clone(token)),
            Source::Counted(token) => Self::counted(Arc::clone(token)),
        }
    }
}

impl PartialEq for CurrentUser {
    fn eq(&self, other: &Self) -> bool {
        self.user() == other.user()
    }
}

impl Eq for CurrentUser {}

impl fmt::Debug for CurrentUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentUser").field(self.user()).finish()
    }
}
