//! Rules for the random operations: some write what those of production would, some what no rule should.

use crate::{
    SeededEntropy,
    bench::TOKEN_LIFETIME,
    operations::{EMAILS, SECRETS, digest},
};
use counterfoil_domain::{
    account::{Account, Attributes, PasswordHash, delete_account, set_password},
    event::{EventKind, Occasion},
    id::{AccountId, TokenId},
    policy::Lifetimes,
    revocation::{Revocation, RevocationDraft},
    session::{AccountView, Changes, EndOne, Ruling, SessionView, end_every, end_one, touch},
    time::UnixMillis,
};
use proptest::prelude::*;
use std::panic::resume_unwind;

/// What a rule does with what it is shown.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Looks.
    Nothing,
    /// Writes what a refresh would.
    Refresh,
    /// Notes that the session was used.
    Touch,
    /// Writes a column that no refresh writes.
    Narrow,
    /// Gives the session another secret, which may be taken; or takes it away.
    Renew(Option<usize>),
    /// Ends the session, or every session of the account.
    End,
    /// Ends every session but the first of the account.
    EndOthers,
    /// Only a line for the audit log.
    Log,
    /// Only entries for the feed, this many.
    Revoke(usize),
    /// Lets the account sign in no more.
    Disable,
    /// Gives the account another address, which may be taken.
    Rename(usize),
    /// Gives the account other attributes.
    Describe,
    /// Gives the account another password.
    ChangePassword,
    /// Deletes the account.
    Delete,
    /// Writes what it can, and gives a password to no account: all of it is to be refused.
    LosePassword,
    /// Changes what it can, and then an account that does not exist: all of it is to be refused.
    Overreach,
    /// Panics.
    Panic,
}

pub(crate) fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        1 => Just(Rule::Nothing),
        5 => Just(Rule::Refresh),
        2 => Just(Rule::Touch),
        1 => Just(Rule::Narrow),
        2 => proptest::option::of(0..SECRETS).prop_map(Rule::Renew),
        3 => Just(Rule::End),
        1 => Just(Rule::EndOthers),
        1 => Just(Rule::Log),
        1 => (0..4_usize).prop_map(Rule::Revoke),
        1 => Just(Rule::Disable),
        2 => (0..EMAILS.len()).prop_map(Rule::Rename),
        1 => Just(Rule::Describe),
        1 => Just(Rule::ChangePassword),
        1 => Just(Rule::Delete),
        1 => Just(Rule::LosePassword),
        1 => Just(Rule::Overreach),
        1 => Just(Rule::Panic),
    ]
}

impl Rule {
    /// The rule about a session; the same `seed` makes the same ids. Its outcome is what it saw.
    pub(crate) fn about_session(
        self,
        seed: u64,
    ) -> impl FnMut(Option<&SessionView>, UnixMillis) -> Ruling<String> + Send + 'static {
        move |view, now| {
            let entropy = SeededEntropy::new(seed);
            let occasion = Occasion { now, ip: None, entropy: &entropy };
            let outcome = format!("{now:?} {view:?}");
            let Some(SessionView { session, account }) = view else {
                return Ruling { changes: self.about_nobody(&occasion), outcome };
            };
            let mut changes = Changes::default();
            let mut session = session.clone();
            match self {
                Self::Refresh | Self::Overreach => {
                    session.rotation.head = session.rotation.child;
                    session.rotation.given = now;
                    session.last_seen_at = now;
                    session.device.ip = Some([192, 0, 2, 7].into());
                    changes.sessions.push(session);
                }
                Self::Touch => changes = touch(view, &Lifetimes::default(), &occasion).changes,
                Self::Narrow => {
                    session.scope = "read".parse().unwrap();
                    session.device.name = Some("narrow".to_owned());
                    // Twice: the last one counts.
                    changes.sessions.extend([session.clone(), session]);
                }
                Self::Renew(secret) => {
                    session.secret = secret.map(digest);
                    changes.sessions.push(session);
                }
                Self::End | Self::EndOthers => {
                    changes = end_one(view, &EndOne::Operator, TOKEN_LIFETIME, &occasion).changes;
                }
                Self::LosePassword | Self::Delete => {
                    session.last_seen_at = now;
                    changes.sessions.push(session);
                    self.about(account, &occasion, &mut changes);
                }
                other => other.about(account, &occasion, &mut changes),
            }
            self.overreach(account, &mut changes);
            Ruling { changes, outcome }
        }
    }

    /// The rule about an account; the same `seed` makes the same ids. Its outcome is what it saw.
    pub(crate) fn about_account(
        self,
        seed: u64,
    ) -> impl FnMut(Option<&AccountView>, UnixMillis) -> Ruling<String> + Send + 'static {
        move |shown, now| {
            let entropy = SeededEntropy::new(seed);
            let occasion = Occasion { now, ip: None, entropy: &entropy };
            let outcome = format!("{now:?} {shown:?}");
            let Some(view) = shown else {
                return Ruling { changes: self.about_nobody(&occasion), outcome };
            };
            let first = view.sessions.first().map(|session| session.id);
            let mut changes = Changes::default();
            match self {
                Self::End => changes = end_every(view, None, TOKEN_LIFETIME, &occasion).changes,
                Self::EndOthers => changes = end_every(view, first, TOKEN_LIFETIME, &occasion).changes,
                Self::Refresh | Self::Narrow | Self::Touch | Self::Overreach => {
                    changes.sessions.clone_from(&view.sessions);
                    changes.sessions.iter_mut().for_each(|session| session.last_seen_at = now);
                }
                Self::Renew(secret) => {
                    // All of them the same: refused, unless there is one only.
                    changes.sessions.clone_from(&view.sessions);
                    changes.sessions.iter_mut().for_each(|session| session.secret = secret.map(digest));
                }
                Self::ChangePassword => {
                    changes = set_password(shown, &password(&occasion), TOKEN_LIFETIME, &occasion).changes;
                }
                Self::Delete => changes = delete_account(shown, TOKEN_LIFETIME, &occasion).changes,
                other => other.about(&view.account, &occasion, &mut changes),
            }
            self.overreach(&view.account, &mut changes);
            Ruling { changes, outcome }
        }
    }

    fn about(self, account: &Account, occasion: &Occasion<'_>, changes: &mut Changes) {
        let mut account = account.clone();
        match self {
            Self::Log => changes.events.push(occasion.event(EventKind::SignedIn, account.id, None)),
            Self::Disable => {
                account.disabled_at = Some(occasion.now);
                changes.account = Some(account);
            }
            Self::Rename(email) => {
                account.email = EMAILS[email].parse().unwrap();
                changes.events.push(occasion.event(EventKind::EmailChanged, account.id, None));
                changes.account = Some(account);
            }
            Self::Describe => {
                account.attributes = attributes(occasion.now);
                changes.account = Some(account);
            }
            Self::ChangePassword => {
                account.password_changed_at = Some(occasion.now);
                changes.account = Some(account);
                changes.password_hash = Some(password(occasion));
            }
            Self::LosePassword => changes.password_hash = Some(password(occasion)),
            Self::Delete => changes.deleted_account = Some(account.id),
            Self::Revoke(count) => {
                for _ in 0..count {
                    let token = Revocation::Token(TokenId::generate(occasion.now, occasion.entropy));
                    let draft = RevocationDraft::new(token, occasion.now, TOKEN_LIFETIME, occasion.entropy);
                    changes.revocations.push(draft);
                }
            }
            // Not by `panic!`, whose hook would print what looks like a failed test.
            Self::Panic => resume_unwind(Box::new("a rule that panics")),
            _ => {}
        }
    }

    fn about_nobody(self, occasion: &Occasion<'_>) -> Changes {
        let nobody = Account::new("nobody@example.com".parse().unwrap(), None, occasion.now, occasion.entropy);
        let mut changes = Changes::default();
        self.about(&nobody, occasion, &mut changes);
        changes
    }

    fn overreach(self, account: &Account, changes: &mut Changes) {
        if matches!(self, Self::Overreach) {
            let mut stranger = account.clone();
            stranger.id = AccountId::from_bytes([0xee; 16]);
            stranger.email = "stranger@example.com".parse().unwrap();
            changes.account = Some(stranger);
        }
    }
}

fn password(occasion: &Occasion<'_>) -> PasswordHash {
    PasswordHash::from_phc(format!("$changed${}", occasion.now.as_millis()))
}

fn attributes(now: UnixMillis) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.set("described_at", now.as_millis().into()).unwrap();
    attributes.set("department", vec!["Küche \"3\"", ""].into()).unwrap();
    attributes
}
