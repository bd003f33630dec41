//! Which address belongs to an account, for gateways that pass it on (`X-Auth-Email`).
//!
//! The address is personal data, so access tokens do not carry it (RFC 9068 §6); and verification asks no store. So it
//! is remembered whenever an account passes by at sign-in or refresh, and read once where it has not.

use super::App;
use bytes::Bytes;
use counterfoil_domain::{account::Account, id::AccountId};
use parking_lot::RwLock;
use std::collections::HashMap;

/// The most addresses remembered: some 2 MB.
const ADDRESSES_MAX: usize = 20_000;

/// An account's address, and whether it is the person's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownEmail {
    /// The address as its owner writes it, in UTF-8. Clones share it.
    pub address: Bytes,
    /// Whether the person has shown that it is theirs. Until then anybody may have signed up with it.
    pub is_verified: bool,
}

#[derive(Default)]
pub(super) struct EmailDirectory(RwLock<HashMap<AccountId, KnownEmail>>);

impl EmailDirectory {
    pub(super) fn remember(&self, account: &Account) -> KnownEmail {
        let email = KnownEmail {
            address: Bytes::copy_from_slice(account.email.as_str().as_bytes()),
            is_verified: account.email_verified,
        };
        let mut directory = self.0.write();
        // Full: begin anew. What is asked for comes back with one read each.
        if directory.len() >= ADDRESSES_MAX && !directory.contains_key(&account.id) {
            directory.clear();
        }
        directory.insert(account.id, email.clone());
        email
    }

    fn get(&self, account: AccountId) -> Option<KnownEmail> {
        self.0.read().get(&account).cloned()
    }
}

impl App {
    /// The address of an account, from memory where it is known. `None` when the account or the store cannot be read:
    /// who is signed in stays signed in, whatever the store does.
    pub async fn email_of(&self, account: AccountId) -> Option<KnownEmail> {
        if let Some(email) = self.0.emails.get(account) {
            return Some(email);
        }
        let account = self.store().account(account).await.ok().flatten()?;
        Some(self.0.emails.remember(&account))
    }
}
