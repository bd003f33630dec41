//! The one door to an account's standing: whether it may sign in, which roles it has, whether it is there at all. The
//! person who deletes their own account and the operator come in here.

use super::{
    App, AppError, RequestOrigin,
    revoke::{EndedSessions, Revoke},
};
use counterfoil_domain::{
    account::{
        Account, PasswordChange, PasswordHash, StandingOutcome, delete_account, delete_own_account, disable_account,
        enable_account, set_password, set_roles,
    },
    event::Occasion,
    id::{AccountId, SessionId},
    session::{AccountView, Ruling},
    store::Committed,
};
use std::sync::Arc;

/// What is to become of an account.
#[derive(Clone, Debug)]
pub enum StandingChange {
    /// It may sign in no more, and everything of it is ended.
    Disable,
    /// It may sign in again.
    Enable,
    /// It is forgotten, and everything of it is ended.
    Delete,
    /// The same, as its person asks by this sign-in; nothing is done if that is over.
    DeleteOwn(SessionId),
    /// It has these roles and no others; where one is taken, everything of it is ended.
    Roles(Vec<String>),
}

/// What a change of standing did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The account as it is now, or was before it was deleted.
    pub account: Account,
    /// Whether anything had to be changed.
    pub has_changed: bool,
    /// What was ended by it.
    pub ended: EndedSessions,
}

impl Revoke<'_> {
    /// Changes an account's standing.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub(super) async fn change_standing(
        &self,
        id: AccountId,
        change: StandingChange,
    ) -> Result<(Standing, Committed), AppError> {
        let (entropy, ip, lifetime) = (Arc::clone(self.entropy), self.ip, self.longest_token_lifetime);
        let decided = self.store.decide_account(id, {
            let change = change.clone();
            move |view: Option<&AccountView>, now| -> Ruling<StandingOutcome> {
                let occasion = Occasion { now, ip, entropy: &*entropy };
                match &change {
                    StandingChange::Disable => disable_account(view, lifetime, &occasion),
                    StandingChange::Enable => enable_account(view, &occasion),
                    StandingChange::Delete => delete_account(view, lifetime, &occasion),
                    StandingChange::DeleteOwn(asked_by) => delete_own_account(view, *asked_by, lifetime, &occasion),
                    StandingChange::Roles(roles) => set_roles(view, roles.clone(), lifetime, &occasion),
                }
            }
        });
        let (outcome, committed) = decided.await?;
        let (account, has_changed, revoked) = match outcome {
            StandingOutcome::Changed { account, ended } => (*account, true, ended),
            StandingOutcome::Unchanged(account) => (*account, false, 0),
            StandingOutcome::NotFound => return Err(AppError::AccountNotFound),
        };
        if has_changed {
            tracing::info!(account = %id, ?change, ended = revoked, "account changed");
        }
        let ended = EndedSessions { revoked, feed: committed.feed.position };
        Ok((Standing { account, has_changed, ended }, committed))
    }

    /// Sets a password as the operator wishes. Every sign-in is ended.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub(super) async fn set_password(
        &self,
        id: AccountId,
        hash: PasswordHash,
    ) -> Result<(EndedSessions, Committed), AppError> {
        let (entropy, ip, lifetime) = (Arc::clone(self.entropy), self.ip, self.longest_token_lifetime);
        let decided = self.store.decide_account(id, move |view, now| {
            set_password(view, &hash, lifetime, &Occasion { now, ip, entropy: &*entropy })
        });
        let (outcome, committed) = decided.await?;
        let PasswordChange::Changed { ended: revoked, .. } = outcome else { return Err(AppError::AccountNotFound) };
        tracing::info!(account = %id, revoked, "password set");
        Ok((EndedSessions { revoked, feed: committed.feed.position }, committed))
    }
}

impl App {
    /// Changes an account's standing, at once for every token of it.
    ///
    /// # Errors
    /// As [`AccountAdministration`](super::AccountAdministration)'s.
    pub async fn change_standing(
        &self,
        id: AccountId,
        change: StandingChange,
        origin: &RequestOrigin,
    ) -> Result<Standing, AppError> {
        let (standing, committed) = self.revoke(origin).change_standing(id, change).await?;
        self.apply_committed(&committed);
        Ok(standing)
    }
}
