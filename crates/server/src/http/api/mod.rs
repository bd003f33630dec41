//! The API under `/v1`: JSON in, JSON out, problems as RFC 9457.

pub(super) mod account;
pub(super) mod accounts;
pub(super) mod extend;
pub(super) mod feed;
pub(super) mod forward_auth;
pub(super) mod personal_tokens;
pub(super) mod refresh;
pub(super) mod sessions;

use crate::app::{AppError, EndedSessions, feed_place};
use axum::http::{HeaderName, HeaderValue, header};
use counterfoil_guard::Rejection;
use counterfoil_wire::{Receipt, SignedOut};

/// On every answer with tokens (RFC 6749 §5.1).
pub(super) const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// What was ended, for the answer.
const fn signed_out(ended: EndedSessions) -> SignedOut {
    signed_out_with(ended, None)
}

/// The same with who had heard of it.
pub(super) const fn signed_out_with(ended: EndedSessions, receipt: Option<Receipt>) -> SignedOut {
    SignedOut { revoked: ended.revoked, feed: feed_place(ended.feed), receipt }
}

/// A token of an account that has gone is no longer good, also where the feed has not told yet.
fn gone_is_signed_out(error: AppError) -> AppError {
    match error {
        AppError::AccountNotFound => Rejection::Revoked.into(),
        other => other,
    }
}
