//! Random operations, as data: small numbers that pick from what an earlier operation made, so that a sequence can be
//! printed, shrunk and run again.

use counterfoil_domain::{
    event::{EventKind, Occasion},
    id::TokenId,
    revocation::{Revocation, RevocationDraft},
    session::{AccountView, Changes, EndOne, Ruling, SessionView, end_every, end_one},
    time::UnixMillis,
};
use proptest::{collection::vec, prelude::*};
use std::{fmt::Write as _, panic::resume_unwind};

use crate::{SeededEntropy, bench::TOKEN_LIFETIME};

/// One call to a store. Numbers called `account` and `session` pick one of those made before, or one that never was.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each variant is a call of the trait, each field one of its parameters")]
pub enum Operation {
    CreateAccount { email: usize, password: bool, session: bool, events: usize },
    AccountByEmail { email: usize },
    Account { account: usize },
    Accounts { after: Option<usize>, limit: usize },
    CreateSession { account: usize },
    UpdateSession { session: usize, rule: Rule },
    UpdateAccount { account: usize, rule: Rule },
    SessionsOfAccount { account: usize },
    Sessions { after: Option<usize>, limit: usize },
    EventsOfAccount { account: usize, limit: usize },
    FeedAfter { seq: i64, limit: usize },
    Keys,
    PutKeys { keys: Vec<(usize, bool, usize)> },
    Prune { sessions_minutes: u64, events_minutes: u64 },
    Check,
    Wait { minutes: u64 },
}

/// What a rule does with what it is shown.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Looks.
    Nothing,
    /// Writes what a refresh would.
    Refresh,
    /// Writes a column that no refresh writes.
    Narrow,
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
    /// Changes what it can, and then an account that does not exist: all of it is to be refused.
    Overreach,
    /// Panics.
    Panic,
}

/// Sequences of up to `length_max` operations.
pub fn operations(length_max: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..=length_max)
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{
        Account, AccountByEmail, Accounts, Check, CreateAccount, CreateSession, EventsOfAccount, FeedAfter, Keys,
        Prune, PutKeys, Sessions, SessionsOfAccount, UpdateAccount, UpdateSession, Wait,
    };
    let account = || 0..6_usize;
    let session = || 0..10_usize;
    let email = || 0..6_usize;
    let limit = || prop_oneof![0..5_usize, Just(usize::MAX)];
    prop_oneof![
        4 => (email(), any::<bool>(), any::<bool>(), 0..3_usize)
            .prop_map(|(email, password, session, events)| CreateAccount { email, password, session, events }),
        1 => email().prop_map(|email| AccountByEmail { email }),
        1 => account().prop_map(|account| Account { account }),
        1 => (proptest::option::of(account()), limit()).prop_map(|(after, limit)| Accounts { after, limit }),
        5 => account().prop_map(|account| CreateSession { account }),
        10 => (session(), rule()).prop_map(|(session, rule)| UpdateSession { session, rule }),
        5 => (account(), rule()).prop_map(|(account, rule)| UpdateAccount { account, rule }),
        1 => account().prop_map(|account| SessionsOfAccount { account }),
        1 => (proptest::option::of(session()), limit()).prop_map(|(after, limit)| Sessions { after, limit }),
        1 => (account(), limit()).prop_map(|(account, limit)| EventsOfAccount { account, limit }),
        1 => (-1..12_i64, limit()).prop_map(|(seq, limit)| FeedAfter { seq, limit }),
        1 => Just(Keys),
        1 => vec((0..3_usize, any::<bool>(), 0..4_usize), 0..4).prop_map(|keys| PutKeys { keys }),
        1 => (0..200_u64, 0..200_u64)
            .prop_map(|(sessions_minutes, events_minutes)| Prune { sessions_minutes, events_minutes }),
        1 => Just(Check),
        3 => (0..60_u64).prop_map(|minutes| Wait { minutes }),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        1 => Just(Rule::Nothing),
        5 => Just(Rule::Refresh),
        1 => Just(Rule::Narrow),
        3 => Just(Rule::End),
        1 => Just(Rule::EndOthers),
        1 => Just(Rule::Log),
        1 => (0..4_usize).prop_map(Rule::Revoke),
        1 => Just(Rule::Disable),
        1 => (0..6_usize).prop_map(Rule::Rename),
        1 => Just(Rule::Overreach),
        1 => Just(Rule::Panic),
    ]
}

/// The addresses: some differ only in spelling.
pub(crate) const EMAILS: [&str; 6] =
    ["a@example.com", "A@Example.COM", "b@example.com", "José@example.com", "JOSÉ@example.com", "c@example.com"];

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
                Self::Narrow => {
                    session.scope = "read".parse().unwrap();
                    session.device.name = Some("narrow".to_owned());
                    // Twice: the last one counts.
                    changes.sessions.extend([session.clone(), session]);
                }
                Self::End | Self::EndOthers => {
                    changes = end_one(view, &EndOne::Operator, TOKEN_LIFETIME, &occasion).changes;
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
        move |view, now| {
            let entropy = SeededEntropy::new(seed);
            let occasion = Occasion { now, ip: None, entropy: &entropy };
            let outcome = format!("{now:?} {view:?}");
            let Some(view) = view else {
                return Ruling { changes: self.about_nobody(&occasion), outcome };
            };
            let first = view.sessions.first().map(|session| session.id);
            let mut changes = Changes::default();
            match self {
                Self::End => changes = end_every(view, None, TOKEN_LIFETIME, &occasion).changes,
                Self::EndOthers => changes = end_every(view, first, TOKEN_LIFETIME, &occasion).changes,
                Self::Refresh | Self::Narrow | Self::Overreach => {
                    changes.sessions.clone_from(&view.sessions);
                    changes.sessions.iter_mut().for_each(|session| session.last_seen_at = now);
                }
                other => other.about(&view.account, &occasion, &mut changes),
            }
            self.overreach(&view.account, &mut changes);
            Ruling { changes, outcome }
        }
    }

    fn about(self, account: &counterfoil_domain::account::Account, occasion: &Occasion<'_>, changes: &mut Changes) {
        let mut account = account.clone();
        match self {
            Self::Log => changes.events.push(occasion.event(EventKind::SignedIn, account.id, None)),
            Self::Disable => {
                account.disabled_at = Some(occasion.now);
                changes.account = Some(account);
            }
            Self::Rename(email) => {
                account.email = EMAILS[email].parse().unwrap();
                changes.events.push(occasion.event(EventKind::SignedIn, account.id, None));
                changes.account = Some(account);
            }
            Self::Revoke(count) => {
                for _ in 0..count {
                    let token = Revocation::Token(TokenId::generate(occasion.now, occasion.entropy));
                    changes.revocations.push(RevocationDraft::new(
                        token,
                        occasion.now,
                        TOKEN_LIFETIME,
                        occasion.entropy,
                    ));
                }
            }
            // Not by `panic!`, whose hook would print what looks like a failed test.
            Self::Panic => resume_unwind(Box::new("a rule that panics")),
            _ => {}
        }
    }

    fn about_nobody(self, occasion: &Occasion<'_>) -> Changes {
        let nobody = counterfoil_domain::account::Account::new(
            "nobody@example.com".parse().unwrap(),
            None,
            occasion.now,
            occasion.entropy,
        );
        let mut changes = Changes::default();
        self.about(&nobody, occasion, &mut changes);
        changes
    }

    fn overreach(self, account: &counterfoil_domain::account::Account, changes: &mut Changes) {
        if matches!(self, Self::Overreach) {
            let mut stranger = account.clone();
            stranger.id = counterfoil_domain::id::AccountId::from_bytes([0xee; 16]);
            stranger.email = "stranger@example.com".parse().unwrap();
            changes.account = Some(stranger);
        }
    }
}

/// An answer as text, for comparing: an error by its kind only, since every store words them differently.
pub(crate) fn tell<T>(
    answer: Result<T, counterfoil_domain::store::StoreError>,
    describe: impl FnOnce(T) -> String,
) -> String {
    use counterfoil_domain::store::StoreError;
    match answer {
        Ok(value) => describe(value),
        Err(StoreError::Unavailable(_)) => "refused".to_owned(),
        Err(other) => {
            let mut text = "error: ".to_owned();
            write!(text, "{other}").unwrap();
            text
        }
    }
}
