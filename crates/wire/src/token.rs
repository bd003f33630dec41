//! Answers that carry tokens. None of them prints its tokens.

use crate::{AccountBody, SessionBody, Timestamp};
use serde::{Deserialize, Serialize};

/// The answer to a sign-in, a refresh and an extension. Which members there are depends on the session's policy, and on how
/// its secrets travel: what is in a cookie is not in the body, but for an access token that was asked for in both.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenReply {
    /// `Bearer` (RFC 6750), where there is an access token in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "Bearer"))]
    pub token_type: Option<String>,
    /// Send it as `Authorization: Bearer …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// Seconds until the access token ends, wherever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 1800))]
    pub expires_in: Option<u64>,
    /// Under the policy `refresh`: trade it for new tokens before the access token ends. Keep the newest one received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Seconds until the refresh token ends if it is not used, wherever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 1_209_600))]
    pub refresh_expires_in: Option<u64>,
    /// When to refresh: early enough, and a little different for each client, so that they do not come all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_at: Option<Timestamp>,
    /// What the session may do, separated by spaces.
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
