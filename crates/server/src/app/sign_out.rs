//! Signing out on a running server: through the one door ([`super::revoke`]), and then into this process's memory, so
//! that the very next request is refused.

use super::{
    App, AppError, RequestOrigin,
    revoke::{EndedSessions, Revoke},
};
use counterfoil_domain::{
    id::{AccountId, SessionId},
    opaque::{OpaqueSecret, SecretKind},
    revocation::FeedPosition,
    session::EndOne,
    store::Committed,
};
use counterfoil_guard::CurrentUser;

/// What came of revoking a token at the OAuth endpoint. Outside both are 200 (RFC 7009 §2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RevokedToken {
    /// It is revoked now, and with it this session.
    Revoked(SessionId, EndedSessions),
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
        let (ended, committed) = self.revoke(origin).session(id, asked_by).await?;
        self.apply_committed(&committed);
        Ok(ended)
    }

    /// Ends the session that a refresh token belongs to, as whoever holds it wishes.
    ///
    /// # Errors
    /// [`AppError::InvalidGrant`] for what is none of ours; the store is not available.
    pub async fn end_session_of_refresh_token(
        &self,
        refresh_token: &str,
        origin: &RequestOrigin,
    ) -> Result<(SessionId, EndedSessions), AppError> {
        let session = self.parse_refresh_token(refresh_token)?.session;
        match self.end_session(session, EndOne::Client(None), origin).await {
            Err(AppError::SessionNotFound) => Err(AppError::InvalidGrant("unknown session")),
            other => other.map(|ended| (session, ended)),
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
        let (ended, committed) = self.revoke(origin).account(account, keep).await?;
        self.apply_committed(&committed);
        Ok(ended)
    }

    /// Revokes a token that a client gives back (RFC 7009): either kind ends its session, and with it every token of it
    /// ([`EndOne::Client`] says why).
    ///
    /// # Errors
    /// The store is not available. A token that is none, or not this client's, is no error.
    pub async fn revoke_token(
        &self,
        token: &str,
        client_id: Option<String>,
        origin: &RequestOrigin,
    ) -> Result<RevokedToken, AppError> {
        let of_refresh_token = self.parse_refresh_token(token).ok().map(|token| token.session);
        // One that has ended is nobody's to end a session with, who may have found it in an old log.
        let is_good = |user: &CurrentUser| user.expires_at() > self.0.parts.clock.now();
        let of_access_token = || self.guard().recognize_token(token).ok().filter(is_good).map(|user| user.session());
        let session = match of_refresh_token.or_else(of_access_token) {
            Some(session) => Some(session),
            None => self.session_of_personal_token(token).await?,
        };
        let Some(session) = session else { return Ok(RevokedToken::NothingToDo) };
        match self.end_session(session, EndOne::Client(client_id), origin).await {
            Ok(ended) if ended.revoked > 0 => Ok(RevokedToken::Revoked(session, ended)),
            Ok(_) | Err(AppError::SessionNotFound) => Ok(RevokedToken::NothingToDo),
            Err(error) => Err(error),
        }
    }

    async fn session_of_personal_token(&self, text: &str) -> Result<Option<SessionId>, AppError> {
        let Ok(secret) = OpaqueSecret::parse(SecretKind::PersonalToken, text) else { return Ok(None) };
        Ok(self.store().session_by_secret(secret.digest()).await?.map(|view| view.session.id))
    }

    /// Ends every session of every account, personal tokens too: the panic switch. One step, whatever their number.
    ///
    /// # Errors
    /// The store is not available.
    pub async fn sign_everybody_out(&self, origin: &RequestOrigin) -> Result<FeedPosition, AppError> {
        let committed = self.revoke(origin).everybody(self.0.parts.clock.now()).await?;
        self.apply_committed(&committed);
        Ok(committed.feed.position)
    }

    pub(super) fn revoke(&self, origin: &RequestOrigin) -> Revoke<'_> {
        Revoke {
            store: self.store(),
            entropy: &self.0.parts.entropy,
            longest_token_lifetime: self.settings().longest_token_lifetime(),
            ip: origin.ip,
        }
    }

    /// Takes what a committed call left in the feed into this process's memory, so that the very next request sees it, and
    /// wakes the follower, so that verifiers elsewhere hear of it. That is a hint: where it is lost, the timer brings it.
    pub(super) fn apply_committed(&self, committed: &Committed) {
        self.0.parts.revocations.apply(committed.entries.iter().map(|entry| &entry.draft));
        for entry in &committed.entries {
            self.0.feed.figures.wrote(entry.draft.revocation.to_columns().0);
        }
        if !committed.entries.is_empty() {
            self.wake_follower();
        }
    }
}
