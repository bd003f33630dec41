//! Who is asking.

use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    scope::ScopeSet,
    time::UnixMillis,
};

/// Who is asking: read from a verified, living access token. Only a [`crate::Guard`] makes one, so a handler that takes
/// it cannot be reached without a good token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CurrentUser {
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
    pub(crate) token: TokenId,
    pub(crate) generation: AccountGeneration,
    pub(crate) client_id: String,
    pub(crate) scope: ScopeSet,
    pub(crate) authenticated_at: UnixMillis,
    pub(crate) methods: Vec<String>,
    pub(crate) expires_at: UnixMillis,
}

impl CurrentUser {
    /// The account: the token's `sub`.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The session: the token's `sid`.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The token's own id: its `jti`.
    pub const fn token(&self) -> TokenId {
        self.token
    }

    /// The account's generation when the token was minted.
    pub const fn generation(&self) -> AccountGeneration {
        self.generation
    }

    /// The OAuth client that the token was issued to.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What the token may do.
    pub const fn scope(&self) -> &ScopeSet {
        &self.scope
    }

    /// When the person last proved who they are.
    pub const fn authenticated_at(&self) -> UnixMillis {
        self.authenticated_at
    }

    /// How they did: RFC 8176 words, `pwd` for a password.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// When the token ends.
    pub const fn expires_at(&self) -> UnixMillis {
        self.expires_at
    }
}
