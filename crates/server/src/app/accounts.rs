//! What the operator does with accounts and sessions from the command line, without a running server.
//!
//! The command line opens the store by itself, so that it works while the server is stopped; a running server sees what
//! it did through the feed.

use super::{
    AppError, NewPerson,
    revoke::{EndedSessions, Revoke},
};
use crate::hashing::PasswordHasher;
use counterfoil_domain::{
    account::Account,
    entropy::Entropy,
    event::Occasion,
    id::{AccountId, SessionId},
    password::PasswordRules,
    session::EndOne,
    store::Store,
    time::Clock,
};
use std::{sync::Arc, time::Duration};

/// The operator's hand on accounts and sessions.
pub struct AccountAdministration {
    /// Where they are.
    pub store: Arc<dyn Store>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// How long feed entries must be kept.
    pub longest_token_lifetime: Duration,
}

impl AccountAdministration {
    /// Makes an account, by the same rules as a sign-up.
    ///
    /// # Errors
    /// [`AppError`]: address, name or password are not taken; the store is not available.
    pub async fn create(
        &self,
        person: &NewPerson,
        rules: PasswordRules,
        hasher: &PasswordHasher,
        clock: &dyn Clock,
    ) -> Result<Account, AppError> {
        let occasion = || Occasion { now: clock.now(), ip: None, entropy: &*self.entropy };
        Ok(person.check(rules)?.create(&*self.store, hasher, None, occasion, |_, _| None).await?.0)
    }

    /// The account that an operator names by address or id.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub async fn find(&self, name: &str) -> Result<Account, AppError> {
        let found = match name.parse::<AccountId>() {
            Ok(id) => self.store.account(id).await?,
            Err(_) => self.store.account_by_email(&name.parse()?).await?.map(|found| found.account),
        };
        found.ok_or(AppError::AccountNotFound)
    }

    /// Ends one session.
    ///
    /// # Errors
    /// [`AppError::SessionNotFound`]; the store is not available.
    pub async fn end_session(&self, id: SessionId) -> Result<EndedSessions, AppError> {
        Ok(self.revoke().session(id, EndOne::Operator).await?.0)
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub async fn end_sessions(&self, account: AccountId) -> Result<EndedSessions, AppError> {
        Ok(self.revoke().account(account, None).await?.0)
    }

    /// A running server takes what was committed from the feed: there is no memory here to keep.
    fn revoke(&self) -> Revoke<'_> {
        let longest_token_lifetime = self.longest_token_lifetime;
        Revoke { store: &*self.store, entropy: &self.entropy, longest_token_lifetime, ip: None }
    }
}
