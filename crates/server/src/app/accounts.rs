//! What the operator does with accounts and sessions from the command line, without a running server.
//!
//! The command line opens the store by itself, so that it works while the server is stopped; a running server sees what
//! it did through the feed.

use super::AppError;
use crate::hashing::PasswordHasher;
use counterfoil_domain::entropy::Entropy;
use counterfoil_domain::{
    account::{Account, parse_name},
    email::Email,
    event::{EventKind, Occasion},
    id::{AccountId, SessionId},
    password::{NormalizedPassword, PasswordRules},
    secret::PasswordText,
    session::{EndOne, EndedOne, Ruling, end_every, end_one},
    store::{CreatedAccount, NewAccount, Store},
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
        email: &str,
        name: Option<&str>,
        password: &PasswordText,
        rules: PasswordRules,
        hasher: &PasswordHasher,
        now: counterfoil_domain::time::UnixMillis,
    ) -> Result<Account, AppError> {
        let email: Email = email.parse()?;
        let name = name.map(parse_name).transpose();
        let name = name.map_err(|source| AppError::InvalidName { field: "name", source })?;
        let normalized = NormalizedPassword::for_new_account(password, &email, rules)?;
        let password_hash = Some(hasher.hash(normalized).await?);
        let occasion = Occasion { now, ip: None, entropy: &*self.entropy };
        let account = Account::new(email, name, now, &*self.entropy);
        let events = vec![occasion.event(EventKind::AccountCreated, account.id, None)];
        let new = NewAccount { account: account.clone(), password_hash, session: None, events };
        match self.store.create_account(new).await? {
            CreatedAccount::Created => Ok(account),
            CreatedAccount::EmailTaken => Err(AppError::EmailTaken),
        }
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
    pub async fn end_session(&self, id: SessionId) -> Result<usize, AppError> {
        let (entropy, lifetime) = (Arc::clone(&self.entropy), self.longest_token_lifetime);
        let decided = self.store.decide_session(id, move |view, now| {
            end_one(view, &EndOne::Operator, lifetime, &Occasion { now, ip: None, entropy: &*entropy })
        });
        match decided.await?.0 {
            EndedOne::Ended => Ok(1),
            EndedOne::WasOver => Ok(0),
            EndedOne::NotFound => Err(AppError::SessionNotFound),
        }
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub async fn end_sessions(&self, account: AccountId) -> Result<usize, AppError> {
        let (entropy, lifetime) = (Arc::clone(&self.entropy), self.longest_token_lifetime);
        let decided = self.store.decide_account(account, move |view, now| {
            let Some(view) = view else { return Ruling::unchanged(None) };
            let ruling = end_every(view, None, lifetime, &Occasion { now, ip: None, entropy: &*entropy });
            Ruling { changes: ruling.changes, outcome: Some(ruling.outcome) }
        });
        decided.await?.0.ok_or(AppError::AccountNotFound)
    }
}
