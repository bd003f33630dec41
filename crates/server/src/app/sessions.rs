//! The list of a person's sessions.

use super::{App, AppError};
use counterfoil_domain::{account::Account, id::AccountId, session::Session};

impl App {
    /// The account with this id.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub async fn account(&self, id: AccountId) -> Result<Account, AppError> {
        self.store().account(id).await?.ok_or(AppError::AccountNotFound)
    }

    /// The living sessions of an account, newest first, without its personal tokens.
    ///
    /// # Errors
    /// The store is not available.
    pub async fn living_sessions(&self, account: AccountId) -> Result<Vec<Session>, AppError> {
        let now = self.0.parts.clock.now();
        let mut sessions = self.store().sessions_of_account(account).await?;
        sessions.retain(|session| !session.is_personal_token() && session.ends_at() > now);
        Ok(sessions)
    }
}
