//! Sessions: stored whole, updated atomically by a rule, listed while they live.

use crate::{Bench, bench::TOKEN_LIFETIME};
use counterfoil_domain::{
    account::AccountGeneration,
    event::{EventKind, Occasion},
    id::SessionId,
    policy::{Lifetimes, SessionPolicy},
    revocation::Revocation,
    rotation::{RefreshToken, Rotation, RotationRules, Serial, Verdict},
    session::{
        AccountView, Changes, DeadReason, Device, EndOne, OpenSession, OpenTerms, RefreshOutcome, RefreshRequest,
        RefreshTerms, Ruling, Session, SessionView, end_one, open_another, refresh,
    },
    time::UnixMillis,
};
use std::{collections::HashSet, sync::Arc, time::Duration};

/// What goes in comes out, at creation and after a rule has changed every column.
pub async fn every_column_survives(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let signed_in = bench.sign_in(&account).await;
    let full = Session {
        account_generation: AccountGeneration::from_raw(3),
        client_id: "클라이언트 \"x\"".to_owned(),
        policy: SessionPolicy::Personal,
        scope: "a b:c".parse().unwrap(),
        secret: Some(bench.draft_secret()),
        rotation: Rotation {
            head: Serial::from_raw(1),
            head_at: Serial::from_raw(2),
            child: Serial::from_raw(i64::MAX),
            given: UnixMillis::from_millis(-4),
            prev: Serial::from_raw(i64::MIN),
        },
        device: Device {
            name: Some("Küche".to_owned()),
            user_agent: Some(String::new()),
            ip: Some("2001:db8::1".parse().unwrap()),
        },
        authenticated_at: UnixMillis::from_millis(5),
        created_at: UnixMillis::from_millis(6),
        last_seen_at: UnixMillis::from_millis(7),
        idle_until: UnixMillis::from_millis(8),
        absolute_until: UnixMillis::from_millis(9),
        ..signed_in
    };
    let ended = Session { revoked_at: Some(bench.now()), ..full.clone() };
    let endless = Session { idle_until: UnixMillis::NEVER, absolute_until: UnixMillis::NEVER, ..full.clone() };
    let bare = Session { device: Device::default(), scope: "".parse().unwrap(), secret: None, ..full.clone() };
    for version in [full.clone(), Session { idle_until: UnixMillis::from_millis(10), ..full }, endless, bare, ended] {
        bench.write_over(&version).await.unwrap();
        assert_eq!(
            bench.look_at(version.id).await.unwrap(),
            SessionView { session: version, account: account.clone() }
        );
    }
}

/// A session of an account that does not exist is not made, nor its audit line.
pub async fn a_session_needs_an_account(bench: Bench) {
    let stranger = bench.draft_account("a@example.com");
    let session = bench.draft_session(&stranger);
    bench.store.decide_account(stranger.id, bench.adding(&session)).await.unwrap_err();
    assert!(bench.look_at(session.id).await.is_none());
    assert!(bench.store.events_of_account(stranger.id, 10).await.unwrap().is_empty());
}

/// A session is made once: a second one with its id is refused, and so is all that came with it.
pub async fn a_session_is_made_once(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let twin = Session { device: Device { name: Some("twin".to_owned()), ..Device::default() }, ..session.clone() };
    bench.store.decide_account(account.id, bench.adding(&twin)).await.unwrap_err();
    assert_eq!(bench.look_at(session.id).await.unwrap().session, session);
    assert_eq!(bench.store.events_of_account(account.id, 10).await.unwrap().len(), 1);
}

const SESSIONS_MAX: usize = 5;

fn opening_another(
    bench: &Bench,
) -> impl FnMut(Option<&AccountView>, UnixMillis) -> Ruling<Option<SessionView>> + Send + 'static {
    let entropy = bench.entropy.clone();
    move |view, now| {
        let occasion = Occasion { now, ip: Some([192, 0, 2, 1].into()), entropy: &*entropy };
        let terms = OpenTerms {
            lifetimes: Lifetimes::default(),
            sessions_per_account_max: SESSIONS_MAX,
            longest_token_lifetime: TOKEN_LIFETIME,
        };
        let request = OpenSession {
            policy: SessionPolicy::Refresh,
            client_id: "app".to_owned(),
            scope: "read".parse().unwrap(),
            device: Device::default(),
            secret: None,
            replaces: None,
        };
        open_another(view, request, &terms, &occasion)
    }
}

/// One session too many: the one not used for the longest is ended in the same commit, with its feed entry.
pub async fn one_session_too_many_ends_the_one_not_used_for_the_longest(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS_MAX {
        sessions.push(bench.sign_in(&account).await);
    }
    bench.clock.advance(Duration::from_mins(1));
    let used = RefreshToken { session: sessions[0].id, serial: sessions[0].rotation.child };
    bench.store.decide_session(used.session, refresh_rule(&bench, used)).await.unwrap();

    let (opened, committed) = bench.store.decide_account(account.id, opening_another(&bench)).await.unwrap();
    let opened = opened.expect("the account is there");
    assert_eq!(bench.look_at(opened.session.id).await.unwrap(), opened, "what was opened is what is stored");
    let [entry] = &committed.entries[..] else { panic!("one entry: {:?}", committed.entries) };
    assert_eq!(entry.draft.revocation, Revocation::Session(sessions[1].id));
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().entries, committed.entries);
    assert_eq!(bench.look_at(sessions[1].id).await.unwrap().session.revoked_at, Some(bench.now()));
    assert_eq!(bench.store.sessions_of_account(account.id).await.unwrap().len(), SESSIONS_MAX);
}

/// Sign-ins at once never make more sessions than there may be, and each gets its own.
pub async fn concurrent_sign_ins_keep_to_the_most(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let calls: Vec<_> = (0..4 * SESSIONS_MAX)
        .map(|_| {
            let (store, rule) = (bench.store.clone(), opening_another(&bench));
            tokio::spawn(async move { store.decide_account(account.id, rule).await.unwrap().0.unwrap().session.id })
        })
        .collect();
    let mut opened = HashSet::new();
    for call in calls {
        opened.insert(call.await.unwrap());
    }
    assert_eq!(opened.len(), 4 * SESSIONS_MAX);
    assert_eq!(bench.store.sessions_of_account(account.id).await.unwrap().len(), SESSIONS_MAX);
    assert_eq!(bench.store.feed_after(0, 100).await.unwrap().entries.len(), 3 * SESSIONS_MAX);
}

/// The rule is shown the session with its account, and the time of the store's clock.
pub async fn an_update_sees_the_account_and_the_clock_of_the_store(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    bench.clock.advance(Duration::from_secs(1_234));
    let look = |view: Option<&SessionView>, now: UnixMillis| Ruling::unchanged((view.cloned(), now));
    let ((view, now), _) = bench.store.decide_session(session.id, look).await.unwrap();
    assert_eq!(view, Some(SessionView { session, account }));
    assert_eq!(now, bench.now());
}

/// A rule cannot make a session, whatever it returns; its whole change is refused.
pub async fn an_update_of_an_unknown_session_sees_nothing_and_makes_nothing(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.draft_session(&account);
    let event = bench.occasion().event(EventKind::SignedOut, account.id, Some(session.id));
    let invent = {
        let session = session.clone();
        move |view: Option<&SessionView>, _| {
            let changes =
                Changes { sessions: vec![session.clone()], events: vec![event.clone()], ..Changes::default() };
            Ruling { changes, outcome: view.cloned() }
        }
    };
    bench.store.decide_session(session.id, invent).await.unwrap_err();
    assert!(bench.look_at(session.id).await.is_none());
    assert!(bench.store.events_of_account(account.id, 10).await.unwrap().is_empty());
}

/// 64 callers, each raising the same number: it ends 64 higher, and no two of them saw the same.
pub async fn concurrent_updates_lose_nothing(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let id = session.id;
    let raise = |view: Option<&SessionView>, _| {
        let mut session = view.expect("the session is there").session.clone();
        let raised = session.rotation.child.as_raw() + 1;
        session.rotation.child = Serial::from_raw(raised);
        Ruling { changes: Changes { sessions: vec![session], ..Changes::default() }, outcome: raised }
    };
    let mut calls = Vec::new();
    for _ in 0..64 {
        let store = bench.store.clone();
        calls.push(tokio::spawn(async move { store.decide_session(id, raise).await.unwrap().0 }));
    }
    let mut seen = Vec::new();
    for call in calls {
        seen.push(call.await.unwrap());
    }
    seen.sort_unstable();
    let first = session.rotation.child.as_raw() + 1;
    assert_eq!(seen, (first..first + 64).collect::<Vec<_>>());
    assert_eq!(bench.look_at(id).await.unwrap().session.rotation.child.as_raw(), first + 63);
}

/// Ended sessions are in no list; others are, even past their limits.
pub async fn only_living_sessions_are_listed_newest_first(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let other = bench.sign_up("b@example.com").await;
    let oldest = bench.sign_in(&account).await;
    let ended = bench.sign_in(&account).await;
    let newest = bench.sign_in(&account).await;
    let of_other = bench.sign_in(&other).await;
    end(&bench, ended.id).await;
    bench.clock.advance(2 * Lifetimes::default().refresh.absolute_lifetime);

    assert_eq!(bench.store.sessions_of_account(account.id).await.unwrap(), [newest.clone(), oldest.clone()]);
    assert_eq!(bench.store.sessions_of_account(other.id).await.unwrap(), std::slice::from_ref(&of_other));
    let mut expected = vec![oldest.id, newest.id, of_other.id];
    expected.sort_unstable();
    let listed: Vec<_> = bench.store.sessions(None, 10).await.unwrap().iter().map(|view| view.session.id).collect();
    assert_eq!(listed, expected);
}

async fn end(bench: &Bench, id: SessionId) {
    let entropy = bench.entropy.clone();
    let rule = move |view: Option<&SessionView>, now| {
        let occasion = Occasion { now, ip: None, entropy: &*entropy };
        end_one(view, &EndOne::Operator, TOKEN_LIFETIME, &occasion)
    };
    bench.store.decide_session(id, rule).await.unwrap();
}

/// Pages are in the order of the ids, complete and without repetition, each session with its account.
pub async fn pages_follow_the_ids(bench: Bench) {
    let mut all = Vec::new();
    for number in 0..3 {
        let account = bench.sign_up(&format!("person{number}@example.com")).await;
        for _ in 0..3 {
            all.push(SessionView { session: bench.sign_in(&account).await, account: account.clone() });
        }
    }
    all.sort_by_key(|view| view.session.id);
    end(&bench, all.remove(4).session.id).await;
    let mut seen: Vec<SessionView> = Vec::new();
    loop {
        let page = bench.store.sessions(seen.last().map(|view| view.session.id), 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, all);
}

const ACCEPTED: UnixMillis = UnixMillis::from_millis(i64::MAX);

fn refresh_rule(
    bench: &Bench,
    token: RefreshToken,
) -> impl FnMut(Option<&SessionView>, UnixMillis) -> Ruling<RefreshOutcome> + Send + 'static {
    let entropy = bench.entropy.clone();
    move |view, now| {
        let occasion = Occasion { now, ip: Some([192, 0, 2, 1].into()), entropy: &*entropy };
        let rotation = RotationRules::default();
        let terms = RefreshTerms { rotation, lifetimes: Lifetimes::default(), longest_token_lifetime: TOKEN_LIFETIME };
        // Accepted "in the future", so that the deadline plays no part.
        let request = RefreshRequest { token, scope: None, client_id: None, accepted_at: ACCEPTED };
        refresh(view, &request, &terms, &occasion)
    }
}

/// A life of a session: it advances, a retry gets the same successor, a stolen token ends it and is told in the feed.
pub async fn refreshes_run_by_the_rule_of_production(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let first = RefreshToken { session: session.id, serial: session.rotation.child };
    let present =
        async |token: RefreshToken| bench.store.decide_session(session.id, refresh_rule(&bench, token)).await.unwrap();
    let granted = |outcome: RefreshOutcome| match outcome {
        RefreshOutcome::Granted { verdict, refresh_token, session, .. } => (verdict, refresh_token, *session),
        other => panic!("{other:?}"),
    };
    bench.clock.advance(Duration::from_mins(1));
    let (outcome, _) = present(first).await;
    let (verdict, second, stored) = granted(outcome);
    assert_eq!(verdict, Verdict::Advance);
    assert_eq!(bench.look_at(session.id).await.unwrap().session, stored, "what was granted is what is stored");

    bench.clock.advance(Duration::from_secs(2));
    assert_eq!(granted(present(first).await.0).1, second, "a retry gets the identical successor");

    bench.clock.advance(Duration::from_mins(1));
    granted(present(second).await.0);
    bench.clock.advance(Duration::from_mins(1));
    let (outcome, committed) = present(first).await;
    assert_eq!(outcome, RefreshOutcome::Theft);
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().entries, committed.entries);
    assert_eq!(committed.entries.len(), 1);
    assert_eq!(present(second).await.0, RefreshOutcome::Dead(DeadReason::Revoked));
}

/// 64 requests with one token at once: whatever their order, there is one successor, and nobody is taken for a thief.
pub async fn racing_refreshes_of_one_token_get_one_successor(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    bench.clock.advance(Duration::from_mins(1));
    let token = RefreshToken { session: session.id, serial: session.rotation.child };
    let bench = Arc::new(bench);
    let mut calls = Vec::new();
    for _ in 0..64 {
        let bench = bench.clone();
        calls.push(tokio::spawn(async move {
            bench.store.decide_session(token.session, refresh_rule(&bench, token)).await.unwrap().0
        }));
    }
    let mut successors = Vec::new();
    for call in calls {
        let RefreshOutcome::Granted { refresh_token, .. } = call.await.unwrap() else { panic!("refused") };
        successors.push(refresh_token.serial);
    }
    successors.dedup();
    assert_eq!(successors.len(), 1);
}
