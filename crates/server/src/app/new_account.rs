//! The one door to new accounts: a sign-up over the network and an operator at the command line both come in here.

use super::AppError;
use crate::hashing::{Asker, PasswordHasher};
use counterfoil_domain::{
    account::{Account, parse_name},
    email::Email,
    event::{Event, EventKind, Occasion},
    password::{NormalizedPassword, PasswordRules},
    secret::PasswordText,
    session::Session,
    store::{CreatedAccount, NewAccount, Store},
};
use std::net::IpAddr;

/// What an account is made from, as it was given.
pub struct NewPerson {
    /// The address by which the person will sign in.
    pub email: String,
    /// The password.
    pub password: PasswordText,
    /// What the person calls themselves.
    pub name: Option<String>,
}

/// The same by the rules: what is left can only fail because of others.
pub(super) struct CheckedPerson {
    email: Email,
    password: NormalizedPassword,
    name: Option<String>,
}

impl NewPerson {
    /// Checks everything, before anything costs time.
    ///
    /// # Errors
    /// [`AppError`]: an e-mail address, name, or password that is not taken.
    pub(super) fn check(&self, rules: PasswordRules) -> Result<CheckedPerson, AppError> {
        let email: Email = self.email.parse()?;
        let name = self.name.as_deref().map(parse_name).transpose();
        let name = name.map_err(|source| AppError::InvalidName { field: "name", source })?;
        let password = NormalizedPassword::for_new_account(&self.password, &email, rules)?;
        Ok(CheckedPerson { email, password, name })
    }
}

impl CheckedPerson {
    /// Hashes the password and makes the account, with its first session if `open_session` gives one: one write stores
    /// it all. `ip` is where the request came from, if it was one; `occasion` is asked for after the hashing, which takes its time.
    ///
    /// # Errors
    /// [`AppError::EmailTaken`]; the store or the hashing threads are not available.
    pub(super) async fn create<'o>(
        self,
        store: &dyn Store,
        hasher: &PasswordHasher,
        ip: Option<IpAddr>,
        occasion: impl FnOnce() -> Occasion<'o>,
        open_session: impl FnOnce(&Account, &Occasion<'o>) -> Option<(Session, Event)>,
    ) -> Result<(Account, Option<Session>), AppError> {
        let asker = Asker { ip, account: &self.email.canonical() };
        let password_hash = Some(hasher.hash(self.password, &asker).await?);
        let occasion = occasion();
        let account = Account::new(self.email, self.name, occasion.now, occasion.entropy);
        let mut events = vec![occasion.event(EventKind::AccountCreated, account.id, None)];
        let session = open_session(&account, &occasion).map(|(session, event)| {
            events.push(event);
            session
        });
        let new = NewAccount { account: account.clone(), password_hash, session: session.clone(), events };
        match store.create_account(new).await? {
            CreatedAccount::Created => {}
            CreatedAccount::EmailTaken => return Err(AppError::EmailTaken),
        }
        tracing::info!(account = %account.id, "account created");
        Ok((account, session))
    }
}
