//! Which session a browser held before it signed in anew: it is ended, whoever's it was.

use super::{App, AppError, RequestOrigin};
use counterfoil_domain::{
    id::{AccountId, SessionId},
    opaque::{OpaqueSecret, SecretKind},
    session::{EndOne, Session},
};
use counterfoil_guard::CurrentUser;

/// What a browser brought along, as sent.
#[derive(Default)]
pub struct HeldBefore {
    /// The session cookie.
    pub session_id: Option<String>,
    /// The cookie with a refresh token.
    pub refresh_token: Option<String>,
    /// The access cookie.
    pub access_token: Option<String>,
}

/// A session that is to give way.
#[derive(Clone, Copy)]
pub(super) struct HeldSession {
    pub(super) id: SessionId,
    account: AccountId,
}

impl App {
    /// The session behind what a browser brought along. What it brought may be anything; at most one store call looks for
    /// it, and none if it brought nothing that we made.
    pub(super) async fn held_session(&self, held: &HeldBefore) -> Result<Option<HeldSession>, AppError> {
        let to_held = |session: Session| HeldSession { id: session.id, account: session.account };
        let secret = held.session_id.as_deref().and_then(|text| OpaqueSecret::parse(SecretKind::SessionId, text).ok());
        if let Some(secret) = secret {
            let found = self.store().session_by_secret(secret.digest()).await?;
            return Ok(found.map(|view| to_held(view.session)));
        }
        let refresh_token = held.refresh_token.as_deref().and_then(|text| self.parse_refresh_token(text).ok());
        if let Some(token) = refresh_token {
            return Ok(self.store().session(token.session).await?.map(|view| to_held(view.session)));
        }
        // One that has ended is nobody's to end a session with, who may have found it in an old log.
        let is_good = |user: &CurrentUser| user.expires_at() > self.0.parts.clock.now();
        let user =
            held.access_token.as_deref().and_then(|text| self.guard().recognize_token(text).ok()).filter(is_good);
        Ok(user.map(|user| HeldSession { id: user.session(), account: user.account() }))
    }

    /// Ends it where it was somebody else's: that of the same account was ended with the sign-in itself.
    pub(super) async fn end_of_somebody_else(
        &self,
        held: Option<HeldSession>,
        signed_in: AccountId,
        origin: &RequestOrigin,
    ) -> Result<(), AppError> {
        let Some(held) = held.filter(|held| held.account != signed_in) else { return Ok(()) };
        match self.end_session(held.id, EndOne::Owner(held.account), origin).await {
            Ok(_) | Err(AppError::SessionNotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
