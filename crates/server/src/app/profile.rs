//! Changing name and address of one's own account.

use super::{App, AppError, RequestOrigin};
use counterfoil_domain::{
    account::{Account, Change, ProfileChange, change_profile, parse_name},
    email::Email,
    event::Occasion,
};
use counterfoil_guard::{CurrentUser, Rejection};
use std::sync::Arc;

/// What is to change.
#[derive(Default)]
pub struct ProfileInput {
    /// The new name.
    pub name: Change<String>,
    /// The new address.
    pub email: Option<String>,
}

impl App {
    /// Changes name and address of the signed-in person.
    ///
    /// # Errors
    /// [`AppError`]: a name or an address that is not taken; the address is another account's; the store is not available.
    pub async fn change_profile(
        &self,
        user: &CurrentUser,
        input: ProfileInput,
        origin: &RequestOrigin,
    ) -> Result<Account, AppError> {
        let name = match input.name {
            Change::Set(name) => {
                let name = parse_name(&name);
                Change::Set(name.map_err(|source| AppError::InvalidName { field: "name", source })?)
            }
            as_it_is => as_it_is,
        };
        let email = input.email.map(|email| email.parse::<Email>()).transpose()?;
        // Each tells whether an address is taken.
        if email.is_some() && !self.0.email_brake.allows(user.account(), self.0.parts.clock.now()) {
            return Err(AppError::TooManyRequests);
        }
        let change = ProfileChange { name, email };
        let (entropy, ip, asked_by) = (Arc::clone(&self.0.parts.entropy), origin.ip, user.session());
        let decided = self.store().decide_account(user.account(), move |view, now| {
            change_profile(view, asked_by, change.clone(), &Occasion { now, ip, entropy: &*entropy })
        });
        let (changed, _) = decided.await?;
        let account = changed.ok_or(AppError::Rejected(Rejection::Revoked))?;
        self.0.emails.remember(&account);
        Ok(*account)
    }
}
