//! The session cutoff: one row ends every session of everybody, and whoever reads one sees it ended.

use crate::{Bench, bench::TOKEN_LIFETIME};
use counterfoil_domain::{
    account::{Account, AccountGeneration},
    event::{Event, EventKind},
    id::{AccountId, SessionId},
    policy::SessionPolicy,
    revocation::{Revocation, RevocationDraft},
    rotation::Serial,
    session::{AccountView, Changes, Ruling, Session, SessionView},
    store::{Committed, StoreError},
    time::UnixMillis,
};
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

fn everybody_signed_out(bench: &Bench) -> Event {
    bench.occasion().event(EventKind::EverybodySignedOut, AccountId::from_bytes([0; 16]), None)
}

async fn raise_with(bench: &Bench, cutoff: UnixMillis, event: Event) -> Result<Committed, StoreError> {
    let everybody = Revocation::Issuer { key: "https://auth.example.com".to_owned(), cutoff };
    let draft = RevocationDraft::new(everybody, bench.now(), TOKEN_LIFETIME, &*bench.entropy);
    bench.store.raise_session_cutoff(cutoff, vec![draft], event).await
}

async fn raise(bench: &Bench, cutoff: UnixMillis) -> Committed {
    raise_with(bench, cutoff, everybody_signed_out(bench)).await.unwrap()
}

/// What everybody sees of a session, after making sure that they all see the same.
async fn seen(bench: &Bench, id: SessionId) -> Session {
    let view = bench.store.session(id).await.unwrap().expect("it is there");
    let SessionView { session, account } = view.clone();
    assert_eq!(bench.look_at(id).await, Some(view.clone()), "as a rule is shown it");
    if let Some(secret) = session.secret {
        assert_eq!(bench.store.session_by_secret(secret).await.unwrap(), Some(view.clone()), "by its secret");
    }
    let living = session.revoked_at.is_none();
    let listed = bench.store.sessions_of_account(account.id).await.unwrap();
    assert_eq!(listed.contains(&session), living, "in the list of its account");
    let look = |view: Option<&AccountView>, _| Ruling::unchanged(view.cloned());
    let (shown, _) = bench.store.decide_account(account.id, look).await.unwrap();
    assert_eq!(shown, Some(AccountView { account, sessions: listed }), "as a rule about the account is shown it");
    let listed = bench.store.sessions(None, usize::MAX).await.unwrap();
    assert_eq!(listed.contains(&view), living, "in the list of all");
    session
}

async fn sign_in_under_each(bench: &Bench, account: &Account) -> Vec<Session> {
    let mut sessions = Vec::new();
    for policy in SessionPolicy::ALL {
        sessions.push(bench.sign_in_under(policy, account).await);
    }
    sessions
}

/// Under each policy, of each account; the one that was opened at the cutoff itself is the last to be ended.
pub async fn the_cutoff_ends_every_session_from_up_to_then_and_no_other(bench: Bench) {
    let accounts = [bench.sign_up("a@example.com").await, bench.sign_up("b@example.com").await];
    let mut sessions = Vec::new();
    for account in accounts.iter().cycle().take(4) {
        sessions.extend(sign_in_under_each(&bench, account).await);
    }
    let head = bench.store.feed_after(0, 10).await.unwrap().head;
    let cutoff = sessions[12].created_at;
    let event = everybody_signed_out(&bench);
    let committed = raise_with(&bench, cutoff, event.clone()).await.unwrap();
    let [entry] = &committed.entries[..] else { panic!("one entry: {:?}", committed.entries) };
    assert!(entry.follows(&head));
    assert_eq!(committed.feed, entry.head);
    let page = bench.store.feed_after(0, 10).await.unwrap();
    assert_eq!((page.entries, page.head), (committed.entries.clone(), committed.feed));
    assert_eq!(bench.store.events_of_account(event.account, 10).await.unwrap(), [event]);

    for (number, session) in sessions.iter().enumerate() {
        let expected = Session { revoked_at: (number <= 12).then_some(cutoff), ..session.clone() };
        assert_eq!(seen(&bench, session.id).await, expected, "session {number}");
    }
    // Pages are filled with the living: the ended ones do not take their places.
    let mut living: Vec<_> = sessions[13..].iter().map(|session| session.id).collect();
    living.sort_unstable();
    let page = bench.store.sessions(None, 3).await.unwrap();
    assert_eq!(page.iter().map(|view| view.session.id).collect::<Vec<_>>(), living[..3]);
    let page = bench.store.sessions(Some(living[2]), 9).await.unwrap();
    assert_eq!(page.iter().map(|view| view.session.id).collect::<Vec<_>>(), living[3..]);

    // Signing in goes on as before.
    bench.clock.advance(MILLISECOND);
    let new = bench.sign_in(&accounts[0]).await;
    assert_eq!(seen(&bench, new.id).await, new);
}

/// A cutoff ahead of the clock, or a clock that was set back: what was opened before it is ended, whenever it is stored.
pub async fn a_session_added_with_an_earlier_time_is_ended_too(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let early = bench.draft_session(&account);
    let cutoff = bench.now().plus(Duration::from_mins(1));
    raise(&bench, cutoff).await;
    bench.store.decide_account(account.id, bench.adding(&early)).await.unwrap();
    let before = bench.sign_in_under(SessionPolicy::Session, &account).await;
    bench.clock.advance(Duration::from_secs(61));
    let after = bench.sign_in(&account).await;
    for session in [early, before] {
        assert_eq!(seen(&bench, session.id).await, Session { revoked_at: Some(cutoff), ..session });
    }
    assert_eq!(seen(&bench, after.id).await, after);
}

/// A lower one, or the same again, ends nothing more and brings nothing back; entry and audit line are written all the
/// same.
pub async fn the_cutoff_only_rises(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let old = bench.sign_in(&account).await;
    let young = bench.sign_in(&account).await;
    let cutoff = old.created_at;
    for (written, next) in
        [cutoff, cutoff.minus(MILLISECOND), cutoff, UnixMillis::from_millis(i64::MIN)].into_iter().enumerate()
    {
        let committed = raise(&bench, next).await;
        assert_eq!(committed.entries.len(), 1);
        assert_eq!(bench.store.feed_after(0, 10).await.unwrap().entries.len(), written + 1);
        let events = bench.store.events_of_account(AccountId::from_bytes([0; 16]), 10).await.unwrap();
        assert_eq!(events.len(), written + 1);
        assert_eq!(seen(&bench, old.id).await, Session { revoked_at: Some(cutoff), ..old.clone() });
        assert_eq!(seen(&bench, young.id).await, young);
    }
    let higher = young.created_at;
    raise(&bench, higher).await;
    assert_eq!(seen(&bench, young.id).await, Session { revoked_at: Some(higher), ..young });
}

/// Its own end is when it was ended, whatever comes later.
pub async fn what_was_ended_before_stays_as_it_was(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let mut ended = bench.sign_in(&account).await;
    ended.revoked_at = Some(bench.now());
    bench.write_over(&ended).await.unwrap();
    bench.clock.advance(Duration::from_mins(1));
    raise(&bench, bench.now()).await;
    assert_eq!(seen(&bench, ended.id).await, ended);
}

/// From then on its row says it, and a higher cutoff does not move its end: whatever it is that the rule changes, be it
/// what a refresh would.
pub async fn a_rule_writes_what_it_was_shown_of_a_session_that_the_cutoff_ended(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let refreshed = bench.sign_in(&account).await;
    let narrowed = bench.sign_in(&account).await;
    let untouched = bench.sign_in(&account).await;
    let first = bench.now();
    raise(&bench, first).await;
    let refresh = |session: &mut Session| session.rotation.head = Serial::from_raw(7);
    let narrow = |session: &mut Session| session.account_generation = AccountGeneration::from_raw(7);
    let changes: [(_, fn(&mut Session)); 2] = [(&refreshed, refresh), (&narrowed, narrow)];
    for (session, change) in changes {
        let rule = move |view: Option<&SessionView>, _| {
            let mut session = view.expect("the session is there").session.clone();
            change(&mut session);
            let changes = Changes { sessions: vec![session], ..Changes::default() };
            Ruling { changes, outcome: () }
        };
        bench.store.decide_session(session.id, rule).await.unwrap();
    }
    bench.clock.advance(Duration::from_mins(1));
    let second = bench.now();
    raise(&bench, second).await;
    for (session, change) in changes {
        let mut expected = Session { revoked_at: Some(first), ..session.clone() };
        change(&mut expected);
        assert_eq!(seen(&bench, session.id).await, expected);
    }
    assert_eq!(seen(&bench, untouched.id).await.revoked_at, Some(second));
}

/// Where its audit line cannot be written, nothing is: no cutoff, no entry.
pub async fn raising_it_is_one_step(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let event = everybody_signed_out(&bench);
    let first = raise_with(&bench, UnixMillis::from_millis(0), event.clone()).await.unwrap();
    let session = bench.sign_in(&account).await;
    raise_with(&bench, bench.now(), event).await.unwrap_err();
    assert_eq!(seen(&bench, session.id).await, session);
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().head, first.feed);
    let second = raise(&bench, bench.now()).await;
    assert!(second.entries[0].follows(&first.feed));
}
