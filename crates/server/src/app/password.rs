//! Changing one's own password: the current one is checked, the new one hashed, the other sign-ins are ended.

use super::{App, AppError, EndedSessions, IssuedCookie, RequestOrigin};
use crate::hashing::Asker;
use counterfoil_domain::{
    account::{NewPassword, PasswordChange, change_password},
    event::Occasion,
    opaque::{OpaqueSecret, SecretKind},
    password::NormalizedPassword,
    secret::PasswordText,
};
use counterfoil_guard::{CookieKind, CurrentUser, Rejection};
use std::sync::Arc;

/// The current password and the one that is to take its place.
pub struct NewPasswordInput {
    /// The current one.
    pub current: PasswordText,
    /// The new one.
    pub new: PasswordText,
}

impl App {
    /// Changes the password of the signed-in person and ends every other sign-in. The session that asks goes on; one with
    /// an opaque id gets a new one, which comes back as a cookie.
    ///
    /// # Errors
    /// [`AppError`]: the current password is wrong; the new one is not taken; the store or the hashing threads are not
    /// available.
    pub async fn change_password(
        &self,
        user: &CurrentUser,
        input: &NewPasswordInput,
        origin: &RequestOrigin,
    ) -> Result<(EndedSessions, Option<IssuedCookie>), AppError> {
        let gone = || AppError::Rejected(Rejection::Revoked);
        let current = NormalizedPassword::for_sign_in(&input.current).ok_or(AppError::WrongPassword)?;
        let found = self.store().account_with_password(user.account()).await?.ok_or_else(gone)?;
        let new =
            NormalizedPassword::for_new_account(&input.new, &found.account.email, self.settings().password_rules)?;
        let asker = Asker { ip: origin.ip, account: &found.account.email.canonical() };
        if !self.0.parts.hasher.verify(current, found.password_hash, &asker).await? {
            tracing::info!(account = %user.account(), "change of password refused: the current one is wrong");
            return Err(AppError::WrongPassword);
        }
        let hash = self.0.parts.hasher.hash(new, &asker).await?;
        let new = NewPassword { hash, checked_when_changed_at: found.account.password_changed_at };

        let secret = OpaqueSecret::generate(SecretKind::SessionId, &*self.0.parts.entropy);
        let (renewed, keep, lifetime) = (secret.digest(), user.session(), self.settings().longest_token_lifetime());
        let (entropy, ip) = (Arc::clone(&self.0.parts.entropy), origin.ip);
        let decided = self.store().decide_account(user.account(), move |view, now| {
            change_password(view, &new, keep, renewed, lifetime, &Occasion { now, ip, entropy: &*entropy })
        });
        let (outcome, committed) = decided.await?;
        self.apply_committed(&committed);
        match outcome {
            PasswordChange::Changed { ended, account, kept } => {
                tracing::info!(account = %account.id, ended, "password changed");
                let kept = kept.filter(|session| session.secret.is_some());
                let cookie = kept.map(|session| IssuedCookie {
                    kind: CookieKind::Session,
                    value: secret.expose_text(),
                    max_age: session.absolute_until.since(self.0.parts.clock.now()),
                });
                Ok((EndedSessions { revoked: ended, feed: committed.feed.position }, cookie))
            }
            // What was checked is not the current password any more.
            PasswordChange::ChangedMeanwhile => Err(AppError::WrongPassword),
            PasswordChange::NoAccount => Err(gone()),
        }
    }
}
