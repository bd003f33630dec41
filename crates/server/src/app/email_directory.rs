//! Which address belongs to an account, for gateways that pass it on (`X-Auth-Email`).
//!
//! The address is personal data, so access tokens do not carry it (RFC 9068 §6); and verification asks no store. So it
//! is remembered whenever an account passes by at sign-in or refresh, and read once where it has not.

use super::App;
use counterfoil_domain::{account::Account, id::AccountId};
use parking_lot::RwLock;
use std::{collections::HashMap, sync::Arc};

/// The most addresses remembered: some 2 MB.
const ADDRESSES_MAX: usize = 20_000;

#[derive(Default)]
pub(super) struct EmailDirectory(RwLock<HashMap<AccountId, Arc<str>>>);

impl EmailDirectory {
    pub(super) fn remember(&self, account: &Account) -> Arc<str> {
        let email: Arc<str> = account.email.as_str().into();
        let mut directory = self.0.write();
        // Full: begin anew. What is asked for comes back with one read each.
        if directory.len() >= ADDRESSES_MAX && !directory.contains_key(&account.id) {
            directory.clear();
        }
        directory.insert(account.id, Arc::clone(&email));
        email
    }

    fn get(&self, account: AccountId) -> Option<Arc<str>> {
        self.0.read().get(&account).map(Arc::clone)
    }
}

impl App {
    /// The address of an account, from memory where it is known. `None` when the account or the store cannot be read:
    /// who is signed in stays signed in, whatever the store does.
    pub async fn email_of(&self, account: AccountId) -> Option<Arc<str>> {
        if let Some(email) = self.0.emails.get(account) {
            return Some(email);
        }
        let account = self.store().account(account).await.ok().flatten()?;
        Some(self.0.emails.remember(&account))
    }
}
