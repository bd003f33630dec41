//! Random operations, as data: small numbers that pick from what an earlier operation made, so that a sequence can be
//! printed, shrunk and run again.

use crate::rules::{Rule, rule};
use counterfoil_domain::{opaque::SecretDigest, policy::SessionPolicy, store::StoreError};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// One call to a store. Numbers called `account` and `session` pick one of those made before, or one that never was;
/// those called `email` and `secret` pick one of a few.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each variant is a call of the trait, each field one of its parameters")]
pub enum Operation {
    CreateAccount { email: usize, password: bool, session: bool, events: usize },
    AccountByEmail { email: usize },
    AccountWithPassword { account: usize },
    Account { account: usize },
    Accounts { after: Option<usize>, limit: usize },
    CreateSession { account: usize, policy: SessionPolicy, secret: Option<usize> },
    Session { session: usize },
    SessionBySecret { secret: usize },
    UpdateSession { session: usize, rule: Rule },
    UpdateAccount { account: usize, rule: Rule },
    SessionsOfAccount { account: usize },
    Sessions { after: Option<usize>, limit: usize },
    EventsOfAccount { account: usize, limit: usize },
    FeedAfter { seq: i64, limit: usize },
    Keys,
    UpdateKeys { keys: Vec<(usize, bool, usize)>, told: bool },
    Prune { sessions_minutes: u64, events_minutes: u64 },
    RaiseSessionCutoff { account: usize, minutes_ago: u64 },
    BeginEpoch { ahead: bool },
    CreateClient { name: usize },
    DeleteClient { name: usize },
    Client { name: usize },
    Clients,
    Check,
    Wait { minutes: u64 },
}

/// Sequences of up to `length_max` operations.
pub fn operations(length_max: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..=length_max)
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{
        AccountByEmail, AccountWithPassword, Accounts, BeginEpoch, Check, Clients, CreateAccount, CreateClient,
        CreateSession, DeleteClient, EventsOfAccount, FeedAfter, Keys, Prune, RaiseSessionCutoff, SessionBySecret,
        Sessions, SessionsOfAccount, UpdateAccount, UpdateKeys, UpdateSession, Wait,
    };
    let account = || 0..6_usize;
    let session = || 0..10_usize;
    let email = || 0..EMAILS.len();
    let secret = || 0..SECRETS;
    let limit = || prop_oneof![0..5_usize, Just(usize::MAX)];
    prop_oneof![
        4 => (email(), any::<bool>(), any::<bool>(), 0..3_usize)
            .prop_map(|(email, password, session, events)| CreateAccount { email, password, session, events }),
        1 => email().prop_map(|email| AccountByEmail { email }),
        1 => account().prop_map(|account| AccountWithPassword { account }),
        1 => account().prop_map(|account| Operation::Account { account }),
        1 => (option::of(account()), limit()).prop_map(|(after, limit)| Accounts { after, limit }),
        6 => (account(), select(&SessionPolicy::ALL), option::of(secret()))
            .prop_map(|(account, policy, secret)| CreateSession { account, policy, secret }),
        1 => session().prop_map(|session| Operation::Session { session }),
        2 => secret().prop_map(|secret| SessionBySecret { secret }),
        10 => (session(), rule()).prop_map(|(session, rule)| UpdateSession { session, rule }),
        5 => (account(), rule()).prop_map(|(account, rule)| UpdateAccount { account, rule }),
        1 => account().prop_map(|account| SessionsOfAccount { account }),
        1 => (option::of(session()), limit()).prop_map(|(after, limit)| Sessions { after, limit }),
        1 => (account(), limit()).prop_map(|(account, limit)| EventsOfAccount { account, limit }),
        1 => (-1..12_i64, limit()).prop_map(|(seq, limit)| FeedAfter { seq, limit }),
        1 => Just(Keys),
        1 => (vec((0..3_usize, any::<bool>(), 0..4_usize), 0..4), any::<bool>())
            .prop_map(|(keys, told)| UpdateKeys { keys, told }),
        1 => (0..200_u64, 0..200_u64)
            .prop_map(|(sessions_minutes, events_minutes)| Prune { sessions_minutes, events_minutes }),
        1 => (account(), 0..120_u64)
            .prop_map(|(account, minutes_ago)| RaiseSessionCutoff { account, minutes_ago }),
        1 => any::<bool>().prop_map(|ahead| BeginEpoch { ahead }),
        1 => (0..4_usize).prop_map(|name| CreateClient { name }),
        1 => (0..4_usize).prop_map(|name| DeleteClient { name }),
        1 => (0..4_usize).prop_map(|name| Operation::Client { name }),
        1 => Just(Clients),
        1 => Just(Check),
        3 => (0..60_u64).prop_map(|minutes| Wait { minutes }),
    ]
}

/// The addresses: some differ only in spelling.
pub(crate) const EMAILS: [&str; 6] =
    ["a@example.com", "A@Example.COM", "b@example.com", "José@example.com", "JOSÉ@example.com", "c@example.com"];

/// How many secrets there are: few enough that two sessions are often to have the same.
pub(crate) const SECRETS: usize = 8;

/// The digest of one of them.
pub(crate) fn digest(secret: usize) -> SecretDigest {
    SecretDigest::from_bytes([u8::try_from(secret).unwrap(); 32])
}

/// An answer as text, for comparing: an error by its kind only, since every store words them differently.
pub(crate) fn tell<T>(answer: Result<T, StoreError>, describe: impl FnOnce(T) -> String) -> String {
    match answer {
        Ok(value) => describe(value),
        Err(StoreError::Unavailable(_)) => "refused".to_owned(),
        Err(other) => format!("error: {other}"),
    }
}
