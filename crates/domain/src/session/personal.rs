//! Personal tokens: named and scoped, made by a person for a program, perhaps without an end.

use super::{AccountView, Changes, Device, Ruling, Session, end::revoke};
use crate::{
    account::Account,
    event::{EventKind, Occasion},
    id::SessionId,
    opaque::SecretDigest,
    policy::SessionPolicy,
    rotation::Rotation,
    scope::ScopeSet,
    time::UnixMillis,
};
use std::time::Duration;

/// The most personal tokens that an account has at a time. Disabling an account names each of them in the feed.
pub const PERSONAL_TOKENS_PER_ACCOUNT_MAX: usize = 50;

/// A personal token to be made.
#[derive(Clone, Debug)]
pub struct NewPersonalToken {
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: ScopeSet,
    /// When it ends; `None` for never.
    pub ends_at: Option<UnixMillis>,
    /// The OAuth client that asks.
    pub client_id: String,
    /// The digest of its secret.
    pub secret: SecretDigest,
}

/// What came of making one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PersonalTokenOutcome {
    /// It was made.
    Created(Box<Session>),
    /// The account has as many as it may.
    TooMany,
    /// The sign-in that asks is over, or its account has gone or was disabled.
    NoSignIn,
}

/// Makes a personal token for the sign-in `maker`. One that was ended since it asked makes none: what it left behind would
/// outlive the sign-out that was to end it.
pub fn create_personal_token(
    view: Option<&AccountView>,
    new: NewPersonalToken,
    maker: SessionId,
    occasion: &Occasion<'_>,
) -> Ruling<PersonalTokenOutcome> {
    let now = occasion.now;
    let Some((view, maker)) = view.and_then(|view| Some((view, view.living_sign_in(maker, now)?))) else {
        return Ruling::unchanged(PersonalTokenOutcome::NoSignIn);
    };
    let authenticated_at = maker.authenticated_at;
    // Those past their end make no trouble, and are forgotten a day later.
    if view.personal_tokens().filter(|token| token.ends_at() > now).count() >= PERSONAL_TOKENS_PER_ACCOUNT_MAX {
        return Ruling::unchanged(PersonalTokenOutcome::TooMany);
    }
    let ends_at = new.ends_at.unwrap_or(UnixMillis::NEVER);
    let Account { id: account, generation: account_generation, .. } = view.account;
    let token = Session {
        id: SessionId::generate(now, occasion.entropy),
        account,
        account_generation,
        policy: SessionPolicy::Personal,
        client_id: new.client_id,
        scope: new.scope,
        secret: Some(new.secret),
        rotation: Rotation::open(now),
        device: Device { name: Some(new.name), user_agent: None, ip: occasion.ip },
        authenticated_at,
        created_at: now,
        last_seen_at: now,
        idle_until: ends_at,
        absolute_until: ends_at,
        revoked_at: None,
    };
    let changes = Changes {
        new_sessions: vec![token.clone()],
        events: vec![occasion.event(EventKind::PersonalTokenCreated, account, Some(token.id))],
        ..Changes::default()
    };
    Ruling { changes, outcome: PersonalTokenOutcome::Created(Box::new(token)) }
}

/// Ends every personal token of an account, each by an entry of its own: they do not care for the account's generation.
/// The outcome is how many were ended.
pub fn end_personal_tokens(
    view: &AccountView,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<usize> {
    let mut changes = Changes::default();
    for token in view.personal_tokens() {
        revoke(token, longest_token_lifetime, occasion, &mut changes);
        changes.events.push(occasion.event(EventKind::PersonalTokenDeleted, token.account, Some(token.id)));
    }
    let outcome = changes.sessions.len();
    Ruling { changes, outcome }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::AccountGeneration,
        policy::Lifetimes,
        revocation::Revocation,
        session::SessionView,
        testing::{self, Counting, START as NOW},
    };

    fn with_account(test: impl Fn(AccountView, &Occasion<'_>)) {
        let entropy = Counting::default();
        let account = testing::account(&entropy);
        let maker = testing::opened(SessionPolicy::Refresh, &account, &Lifetimes::default(), &entropy);
        let view = AccountView { account, sessions: vec![maker] };
        test(view, &testing::occasion(NOW, &entropy));
    }

    fn new(lifetime: Option<Duration>) -> NewPersonalToken {
        let secret = SecretDigest::from_bytes([7; 32]);
        let scope = "articles:read".parse().unwrap();
        let ends_at = lifetime.map(|lifetime| NOW.plus(lifetime));
        NewPersonalToken { name: "backup".into(), scope, ends_at, client_id: "app".into(), secret }
    }

    fn create(view: &AccountView, lifetime: Option<Duration>, occasion: &Occasion<'_>) -> Session {
        let ruling = create_personal_token(Some(view), new(lifetime), view.sessions[0].id, occasion);
        let PersonalTokenOutcome::Created(token) = ruling.outcome else { panic!("{:?}", ruling.outcome) };
        assert_eq!(ruling.changes.new_sessions, [(*token).clone()]);
        assert_eq!(ruling.changes.events.len(), 1);
        *token
    }

    #[test]
    fn it_ends_when_it_was_said_or_never() {
        with_account(|view, occasion| {
            let day = Duration::from_hours(24);
            let dead_at = |token: &Session, at| token.dead_reason(&view.account, at).is_some();
            let token = create(&view, Some(day), occasion);
            assert!(!dead_at(&token, NOW.plus(day).minus(Duration::from_millis(1))));
            assert!(dead_at(&token, NOW.plus(day)));
            let token = create(&view, None, occasion);
            assert!(!dead_at(&token, NOW.plus(day * 365 * 1_000)));
        });
    }

    #[test]
    fn it_cares_for_the_account_but_not_for_its_generation() {
        with_account(|mut view, occasion| {
            let token = create(&view, None, occasion);
            view.account.generation = AccountGeneration::from_raw(9);
            assert_eq!(token.dead_reason(&view.account, NOW), None);
            view.account.disabled_at = Some(NOW);
            assert!(token.dead_reason(&view.account, NOW).is_some());
        });
    }

    #[test]
    fn there_are_not_too_many_and_none_without_an_account() {
        with_account(|mut view, occasion| {
            let maker = view.sessions[0].id;
            let refused = |view: Option<&AccountView>| {
                let ruling = create_personal_token(view, new(None), maker, occasion);
                assert!(ruling.changes.is_empty());
                ruling.outcome
            };
            for _ in 0..PERSONAL_TOKENS_PER_ACCOUNT_MAX {
                view.sessions.push(create(&view, None, occasion));
            }
            assert_eq!(refused(Some(&view)), PersonalTokenOutcome::TooMany);
            view.sessions[3].idle_until = NOW;
            create(&view, None, occasion);
            for end in [
                (|view| view.account.disabled_at = Some(NOW)) as fn(&mut AccountView),
                |view| view.account.generation = view.account.generation.next(),
                |view| view.sessions[0].revoked_at = Some(NOW),
                |view| view.sessions[0].idle_until = NOW,
                |view| drop(view.sessions.remove(0)),
                |view| view.sessions[0].policy = SessionPolicy::Personal,
            ] {
                let mut view = view.clone();
                end(&mut view);
                assert_eq!(refused(Some(&view)), PersonalTokenOutcome::NoSignIn);
            }
            assert_eq!(refused(None), PersonalTokenOutcome::NoSignIn);
        });
    }

    #[test]
    fn each_is_named_in_the_feed_and_forgotten_in_time() {
        with_account(|mut view, occasion| {
            for lifetime in [None, Some(Duration::from_hours(1))] {
                view.sessions.push(create(&view, lifetime, occasion));
            }
            let ruling = end_personal_tokens(&view, Duration::from_mins(31), occasion);
            assert_eq!(ruling.outcome, 2);
            let named: Vec<_> = ruling.changes.revocations.iter().map(|draft| draft.revocation.clone()).collect();
            let tokens = view.sessions.iter().skip(1);
            let ids: Vec<_> = tokens.map(|token| Revocation::Token(token.personal_token_id())).collect();
            assert_eq!(named, ids);
            for ended in ruling.changes.sessions {
                assert!(ended.absolute_until < UnixMillis::NEVER, "else its row would stay for ever");
                let view = SessionView { session: ended, account: view.account.clone() };
                assert!(view.session.dead_reason(&view.account, NOW).is_some());
            }
        });
    }
}
