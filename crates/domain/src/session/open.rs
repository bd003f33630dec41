//! Opening a session at sign-in.

use super::{AccountView, Changes, Device, Ruling, Session, SessionView, end::revoke};
use crate::{
    account::Account,
    event::{Event, EventKind, Occasion},
    id::SessionId,
    opaque::SecretDigest,
    policy::{Lifetimes, SessionPolicy},
    rotation::Rotation,
    scope::ScopeSet,
    time::UnixMillis,
};
use std::time::Duration;

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// How the client will carry it.
    pub policy: SessionPolicy,
    /// The OAuth client that asks.
    pub client_id: String,
    /// What is granted.
    pub scope: ScopeSet,
    /// What is known of the device.
    pub device: Device,
    /// The digest of the opaque id that the client will hold, under the policy `session`.
    pub secret: Option<SecretDigest>,
    /// The session that the browser held when it asked for this one. It is ended: a new sign-in takes the place of the old
    /// one (ASVS 7.2.4), and never takes an id over that it was given, whoever gave it.
    pub replaces: Option<SessionId>,
}

/// What holds for every sign-in.
#[derive(Clone, Copy, Debug)]
pub struct OpenTerms {
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// The most sessions that an account has at a time.
    pub sessions_per_account_max: usize,
    /// The longest an access token can live: how long feed entries must be kept.
    pub longest_token_lifetime: Duration,
}

/// Opens a session for an account that has just proved who it is. A sign-in always makes a new id (ASVS 7.2.4).
///
/// Returns the session to store and the line for the audit log. This is for a new account; one that may have sessions
/// already gets [`open_another`].
pub fn open(
    request: OpenSession,
    account: &Account,
    lifetimes: &Lifetimes,
    occasion: &Occasion<'_>,
) -> (Session, Event) {
    let now = occasion.now;
    let limits = lifetimes.limits(request.policy);
    let absolute_until = now.plus(limits.absolute_lifetime);
    let session = Session {
        id: SessionId::generate(now, occasion.entropy),
        account: account.id,
        account_generation: account.generation,
        policy: request.policy,
        client_id: request.client_id,
        scope: request.scope,
        secret: request.secret,
        rotation: Rotation::open(now),
        device: request.device,
        authenticated_at: now,
        created_at: now,
        last_seen_at: now,
        idle_until: now.plus(limits.idle_lifetime).min(absolute_until),
        absolute_until,
        revoked_at: None,
    };
    let event = occasion.event(EventKind::SignedIn, account.id, Some(session.id));
    (session, event)
}

/// Opens a session for whoever has given the password. `checked_when_changed_at` is
/// [`Account::password_changed_at`] as it was when the password was read: hashing takes a while, and a sign-in that waited
/// while the password was changed was proved by one that is not the current one any more.
pub fn sign_in(
    view: Option<&AccountView>,
    checked_when_changed_at: Option<UnixMillis>,
    request: OpenSession,
    terms: &OpenTerms,
    occasion: &Occasion<'_>,
) -> Ruling<Option<SessionView>> {
    let is_proved = |view: &&AccountView| view.account.password_changed_at == checked_when_changed_at;
    open_another(view.filter(is_proved), request, terms, occasion)
}

/// Opens a session beside those that the account has, but for the one it replaces. Where it has as many as it may, those
/// not used for the longest are ended in the same step, with their feed entries, past ones first: whoever can sign in
/// could otherwise heap up sessions until ending them all takes the store seconds, and the list of them is of no use to
/// anybody. Personal tokens make no room.
///
/// The outcome is the session with its account as it is now; `None` when the account has gone, or was disabled, since
/// its password was checked.
pub fn open_another(
    view: Option<&AccountView>,
    request: OpenSession,
    terms: &OpenTerms,
    occasion: &Occasion<'_>,
) -> Ruling<Option<SessionView>> {
    let Some(view) = view.filter(|view| view.account.disabled_at.is_none()) else {
        return Ruling::unchanged(None);
    };
    let account = &view.account;
    let mut changes = Changes::default();
    let is_replaced = |session: &&Session| request.replaces == Some(session.id);
    let (replaced, mut by_use): (Vec<_>, Vec<_>) = view.sign_ins().partition(is_replaced);
    for session in replaced {
        revoke(session, terms.longest_token_lifetime, occasion, &mut changes);
        changes.events.push(occasion.event(EventKind::SessionReplaced, account.id, Some(session.id)));
    }
    by_use.sort_by_key(|session| {
        (session.dead_reason(account, occasion.now).is_none(), session.last_seen_at, session.created_at, session.id)
    });
    let too_many = (by_use.len() + 1).saturating_sub(terms.sessions_per_account_max.max(1));
    for displaced in by_use.into_iter().take(too_many) {
        revoke(displaced, terms.longest_token_lifetime, occasion, &mut changes);
        changes.events.push(occasion.event(EventKind::SessionDisplaced, account.id, Some(displaced.id)));
    }
    let (session, event) = open(request, account, &terms.lifetimes, occasion);
    changes.new_sessions.push(session.clone());
    changes.events.push(event);
    Ruling { changes, outcome: Some(SessionView { session, account: account.clone() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        revocation::Revocation,
        testing::{self, Counting, START as NOW},
    };

    fn request() -> OpenSession {
        testing::request(SessionPolicy::Refresh)
    }

    fn terms(sessions_per_account_max: usize) -> OpenTerms {
        let longest_token_lifetime = Duration::from_mins(31);
        OpenTerms { lifetimes: Lifetimes::default(), sessions_per_account_max, longest_token_lifetime }
    }

    /// An account whose sessions were last used so many seconds ago.
    fn with_sessions(seconds_ago: &[u64], test: impl Fn(AccountView, &Occasion<'_>)) {
        let entropy = Counting::default();
        let occasion = testing::occasion(NOW, &entropy);
        let account = testing::account(&entropy);
        let sessions = seconds_ago.iter().map(|&seconds| {
            let session = testing::opened(SessionPolicy::Refresh, &account, &Lifetimes::default(), &entropy);
            Session { last_seen_at: NOW.minus(Duration::from_secs(seconds)), ..session }
        });
        test(AccountView { sessions: sessions.collect(), account: account.clone() }, &occasion);
    }

    /// Which sessions of the view are ended by a sign-in.
    fn displaced(view: &AccountView, max: usize, occasion: &Occasion<'_>) -> Vec<usize> {
        let ruling = open_another(Some(view), request(), &terms(max), occasion);
        let changes = ruling.changes;
        let opened = ruling.outcome.expect("opened").session;
        assert_eq!(changes.new_sessions, [opened]);
        let ended: Vec<_> = changes.sessions.iter().map(|session| session.id).collect();
        assert!(changes.sessions.iter().all(|session| session.revoked_at == Some(occasion.now)));
        let in_feed: Vec<_> = changes.revocations.iter().map(|draft| draft.revocation.clone()).collect();
        assert_eq!(in_feed, ended.iter().map(|id| Revocation::Session(*id)).collect::<Vec<_>>());
        let told = changes.events.iter().filter(|event| event.kind == EventKind::SessionDisplaced);
        assert_eq!(told.filter_map(|event| event.session).collect::<Vec<_>>(), ended);
        let places = ended.iter().map(|id| view.sessions.iter().position(|session| session.id == *id).unwrap());
        places.collect()
    }

    #[test]
    fn below_the_limit_nothing_is_ended() {
        with_sessions(&[30, 10, 20], |view, occasion| assert_eq!(displaced(&view, 4, occasion), [0; 0]));
    }

    #[test]
    fn at_the_limit_the_one_not_used_for_the_longest_makes_room() {
        with_sessions(&[30, 10, 20], |view, occasion| {
            assert_eq!(displaced(&view, 3, occasion), [0]);
            // Somebody has lowered the limit.
            assert_eq!(displaced(&view, 2, occasion), [0, 2]);
            assert_eq!(displaced(&view, 1, occasion), [0, 2, 1]);
            assert_eq!(displaced(&view, 0, occasion), [0, 2, 1], "the new one is opened all the same");
        });
    }

    #[test]
    fn sessions_past_their_limits_make_room_first() {
        with_sessions(&[30, 10, 20], |mut view, occasion| {
            view.sessions[1].absolute_until = occasion.now;
            assert_eq!(displaced(&view, 3, occasion), [1]);
        });
    }

    #[test]
    fn what_it_replaces_is_ended_in_the_same_step_and_nothing_else() {
        with_sessions(&[30, 10, 20], |mut view, occasion| {
            view.sessions[2].policy = SessionPolicy::Personal;
            for (replaces, place) in
                [(view.sessions[0].id, Some(0)), (view.sessions[1].id, Some(1)), (view.sessions[2].id, None)]
            {
                let request = OpenSession { replaces: Some(replaces), ..request() };
                let changes = open_another(Some(&view), request, &terms(2), occasion).changes;
                let ended: Vec<_> = changes.sessions.iter().map(|session| session.id).collect();
                // Two sign-ins and room for two: with one replaced, nobody has to make room.
                let expected = view.sessions[place.unwrap_or(0)].id;
                assert_eq!(ended, [expected], "{replaces:?}");
                let kind = if place.is_some() { EventKind::SessionReplaced } else { EventKind::SessionDisplaced };
                assert!(changes.events.iter().any(|event| event.kind == kind && event.session == Some(expected)));
                assert_eq!(changes.revocations.len(), 1);
            }
        });
    }

    #[test]
    fn each_policy_has_its_limits() {
        with_sessions(&[], |view, occasion| {
            let lifetimes = Lifetimes::default();
            for policy in SessionPolicy::ALL {
                let (session, _) = open(OpenSession { policy, ..request() }, &view.account, &lifetimes, occasion);
                let limits = lifetimes.limits(policy);
                assert_eq!(session.absolute_until, NOW.plus(limits.absolute_lifetime));
                assert_eq!(session.idle_until, NOW.plus(limits.idle_lifetime));
                let token_lives = session.token_ends_at(&lifetimes, NOW).map(|end| end.since(NOW));
                assert_eq!(token_lives.is_some(), policy.has_signed_token());
                let expected = match policy {
                    SessionPolicy::Tracked => Some(lifetimes.tracked_lifetime),
                    SessionPolicy::Sliding => Some(lifetimes.sliding.idle_lifetime),
                    SessionPolicy::Refresh => Some(lifetimes.access_token_lifetime),
                    SessionPolicy::Session | SessionPolicy::Personal => None,
                };
                assert_eq!(token_lives, expected);
            }
        });
    }

    #[test]
    fn a_password_that_was_changed_meanwhile_opens_nothing() {
        with_sessions(&[10], |mut view, occasion| {
            let changed_at = Some(occasion.now);
            let opened = |view: &AccountView, checked_when_changed_at| {
                sign_in(Some(view), checked_when_changed_at, request(), &terms(3), occasion).outcome.is_some()
            };
            assert!(opened(&view, None) && !opened(&view, changed_at));
            view.account.password_changed_at = changed_at;
            assert!(!opened(&view, None) && opened(&view, changed_at));
        });
    }

    #[test]
    fn no_account_no_session() {
        with_sessions(&[10], |mut view, occasion| {
            let refused = Ruling::unchanged(None);
            assert_eq!(open_another(None, request(), &terms(3), occasion), refused);
            view.account.disabled_at = Some(occasion.now);
            assert_eq!(open_another(Some(&view), request(), &terms(3), occasion), refused);
        });
    }
}
