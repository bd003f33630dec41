//! What the operator does with accounts and sessions from the command line, without a running server.
//!
//! The command line opens the store by itself, so that it works while the server is stopped; a running server sees what
//! it did through the feed.

use super::{
    AppError, CustomClaims, NewPerson, Standing, StandingChange,
    revoke::{EndedSessions, Revoke},
};
use crate::hashing::{Asker, PasswordHasher};
use counterfoil_domain::{
    account::Account,
    entropy::Entropy,
    event::Occasion,
    id::{AccountId, SessionId},
    password::{NormalizedPassword, PasswordRules},
    revocation::FeedPosition,
    secret::PasswordText,
    session::{Changes, EndOne, Ruling},
    store::Store,
    time::Clock,
};
use serde_json::Value;
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

    /// Disables, enables or deletes an account, or sets its roles.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub async fn change_standing(&self, account: AccountId, change: StandingChange) -> Result<Standing, AppError> {
        Ok(self.revoke().change_standing(account, change).await?.0)
    }

    /// Sets a password by the same rules as a sign-up, and ends every sign-in.
    ///
    /// # Errors
    /// [`AppError`]: the password is not taken; the store is not available.
    pub async fn set_password(
        &self,
        account: &Account,
        password: &PasswordText,
        rules: PasswordRules,
        hasher: &PasswordHasher,
    ) -> Result<EndedSessions, AppError> {
        let new = NormalizedPassword::for_new_account(password, &account.email, rules)?;
        let hash = hasher.hash(new, &Asker { ip: None, account: &account.email.canonical() }).await?;
        Ok(self.revoke().set_password(account.id, hash).await?.0)
    }

    /// Sets attributes of an account; null takes one away. All of them are taken, or none. A token carries them from the
    /// next one on.
    ///
    /// # Errors
    /// [`AppError`]: one is not taken, or what is configured to be in tokens would not fit; the store is not available.
    pub async fn set_attributes(
        &self,
        account: AccountId,
        attributes: Vec<(String, Value)>,
        claims: CustomClaims,
    ) -> Result<Account, AppError> {
        let decided = self.store.decide_account(account, move |view, _| {
            let Some(view) = view else { return Ruling::unchanged(Err(AppError::AccountNotFound)) };
            let mut account = view.account.clone();
            let set = attributes.iter().try_for_each(|(name, value)| account.attributes.set(name, value.clone()));
            if let Err(refused) = set.map_err(AppError::from).and_then(|()| claims.of(&account).map(drop)) {
                return Ruling::unchanged(Err(refused));
            }
            let changes = Changes { account: Some(account.clone()), ..Changes::default() };
            Ruling { changes, outcome: Ok(account) }
        });
        decided.await?.0
    }

    /// Ends every session of every account at once, personal tokens too.
    ///
    /// # Errors
    /// The store is not available.
    pub async fn sign_everybody_out(&self, clock: &dyn Clock) -> Result<FeedPosition, AppError> {
        Ok(self.revoke().everybody(clock.now()).await?.feed.position)
    }

    /// A running server takes what was committed from the feed: there is no memory here to keep.
    fn revoke(&self) -> Revoke<'_> {
        let longest_token_lifetime = self.longest_token_lifetime;
        Revoke { store: &*self.store, entropy: &self.entropy, longest_token_lifetime, ip: None }
    }
}
