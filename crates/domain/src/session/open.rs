//! Opening a session at sign-in.

use super::{AccountView, Changes, Device, Ruling, Session, SessionView, end::revoke};
use crate::{
    account::Account,
    event::{Event, EventKind, Occasion},
    id::SessionId,
    policy::{Lifetimes, SessionPolicy},
    rotation::Rotation,
    scope::ScopeSet,
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
    let absolute_until = now.plus(lifetimes.absolute_lifetime);
    let session = Session {
        id: SessionId::generate(now, occasion.entropy),
        account: account.id,
        account_generation: account.generation,
        policy: request.policy,
        client_id: request.client_id,
        scope: request.scope,
        rotation: Rotation::open(now),
        device: request.device,
        authenticated_at: now,
        created_at: now,
        last_seen_at: now,
        idle_until: now.plus(lifetimes.idle_lifetime).min(absolute_until),
        absolute_until,
        revoked_at: None,
    };
    let event = occasion.event(EventKind::SignedIn, account.id, Some(session.id));
    (session, event)
}

/// Opens a session beside those that the account has. Where it has as many as it may, those not used for the longest are
/// ended in the same step, with their feed entries, past ones first: whoever can sign in could otherwise heap up
/// sessions until ending them all takes the store seconds, and the list of them is of no use to anybody.
///
/// The outcome is the session with its account as it is now; `None` when the account has gone, or was disabled, since
/// its password was checked.
pub fn open_another(
    view: Option<&AccountView>,
    request: OpenSession,
    terms: &OpenTerms,
    occasion: &Occasion<'_>,
) -> Ruling<Option<SessionView>> {
    let Some(AccountView { account, sessions }) = view.filter(|view| view.account.disabled_at.is_none()) else {
        return Ruling::unchanged(None);
    };
    let mut changes = Changes::default();
    let mut by_use: Vec<_> = sessions.iter().collect();
    by_use.sort_by_key(|session| {
        (session.dead_reason(account, occasion.now).is_none(), session.last_seen_at, session.created_at, session.id)
    });
    let too_many = (sessions.len() + 1).saturating_sub(terms.sessions_per_account_max.max(1));
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
    use crate::{entropy::Entropy, revocation::Revocation, time::UnixMillis};
    use std::sync::atomic::{AtomicU8, Ordering};

    struct Counting(AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn request() -> OpenSession {
        let (policy, device) = (SessionPolicy::Refresh, Device::default());
        OpenSession { policy, client_id: "app".into(), scope: ScopeSet::default(), device }
    }

    fn terms(sessions_per_account_max: usize) -> OpenTerms {
        let longest_token_lifetime = Duration::from_mins(31);
        OpenTerms { lifetimes: Lifetimes::default(), sessions_per_account_max, longest_token_lifetime }
    }

    const NOW: UnixMillis = UnixMillis::from_millis(1_800_000_000_000);

    /// An account whose sessions were last used so many seconds ago.
    fn with_sessions(seconds_ago: &[u64], test: impl Fn(AccountView, &Occasion<'_>)) {
        let entropy = Counting(AtomicU8::new(1));
        let occasion = Occasion { now: NOW, ip: None, entropy: &entropy };
        let account = Account::new("a@example.com".parse().unwrap(), None, NOW, &entropy);
        let sessions = seconds_ago.iter().map(|&seconds| {
            let (session, _) = open(request(), &account, &Lifetimes::default(), &occasion);
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
    fn no_account_no_session() {
        with_sessions(&[10], |mut view, occasion| {
            let refused = Ruling::unchanged(None);
            assert_eq!(open_another(None, request(), &terms(3), occasion), refused);
            view.account.disabled_at = Some(occasion.now);
            assert_eq!(open_another(Some(&view), request(), &terms(3), occasion), refused);
        });
    }
}
