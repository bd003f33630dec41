//! Refreshing a session: is it alive, what does the serial mean, what is written.

use super::{Changes, Ruling, Session, SessionView};
use crate::{
    account::Account,
    event::{EventKind, Occasion},
    policy::{Lifetimes, SessionPolicy},
    revocation::{Revocation, RevocationDraft},
    rotation::{RefreshToken, RotationRules, Verdict, decide},
    scope::ScopeSet,
    time::UnixMillis,
};
use std::{net::IpAddr, time::Duration};

/// A refresh that has not reached the store this long after it was accepted is dropped: its client has given up or
/// asked again, and an execution out of time could look like a thief's.
pub const REFRESH_DEADLINE: Duration = Duration::from_secs(5);

/// What refreshing depends on besides the session.
#[derive(Clone, Copy, Debug)]
pub struct RefreshTerms {
    /// Retry window and loss window.
    pub rotation: RotationRules,
    /// How far a refresh pushes the idle limit.
    pub lifetimes: Lifetimes,
    /// How long an entry about this session must stay in the feed: the longest life of an access token and the leeway.
    pub longest_token_lifetime: Duration,
}

/// A refresh token that was parsed and whose tag is ours, with what came along.
#[derive(Clone, Debug)]
pub struct RefreshRequest {
    /// The presented token.
    pub token: RefreshToken,
    /// The scope asked for; `None` asks for all that was granted (RFC 6749 §6).
    pub scope: Option<ScopeSet>,
    /// The client that says it is asking.
    pub client_id: Option<String>,
    /// When the server accepted the request.
    pub accepted_at: UnixMillis,
}

/// Why a session is over. Outside it is always `invalid_grant`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeadReason {
    /// There is no such session.
    Unknown,
    /// It was ended.
    Revoked,
    /// Its idle or absolute limit has passed.
    Expired,
    /// Its account may not sign in.
    AccountDisabled,
    /// The token was issued to another client (RFC 6749 §6).
    OtherClient,
}

/// What came of a refresh.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RefreshOutcome {
    /// New tokens are to be issued.
    Granted {
        /// How the presented token related to the session.
        verdict: Verdict,
        /// The session as it is now stored.
        session: Box<Session>,
        /// Whose it is.
        account: Box<Account>,
        /// The refresh token to hand out.
        refresh_token: RefreshToken,
        /// The scope of the access token to hand out.
        scope: ScopeSet,
    },
    /// The session is over.
    Dead(DeadReason),
    /// A spent token came back; the session has been ended with this.
    Theft,
    /// A scope was asked for that was not granted.
    ScopeNotGranted,
    /// Past [`REFRESH_DEADLINE`]; nothing was done.
    TooLate,
}

/// Decides a refresh: rule 1 of the rotation (is the session alive?) and then [`decide`].
///
/// A refresh pushes the idle limit on, up to the absolute limit. Theft ends the session, in the same transaction as the
/// feed entry that makes its access tokens refused everywhere.
pub fn refresh(
    view: Option<&SessionView>,
    request: &RefreshRequest,
    terms: &RefreshTerms,
    occasion: &Occasion<'_>,
) -> Ruling<RefreshOutcome> {
    let now = occasion.now;
    if now.since(request.accepted_at) > REFRESH_DEADLINE {
        return Ruling::unchanged(RefreshOutcome::TooLate);
    }
    // Other policies have no refresh tokens: one with such an id was not made by us.
    let is_refreshable = |view: &&SessionView| view.session.policy == SessionPolicy::Refresh;
    let Some(SessionView { session, account }) = view.filter(is_refreshable) else {
        return Ruling::unchanged(RefreshOutcome::Dead(DeadReason::Unknown));
    };
    if let Some(reason) = session.dead_reason(account, now) {
        return Ruling::unchanged(RefreshOutcome::Dead(reason));
    }
    if request.client_id.as_ref().is_some_and(|client_id| *client_id != session.client_id) {
        return Ruling::unchanged(RefreshOutcome::Dead(DeadReason::OtherClient));
    }
    let scope = request.scope.clone().unwrap_or_else(|| session.scope.clone());
    if !scope.is_within(&session.scope) {
        return Ruling::unchanged(RefreshOutcome::ScopeNotGranted);
    }

    let decision = decide(&session.rotation, request.token.serial, now, &terms.rotation);
    let Some(serial) = decision.reply else {
        return Ruling { changes: end_for_theft(session, terms, occasion), outcome: RefreshOutcome::Theft };
    };
    let mut session = session.clone();
    let mut changes = Changes::default();
    if let Some(rotation) = decision.write {
        if is_retry(decision.verdict) && is_elsewhere(session.device.ip, occasion.ip) {
            changes.events.push(occasion.event(EventKind::RefreshRetriedElsewhere, account.id, Some(session.id)));
        }
        session.rotation = rotation;
        // Where the clock went back, the limits stay where they were: a session is never cut short by it.
        session.last_seen_at = session.last_seen_at.max(now);
        let idle_until = now.plus(terms.lifetimes.refresh.idle_lifetime).min(session.absolute_until);
        session.idle_until = session.idle_until.max(idle_until);
        session.device.ip = occasion.ip.or(session.device.ip);
        changes.sessions.push(session.clone());
    }
    let refresh_token = RefreshToken { session: session.id, serial };
    let (session, account) = (Box::new(session), Box::new(account.clone()));
    let verdict = decision.verdict;
    Ruling { changes, outcome: RefreshOutcome::Granted { verdict, session, account, refresh_token, scope } }
}

fn end_for_theft(session: &Session, terms: &RefreshTerms, occasion: &Occasion<'_>) -> Changes {
    let revocation = Revocation::Session(session.id);
    Changes {
        sessions: vec![Session { revoked_at: Some(occasion.now), ..session.clone() }],
        revocations: vec![RevocationDraft::new(
            revocation,
            occasion.now,
            terms.longest_token_lifetime,
            occasion.entropy,
        )],
        events: vec![occasion.event(EventKind::RefreshTokenReused, session.account, Some(session.id))],
        ..Changes::default()
    }
}

const fn is_retry(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Reissue | Verdict::Sibling | Verdict::Straggler)
}

/// Whether two addresses are in different networks: /24 for IPv4, /48 for IPv6, the usual sizes of a site.
fn is_elsewhere(before: Option<IpAddr>, now: Option<IpAddr>) -> bool {
    match (before, now) {
        (Some(IpAddr::V4(before)), Some(IpAddr::V4(now))) => before.to_bits() >> 8 != now.to_bits() >> 8,
        (Some(IpAddr::V6(before)), Some(IpAddr::V6(now))) => before.to_bits() >> 80 != now.to_bits() >> 80,
        (Some(_), Some(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::AccountGeneration,
        entropy::Entropy,
        id::SessionId,
        policy::SessionPolicy,
        rotation::Serial,
        session::{Device, OpenSession, open},
    };

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn at(seconds: i64) -> UnixMillis {
        UnixMillis::from_seconds(seconds)
    }

    fn occasion(seconds: i64, ip: [u8; 4]) -> Occasion<'static> {
        Occasion { now: at(seconds), ip: Some(ip.into()), entropy: &Zero }
    }

    const HOME: [u8; 4] = [192, 0, 2, 1];

    fn terms() -> RefreshTerms {
        let rotation = RotationRules::default();
        let longest_token_lifetime = Duration::from_mins(31);
        RefreshTerms { rotation, lifetimes: Lifetimes::default(), longest_token_lifetime }
    }

    fn opened() -> SessionView {
        let account = Account::new("a@example.com".parse().unwrap(), None, at(1_000), &Zero);
        let request = OpenSession {
            policy: SessionPolicy::Refresh,
            client_id: "app".into(),
            scope: "read write".parse().unwrap(),
            device: Device { ip: Some(HOME.into()), ..Device::default() },
            secret: None,
            replaces: None,
        };
        let (session, _) = open(request, &account, &Lifetimes::default(), &occasion(1_000, HOME));
        SessionView { session, account }
    }

    fn request(view: &SessionView, seconds: i64) -> RefreshRequest {
        let token = RefreshToken { session: view.session.id, serial: view.session.rotation.child };
        RefreshRequest { token, scope: None, client_id: None, accepted_at: at(seconds) }
    }

    fn outcome(view: &SessionView, request: &RefreshRequest, seconds: i64) -> RefreshOutcome {
        let ruling = refresh(Some(view), request, &terms(), &occasion(seconds, HOME));
        assert!(ruling.changes.is_empty(), "a refusal changes nothing");
        ruling.outcome
    }

    #[test]
    fn a_refresh_moves_the_idle_limit_and_never_the_absolute_one() {
        let view = opened();
        let ruling = refresh(Some(&view), &request(&view, 5_000), &terms(), &occasion(5_000, HOME));
        let written = &ruling.changes.sessions[0];
        assert_eq!(written.idle_until, at(5_000).plus(Lifetimes::default().refresh.idle_lifetime));
        assert_eq!(written.absolute_until, view.session.absolute_until);

        let mut near_the_end = view;
        near_the_end.session.idle_until = near_the_end.session.absolute_until;
        let seconds = near_the_end.session.absolute_until.as_seconds() - 1;
        let late = refresh(Some(&near_the_end), &request(&near_the_end, seconds), &terms(), &occasion(seconds, HOME));
        assert_eq!(late.changes.sessions[0].idle_until, near_the_end.session.absolute_until);
    }

    #[test]
    fn rule_one_every_way_of_being_dead() {
        let alive = opened();
        let dead = |change: &dyn Fn(&mut SessionView)| {
            let mut view = alive.clone();
            change(&mut view);
            outcome(&view, &request(&view, 2_000), 2_000)
        };
        let is = RefreshOutcome::Dead;
        assert_eq!(dead(&|view| view.session.revoked_at = Some(at(1_500))), is(DeadReason::Revoked));
        assert_eq!(dead(&|view| view.account.generation = AccountGeneration::from_raw(1)), is(DeadReason::Revoked));
        assert_eq!(dead(&|view| view.account.disabled_at = Some(at(1))), is(DeadReason::AccountDisabled));
        assert_eq!(dead(&|view| view.session.idle_until = at(2_000)), is(DeadReason::Expired));
        assert_eq!(dead(&|view| view.session.absolute_until = at(2_000)), is(DeadReason::Expired));
        let unknown = refresh(None, &request(&alive, 2_000), &terms(), &occasion(2_000, HOME));
        assert_eq!(unknown.outcome, is(DeadReason::Unknown));
    }

    #[test]
    fn late_foreign_and_greedy_requests_change_nothing() {
        let view = opened();
        assert_eq!(outcome(&view, &request(&view, 2_000), 2_006), RefreshOutcome::TooLate);
        let foreign = RefreshRequest { client_id: Some("other".into()), ..request(&view, 2_000) };
        assert_eq!(outcome(&view, &foreign, 2_000), RefreshOutcome::Dead(DeadReason::OtherClient));
        let greedy = RefreshRequest { scope: Some("read admin".parse().unwrap()), ..request(&view, 2_000) };
        assert_eq!(outcome(&view, &greedy, 2_000), RefreshOutcome::ScopeNotGranted);
    }

    #[test]
    fn a_narrowed_access_token_leaves_the_grant_whole() {
        let view = opened();
        let narrow = RefreshRequest { scope: Some("read".parse().unwrap()), ..request(&view, 2_000) };
        let ruling = refresh(Some(&view), &narrow, &terms(), &occasion(2_000, HOME));
        let RefreshOutcome::Granted { scope, session, .. } = ruling.outcome else { panic!("granted") };
        assert_eq!((scope.to_string().as_str(), session.scope.to_string().as_str()), ("read", "read write"));
    }

    #[test]
    fn theft_ends_the_session_with_feed_entry_and_event_in_one() {
        let view = opened();
        let spent = RefreshToken { session: view.session.id, serial: Serial::from_raw(5) };
        let stolen = RefreshRequest { token: spent, ..request(&view, 2_000) };
        let ruling = refresh(Some(&view), &stolen, &terms(), &occasion(2_000, [203, 0, 113, 9]));
        assert_eq!(ruling.outcome, RefreshOutcome::Theft);
        assert_eq!(ruling.changes.sessions[0].revoked_at, Some(at(2_000)));
        assert_eq!(ruling.changes.revocations[0].revocation, Revocation::Session(view.session.id));
        assert_eq!(ruling.changes.revocations[0].drop_at, at(2_000 + 1_860 + 60));
        assert_eq!(ruling.changes.events[0].kind, EventKind::RefreshTokenReused);
    }

    #[test]
    fn a_retry_from_another_network_leaves_a_trace() {
        let mut view = opened();
        let first = request(&view, 2_000);
        view.session = refresh(Some(&view), &first, &terms(), &occasion(2_000, HOME)).changes.sessions.remove(0);
        for (ip, events) in [([192, 0, 2, 77], 0), ([198, 51, 100, 1], 1)] {
            let again = refresh(Some(&view), &first, &terms(), &occasion(2_003, ip));
            assert!(matches!(again.outcome, RefreshOutcome::Granted { verdict: Verdict::Reissue, .. }));
            assert_eq!(again.changes.events.len(), events, "{ip:?}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_never_shortens_a_session() {
        let mut view = opened();
        view.session.last_seen_at = at(90_000);
        view.session.idle_until = at(9_000_000);
        let ruling = refresh(Some(&view), &request(&view, 2_000), &terms(), &occasion(2_000, HOME));
        let written = &ruling.changes.sessions[0];
        assert_eq!((written.last_seen_at, written.idle_until), (at(90_000), at(9_000_000)));
        assert_eq!(written.id, SessionId::from_bytes(*view.session.id.as_bytes()));
    }
}
