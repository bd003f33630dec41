//! What an operator decides about an account: whether it may sign in, what it may do, whether it is there at all.

use super::Account;
use crate::{
    event::{EventKind, Occasion},
    id::SessionId,
    session::{AccountView, Changes, Ruling, end_all, end_personal_tokens},
};
use std::time::Duration;

/// What came of such a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StandingOutcome {
    /// It is as wished now.
    Changed {
        /// The account as it is, or was before it was deleted.
        account: Box<Account>,
        /// How many sign-ins and personal tokens were ended by it.
        ended: usize,
    },
    /// It was so before.
    Unchanged(Box<Account>),
    /// There is no such account.
    NotFound,
}

/// Lets an account sign in no more, and ends everything of it: sign-ins by one entry in the feed, personal tokens by one
/// each. Enabling it again brings none of them back.
pub fn disable_account(
    view: Option<&AccountView>,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<StandingOutcome> {
    let Some(view) = view else { return Ruling::unchanged(StandingOutcome::NotFound) };
    if view.account.disabled_at.is_some() {
        return Ruling::unchanged(StandingOutcome::Unchanged(Box::new(view.account.clone())));
    }
    let mut changes = end_everything(view, longest_token_lifetime, occasion);
    let ended = changes.sessions.len();
    let account = Account { disabled_at: Some(occasion.now), ..changed_account(&changes, view) };
    changes.events.push(occasion.event(EventKind::AccountDisabled, account.id, None));
    changes.account = Some(account.clone());
    Ruling { changes, outcome: StandingOutcome::Changed { account: Box::new(account), ended } }
}

/// Lets an account sign in again.
pub fn enable_account(view: Option<&AccountView>, occasion: &Occasion<'_>) -> Ruling<StandingOutcome> {
    let Some(view) = view else { return Ruling::unchanged(StandingOutcome::NotFound) };
    if view.account.disabled_at.is_none() {
        return Ruling::unchanged(StandingOutcome::Unchanged(Box::new(view.account.clone())));
    }
    let account = Account { disabled_at: None, ..view.account.clone() };
    let changes = Changes {
        account: Some(account.clone()),
        events: vec![occasion.event(EventKind::AccountEnabled, account.id, None)],
        ..Changes::default()
    };
    Ruling { changes, outcome: StandingOutcome::Changed { account: Box::new(account), ended: 0 } }
}

/// Forgets an account and everything of it. Its audit lines stay, and its feed entries for as long as a token of it could
/// be about.
pub fn delete_account(
    view: Option<&AccountView>,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<StandingOutcome> {
    let Some(view) = view else { return Ruling::unchanged(StandingOutcome::NotFound) };
    let ended = end_everything(view, longest_token_lifetime, occasion);
    let id = view.account.id;
    // The rows go with the account: nothing is written over.
    let changes = Changes {
        deleted_account: Some(id),
        revocations: ended.revocations,
        events: vec![occasion.event(EventKind::AccountDeleted, id, None)],
        ..Changes::default()
    };
    let account = Box::new(view.account.clone());
    Ruling { changes, outcome: StandingOutcome::Changed { account, ended: ended.sessions.len() } }
}

/// Forgets an account as its person wishes, who asks by a sign-in. One that is over deletes nothing.
pub fn delete_own_account(
    view: Option<&AccountView>,
    asked_by: SessionId,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<StandingOutcome> {
    let lives = |view: &&AccountView| view.living_sign_in(asked_by, occasion.now).is_some();
    delete_account(view.filter(lives), longest_token_lifetime, occasion)
}

/// Gives an account these roles and no others. Where one is taken away, every sign-in is ended: the tokens about carry
/// what they were granted. Personal tokens go too, whose scopes were granted with those roles.
pub fn set_roles(
    view: Option<&AccountView>,
    mut roles: Vec<String>,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<StandingOutcome> {
    let Some(view) = view else { return Ruling::unchanged(StandingOutcome::NotFound) };
    roles.sort_unstable();
    roles.dedup();
    if view.account.roles == roles {
        return Ruling::unchanged(StandingOutcome::Unchanged(Box::new(view.account.clone())));
    }
    let is_taken = view.account.roles.iter().any(|role| !roles.contains(role));
    let mut changes =
        if is_taken { end_everything(view, longest_token_lifetime, occasion) } else { Changes::default() };
    let ended = changes.sessions.len();
    let account = Account { roles, ..changed_account(&changes, view) };
    changes.events.push(occasion.event(EventKind::RolesChanged, account.id, None));
    changes.account = Some(account.clone());
    Ruling { changes, outcome: StandingOutcome::Changed { account: Box::new(account), ended } }
}

fn end_everything(view: &AccountView, longest_token_lifetime: Duration, occasion: &Occasion<'_>) -> Changes {
    let mut changes = end_personal_tokens(view, longest_token_lifetime, occasion).changes;
    end_all(view, None, longest_token_lifetime, occasion, &mut changes);
    changes
}

fn changed_account(changes: &Changes, view: &AccountView) -> Account {
    changes.account.clone().unwrap_or_else(|| view.account.clone())
}
