//! The one door to revocation: whoever asks (the person, a client, an operator), sessions and tokens are ended here.
//! Theft found at a refresh is the one exception, because it must be decided inside the refresh's own atomic step; it
//! comes out through [`App::apply_committed`] like everything else.

use super::{App, AppError, RequestOrigin};
use counterfoil_domain::{
    event::Occasion,
    id::{AccountId, SessionId},
    revocation::FeedPosition,
    session::{EndOne, EndedOne, Ruling, end_every, end_one, end_token},
    store::Committed,
};
use std::sync::Arc;

/// How many sessions were ended, and where the feed stood then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndedSessions {
    /// How many were ended.
    pub revoked: usize,
    /// A verifier that has applied this place refuses them.
    pub feed: FeedPosition,
}

/// What came of revoking a token at the OAuth endpoint. Outside both are 200 (RFC 7009 §2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RevokedToken {
    /// It is revoked now.
    Revoked,
    /// It was unknown, or over already.
    NothingToDo,
}

impl App {
    /// Ends one session.
    ///
    /// # Errors
    /// [`AppError::SessionNotFound`] when there is none for whoever asks; the store is not available.
    pub async fn end_session(
        &self,
        id: SessionId,
        asked_by: EndOne,
        origin: &RequestOrigin,
    ) -> Result<EndedSessions, AppError> {
        let lifetime = self.settings().longest_token_lifetime();
        let (entropy, ip) = (Arc::clone(&self.0.parts.entropy), origin.ip);
        let decided = self.store().decide_session(id, move |view, now| {
            end_one(view, &asked_by, lifetime, &Occasion { now, ip, entropy: &*entropy })
        });
        let (outcome, committed) = decided.await?;
        self.apply_committed(&committed);
        match outcome {
            EndedOne::NotFound => Err(AppError::SessionNotFound),
            EndedOne::WasOver => Ok(EndedSessions { revoked: 0, feed: committed.feed.position }),
            EndedOne::Ended => {
                tracing::info!(session = %id, "signed out");
                Ok(EndedSessions { revoked: 1, feed: committed.feed.position })
            }
        }
    }

    /// Ends every session of an account, or every one but `keep`.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub async fn end_sessions(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
        origin: &RequestOrigin,
    ) -> Result<EndedSessions, AppError> {
        let lifetime = self.settings().longest_token_lifetime();
        let (entropy, ip) = (Arc::clone(&self.0.parts.entropy), origin.ip);
        let decided = self.store().decide_account(account, move |view, now| {
            let Some(view) = view else { return Ruling::unchanged(None) };
            let ruling = end_every(view, keep, lifetime, &Occasion { now, ip, entropy: &*entropy });
            Ruling { changes: ruling.changes, outcome: Some(ruling.outcome) }
        });
        let (outcome, committed) = decided.await?;
        self.apply_committed(&committed);
        let revoked = outcome.ok_or(AppError::AccountNotFound)?;
        tracing::info!(%account, revoked, kept_one = keep.is_some(), "signed out everywhere");
        Ok(EndedSessions { revoked, feed: committed.feed.position })
    }

    /// Revokes a token that a client gives back (RFC 7009): a refresh token ends its session and with it every access
    /// token of it; an access token ends alone.
    ///
    /// # Errors
    /// The store is not available. A token that is none, or not this client's, is no error.
    pub async fn revoke_token(
        &self,
        token: &str,
        client_id: Option<String>,
        origin: &RequestOrigin,
    ) -> Result<RevokedToken, AppError> {
        if let Ok(refresh_token) = self.parse_refresh_token(token) {
            let ended = self.end_session(refresh_token.session, EndOne::Client(client_id), origin).await;
            return match ended {
                Ok(ended) if ended.revoked > 0 => Ok(RevokedToken::Revoked),
                Ok(_) | Err(AppError::SessionNotFound) => Ok(RevokedToken::NothingToDo),
                Err(error) => Err(error),
            };
        }
        let Ok(user) = self.guard().authenticate_token(token) else { return Ok(RevokedToken::NothingToDo) };
        let lifetime = self.settings().longest_token_lifetime();
        let (entropy, ip) = (Arc::clone(&self.0.parts.entropy), origin.ip);
        let token = user.token();
        let decided = self.store().decide_session(user.session(), move |view, now| {
            end_token(view, token, client_id.as_deref(), lifetime, &Occasion { now, ip, entropy: &*entropy })
        });
        let (outcome, committed) = decided.await?;
        self.apply_committed(&committed);
        Ok(if outcome == EndedOne::Ended { RevokedToken::Revoked } else { RevokedToken::NothingToDo })
    }

    /// Takes what a committed call left in the feed into this process's memory, so that the very next request sees it.
    pub(super) fn apply_committed(&self, committed: &Committed) {
        self.0.parts.revocations.apply(&committed.entries);
    }
}
