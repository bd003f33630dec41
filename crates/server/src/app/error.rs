//! Why a use case did not do what was asked, in the words of the inside. `http/error.rs` turns these into answers.

use crate::hashing::HashingError;
use counterfoil_domain::{
    account::{InvalidAttribute, InvalidName},
    email::InvalidEmail,
    password::PasswordRefusal,
    scope::{InvalidScope, ScopeNotAllowed},
    session::PERSONAL_TOKENS_PER_ACCOUNT_MAX,
    store::StoreError,
};
use counterfoil_guard::Rejection;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The e-mail address is none.
    #[error(transparent)]
    InvalidEmail(#[from] InvalidEmail),
    /// A name is none.
    #[error("`{field}`: {source}")]
    InvalidName {
        /// Which member of the request.
        field: &'static str,
        /// Why.
        #[source]
        source: InvalidName,
    },
    /// The new password is not taken.
    #[error(transparent)]
    PasswordRefused(#[from] PasswordRefusal),
    /// Another account has the address.
    #[error("an account with this e-mail address exists already: sign in instead")]
    EmailTaken,
    /// Unknown account, wrong password, or disabled: one answer for all.
    #[error("the e-mail address or the password is wrong")]
    InvalidCredentials,
    /// The session policy is not offered.
    #[error("this server offers no such session policy: ask for one of {allowed}")]
    PolicyNotAllowed {
        /// Those that it offers.
        allowed: String,
    },
    /// The transport is not offered under the policy.
    #[error("the transport is `body` or `cookie`, and under the policy `session` always `cookie`")]
    TransportNotAllowed,
    /// An access cookie under a policy or transport that has none.
    #[error("`access_cookie` goes with the policy `refresh` and the transport `cookie`")]
    AccessCookieNotAllowed,
    /// A scope was asked for that the account may not have.
    #[error("a scope was asked for that may not be granted to this account")]
    ScopeNotAllowed,
    /// An end was asked for that has passed.
    #[error("`expires_at` has passed already: give an instant to come, or leave it out for no end")]
    ExpiryPast,
    /// The account has as many personal tokens as it may.
    #[error("the account has {} personal tokens, as many as it may: delete one first", PERSONAL_TOKENS_PER_ACCOUNT_MAX)]
    TooManyPersonalTokens,
    /// It was asked for too often.
    #[error("this account has done this too often within the hour: try again later")]
    TooManyRequests,
    /// There is no such personal token for whoever asks.
    #[error("there is no such personal token among yours")]
    PersonalTokenNotFound,
    /// The current password is wrong, where a signed-in person was asked for it.
    #[error("the current password is wrong")]
    WrongPassword,
    /// The session's policy is not `sliding`.
    #[error("only sessions with the policy `sliding` are extended")]
    NotSliding,
    /// The operator's own claims do not fit into a token.
    #[error(
        "the claims configured for this account take more than {} bytes: shorten its attributes",
        super::CUSTOM_CLAIMS_BYTES_MAX
    )]
    ClaimsTooLarge,
    /// The refresh token is not good any more, or never was. Which, is for the log.
    #[error("the refresh token is not good (any more): sign in again")]
    InvalidGrant(&'static str),
    /// An access token in place of a refresh token.
    #[error("this is not a refresh token: an access token cannot be traded for new tokens")]
    NotARefreshToken,
    /// The access token that came along is missing, not ours, or of another session.
    #[error("send the access token of the same session along; it may have ended")]
    AccessTokenMismatch,
    /// The scope is no scope.
    #[error(transparent)]
    InvalidScope(#[from] InvalidScope),
    /// More was asked for than was granted at sign-in.
    #[error("a scope was asked for that was not granted at sign-in")]
    ScopeNotGranted,
    /// There is no such session for whoever asks.
    #[error("there is no such session among yours")]
    SessionNotFound,
    /// An attribute is not taken.
    #[error(transparent)]
    InvalidAttribute(#[from] InvalidAttribute),
    /// There is no such account.
    #[error("there is no such account")]
    AccountNotFound,
    /// No such client, or not its secret.
    #[error(
        "this is for a client of kind `verifier`, by its name and secret in HTTP Basic (`counterfoil client create NAME --kind \
         verifier` makes one): none was sent, or one of them is wrong"
    )]
    InvalidClient,
    /// Wrong secrets of a client came too often.
    #[error("wrong secrets of this client came too often from this address: try again in a minute")]
    TooManyAttempts,
    /// As many verifiers are known, or as many questions held, as may.
    #[error("too many verifiers follow the feed")]
    TooManyVerifiers,
    /// As many snapshots are being written as may.
    #[error("too many snapshots of the feed are being read")]
    TooManySnapshots,
    /// The request brought no good access token.
    #[error("{}", .0.detail())]
    Rejected(#[from] Rejection),
    /// The store did not do its part.
    #[error(transparent)]
    Store(StoreError),
    /// The request waited too long for the store and was dropped before anything was done.
    #[error("the request waited too long: try again")]
    TooLate,
    /// Password hashing did not do its part.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// Signing failed: the key or the claims are broken, which startup should have found.
    #[error("an access token could not be signed: {0}")]
    Signing(#[from] counterfoil_jwt::Error),
}

impl From<ScopeNotAllowed> for AppError {
    fn from(_: ScopeNotAllowed) -> Self {
        Self::ScopeNotAllowed
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::EmailTaken => Self::EmailTaken,
            other => Self::Store(other),
        }
    }
}
