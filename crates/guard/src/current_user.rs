//! Who is asking.

use crate::{
    Rejection,
    identity_headers::identity_headers,
    verified_cache::{HeldToken, VerifiedToken},
};
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    policy::SessionPolicy,
    scope::ScopeSet,
    time::UnixMillis,
};
use counterfoil_jwt::UnverifiedToken;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// Who is asking, by whichever credential. Only a [`crate::Guard`] makes one, so a handler that takes it cannot be reached
/// without a good one.
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
    pub(crate) policy: SessionPolicy,
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
    pub(crate) token: TokenId,
    pub(crate) generation: AccountGeneration,
    pub(crate) client_id: Box<str>,
    pub(crate) scope: ScopeSet,
    pub(crate) authenticated_at: UnixMillis,
    pub(crate) methods: Box<[String]>,
    pub(crate) roles: Box<[String]>,
    /// Of what was looked up; a signed token carries its own.
    pub(crate) custom_claims: Map<String, Value>,
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

    fn held(&self) -> &VerifiedToken {
        match &self.0 {
            Source::Cached(token) => token,
            Source::Counted(token) => token,
        }
    }

    fn user(&self) -> &VerifiedUser {
        &self.held().user
    }

    /// How the session is carried.
    pub fn policy(&self) -> SessionPolicy {
        self.user().policy
    }

    /// The account's roles when the token was minted, or as they were looked up.
    pub fn roles(&self) -> &[String] {
        &self.user().roles
    }

    /// When the token was minted; of what is no token, when the session was opened.
    pub fn issued_at(&self) -> UnixMillis {
        self.held().issued_at
    }

    /// Demands a scope, in one line of a handler: `user.require_scope("invoices:read")?;`
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`]: 403, with a challenge that names the scope (RFC 6750 §3.1).
    pub fn require_scope(&self, scope: &'static str) -> Result<(), Rejection> {
        if self.scope().contains(scope) { Ok(()) } else { Err(Rejection::InsufficientScope(scope.to_owned())) }
    }

    /// Demands a role: `user.require_role("admin")?;`
    ///
    /// # Errors
    /// [`Rejection::RoleMissing`]: 403.
    pub fn require_role(&self, role: &str) -> Result<(), Rejection> {
        if self.roles().iter().any(|held| held == role) { Ok(()) } else { Err(Rejection::RoleMissing) }
    }

    /// Demands that the person has proved who they are within the last `max_age_seconds`, for what must not be done from a
    /// browser left open. A personal token is held by no person, and never does. After a clock went back, a sign-in may lie
    /// in the future: one that lies as far ahead is no more recent.
    ///
    /// # Errors
    /// [`Rejection::SignInTooOld`]: 401, with a challenge that says how recent it must be (RFC 9470 §3).
    pub fn require_recent_sign_in(&self, max_age_seconds: u32, now: UnixMillis) -> Result<(), Rejection> {
        let at = self.authenticated_at();
        let age = now.since(at).max(at.since(now)).as_secs();
        let is_person = self.policy() != SessionPolicy::Personal;
        if is_person && age <= u64::from(max_age_seconds) {
            Ok(())
        } else {
            Err(Rejection::SignInTooOld { max_age_seconds })
        }
    }

    /// Claims of the operator's own, or any others of the token, as a type of one's own.
    ///
    /// ```
    /// # fn handler(user: &counterfoil_guard::CurrentUser) -> Result<(), serde_json::Error> {
    /// #[derive(serde::Deserialize)]
    /// struct Tenant {
    ///     tenant: Option<String>,
    /// }
    /// let Tenant { tenant } = user.claims()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of serde: a claim is missing or of another type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        // It was verified when it was taken in; it is read again because few handlers want this.
        let text = std::str::from_utf8(&self.held().token).unwrap_or_default();
        match UnverifiedToken::decode(text) {
            Ok(token) if self.policy().has_signed_token() => serde_json::from_slice(token.payload()),
            _ => serde_json::from_value(Value::Object(self.user().custom_claims.clone())),
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
