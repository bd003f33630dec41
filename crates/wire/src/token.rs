//! Answers that carry tokens. None of them prints its tokens.

use crate::{AccountBody, SessionBody, Timestamp};
use serde::{Deserialize, Serialize};

/// The answer to a sign-in and to a refresh.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenReply {
    /// Always `Bearer` (RFC 6750).
    #[cfg_attr(feature = "openapi", schema(example = "Bearer"))]
    pub token_type: String,
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// Seconds until the access token ends.
    #[cfg_attr(feature = "openapi", schema(example = 1800))]
    pub expires_in: u64,
    /// Trade it for new tokens before the access token ends. Keep the newest one received.
    pub refresh_token: String,
    /// Seconds until the refresh token ends if it is not used.
    #[cfg_attr(feature = "openapi", schema(example = 1_209_600))]
    pub refresh_expires_in: u64,
    /// When to refresh: early enough, and a little different for each client, so that they do not come all at once.
    pub refresh_at: Timestamp,
    /// What the access token may do, separated by spaces.
    #[cfg_attr(feature = "openapi", schema(example = "account"))]
    pub scope: String,
    /// The session.
    pub session: SessionBody,
    /// Whose it is.
    pub account: AccountBody,
}

/// The answer to a sign-up: the account, and the tokens if a session was asked for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum SignedUp {
    /// An account and a session.
    WithSession(Box<TokenReply>),
    /// An account only.
    Account {
        /// The new account.
        account: AccountBody,
    },
}

/// The answer of `POST /oauth/token` (RFC 6749 §5.1).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OauthTokenReply {
    /// The new access token.
    pub access_token: String,
    /// Always `Bearer`.
    #[cfg_attr(feature = "openapi", schema(example = "Bearer"))]
    pub token_type: String,
    /// Seconds until the access token ends.
    #[cfg_attr(feature = "openapi", schema(example = 1800))]
    pub expires_in: u64,
    /// The refresh token to keep.
    pub refresh_token: String,
    /// What the access token may do, separated by spaces.
    #[cfg_attr(feature = "openapi", schema(example = "account"))]
    pub scope: String,
}
