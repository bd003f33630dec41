//! What a person changes of their own account: name, address, password.

use super::{Account, PasswordHash};
use crate::{
    email::Email,
    event::{EventKind, Occasion},
    id::SessionId,
    opaque::SecretDigest,
    session::{AccountView, Changes, Ruling, Session, end_all},
    time::UnixMillis,
};
use std::time::Duration;

/// What is to become of something that need not be there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is taken away.
    Remove,
    /// It becomes this.
    Set(T),
}

/// A new name or address, or both.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProfileChange {
    /// The new name.
    pub name: Change<String>,
    /// The new address. Until the person shows that it is theirs it is not verified.
    pub email: Option<Email>,
}

/// What came of a change: the account as it is now; `None` when it has gone, or the sign-in is over.
pub type ProfileChanged = Option<Box<Account>>;

/// Changes name and address for the sign-in `asked_by`, unless it is over. That nobody else has the address is for the store
/// to see.
pub fn change_profile(
    view: Option<&AccountView>,
    asked_by: SessionId,
    change: ProfileChange,
    occasion: &Occasion<'_>,
) -> Ruling<ProfileChanged> {
    let lives = |view: &&AccountView| view.living_sign_in(asked_by, occasion.now).is_some();
    let Some(AccountView { account: before, .. }) = view.filter(lives) else { return Ruling::unchanged(None) };
    let mut account = before.clone();
    match change.name {
        Change::Keep => {}
        Change::Remove => account.name = None,
        Change::Set(name) => account.name = Some(name),
    }
    let mut events = Vec::new();
    if let Some(email) = change.email.filter(|email| email.as_str() != before.email.as_str()) {
        // Another spelling of the same address is as verified as before.
        account.email_verified &= email.canonical() == before.email.canonical();
        account.email = email;
        events.push(occasion.event(EventKind::EmailChanged, account.id, None));
    }
    let outcome = Some(Box::new(account.clone()));
    if account == *before {
        return Ruling::unchanged(outcome);
    }
    Ruling { changes: Changes { account: Some(account), events, ..Changes::default() }, outcome }
}

/// A new password, hashed, and what its change was based upon.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// The hash of the new one.
    pub hash: PasswordHash,
    /// [`Account::password_changed_at`] as it was when the current password was checked. Hashing takes a while: if the
    /// password was changed meanwhile, the one that was checked is not the current one any more.
    pub checked_when_changed_at: Option<UnixMillis>,
}

/// What came of a change of password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PasswordChange {
    /// It is changed.
    Changed {
        /// How many sign-ins were ended by it.
        ended: usize,
        /// The account as it is now.
        account: Box<Account>,
        /// The session that was kept, as it is now.
        kept: Option<Box<Session>>,
    },
    /// Somebody else was faster.
    ChangedMeanwhile,
    /// The account has gone or was disabled.
    NoAccount,
}

/// Changes the password and ends every sign-in but `keep` (ASVS 7.4.3). Personal tokens go on: they are what programs
/// work with, and are ended by name.
///
/// Its person has just proved anew who they are, so the session that is kept counts as signed in now, and one that is
/// found by an opaque id gets a new one, `renewed` (ASVS 7.2.4).
pub fn change_password(
    view: Option<&AccountView>,
    new: &NewPassword,
    keep: SessionId,
    renewed: SecretDigest,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<PasswordChange> {
    let Some(view) = view.filter(|view| view.account.disabled_at.is_none()) else {
        return Ruling::unchanged(PasswordChange::NoAccount);
    };
    if view.account.password_changed_at != new.checked_when_changed_at {
        return Ruling::unchanged(PasswordChange::ChangedMeanwhile);
    }
    // Whoever was signed out while the password was hashed has nothing to keep, and still may change it.
    let kept = view.sessions.iter().find(|session| session.id == keep).map(|session| Session {
        authenticated_at: session.authenticated_at.max(occasion.now),
        secret: session.secret.map(|_| renewed),
        ..session.clone()
    });
    write_password(view, &new.hash, kept, longest_token_lifetime, occasion)
}

/// Sets a password as the operator wishes, and ends every sign-in.
pub fn set_password(
    view: Option<&AccountView>,
    hash: &PasswordHash,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<PasswordChange> {
    let Some(view) = view else { return Ruling::unchanged(PasswordChange::NoAccount) };
    write_password(view, hash, None, longest_token_lifetime, occasion)
}

fn write_password(
    view: &AccountView,
    hash: &PasswordHash,
    kept: Option<Session>,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<PasswordChange> {
    // Always another instant than before, or a change in the same millisecond would look like none.
    let just_after = |before: UnixMillis| occasion.now.max(before.plus(Duration::from_millis(1)));
    let password_changed_at = Some(view.account.password_changed_at.map_or(occasion.now, just_after));
    let account = Account { password_changed_at, ..view.account.clone() };
    let mut changes = Changes {
        account: Some(account),
        password_hash: Some(hash.clone()),
        events: vec![occasion.event(EventKind::PasswordChanged, view.account.id, None)],
        ..Changes::default()
    };
    let keep = kept.as_ref().map(|session| session.id);
    let ended = end_all(view, keep, longest_token_lifetime, occasion, &mut changes);
    if let Some(kept) = &kept {
        changes.sessions.push(kept.clone());
        if kept.secret.is_some() {
            changes.events.push(occasion.event(EventKind::SessionIdRenewed, kept.account, Some(kept.id)));
        }
    }
    let account = Box::new(changes.account.clone().unwrap_or_else(|| view.account.clone()));
    Ruling { changes, outcome: PasswordChange::Changed { ended, account, kept: kept.map(Box::new) } }
}
