//! Revocation: the state change and its feed entry are one, or neither is.

use crate::{Bench, bench::TOKEN_LIFETIME};
use counterfoil_domain::{
    event::{EventKind, Occasion},
    id::SessionId,
    revocation::{Revocation, RevocationDraft},
    session::{AccountView, Changes, EndOne, EndedOne, Ruling, Session, SessionView, end_every, end_one},
    time::UnixMillis,
};
use std::panic::resume_unwind;

fn ending_one(bench: &Bench) -> impl FnMut(Option<&SessionView>, UnixMillis) -> Ruling<EndedOne> + Send + 'static {
    let entropy = bench.entropy.clone();
    move |view, now| {
        let occasion = Occasion { now, ip: None, entropy: &*entropy };
        end_one(view, &EndOne::Operator, TOKEN_LIFETIME, &occasion)
    }
}

fn ending_every(
    bench: &Bench,
    keep: Option<SessionId>,
) -> impl FnMut(Option<&AccountView>, UnixMillis) -> Ruling<usize> + Send + 'static {
    let entropy = bench.entropy.clone();
    move |view, now| {
        let occasion = Occasion { now, ip: None, entropy: &*entropy };
        end_every(view.expect("the account is there"), keep, TOKEN_LIFETIME, &occasion)
    }
}

/// The answer carries the entry in its place, and the feed has it at once.
pub async fn a_revocation_is_in_the_feed_of_the_same_commit(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let before = bench.store.feed_after(0, 10).await.unwrap();
    assert!(before.entries.is_empty());

    let (outcome, committed) = bench.store.decide_session(session.id, ending_one(&bench)).await.unwrap();
    assert_eq!(outcome, EndedOne::Ended);
    let page = bench.store.feed_after(0, 10).await.unwrap();
    assert_eq!(page.entries, committed.entries);
    assert_eq!(page.head, committed.feed);
    let [entry] = &page.entries[..] else { panic!("one entry: {:?}", page.entries) };
    assert!(entry.follows(&before.head));
    assert_eq!(entry.draft.revocation, Revocation::Session(session.id));
    assert_eq!(bench.look_at(session.id).await.unwrap().session.revoked_at, Some(bench.now()));
    let [signed_out, _] = &bench.store.events_of_account(account.id, 10).await.unwrap()[..] else { panic!("two") };
    assert_eq!(signed_out.kind, EventKind::SignedOut);

    let (again, committed) = bench.store.decide_session(session.id, ending_one(&bench)).await.unwrap();
    assert_eq!(again, EndedOne::WasOver);
    assert!(committed.entries.is_empty());
    assert_eq!(committed.feed, page.head);
}

/// Any number of sessions: one entry, and every row is ended with it.
pub async fn ending_everything_is_one_entry_and_ends_every_session(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let mut sessions = Vec::new();
    for _ in 0..20 {
        sessions.push(bench.sign_in(&account).await);
    }
    let (ended, committed) = bench.store.decide_account(account.id, ending_every(&bench, None)).await.unwrap();
    assert_eq!((ended, committed.entries.len()), (20, 1));
    assert!(bench.store.sessions_of_account(account.id).await.unwrap().is_empty());
    for session in sessions {
        let view = bench.look_at(session.id).await.unwrap();
        assert_eq!(view.session.revoked_at, Some(bench.now()));
        assert_eq!(view.account.generation, account.generation.next());
    }
}

/// The kept session lives on; each other has its entry.
pub async fn ending_all_but_one_keeps_the_one(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    bench.sign_in(&account).await;
    let kept = bench.sign_in(&account).await;
    bench.sign_in(&account).await;
    let rule = ending_every(&bench, Some(kept.id));
    let (ended, committed) = bench.store.decide_account(account.id, rule).await.unwrap();
    assert_eq!((ended, committed.entries.len()), (2, 2));
    assert!(committed.entries[1].follows(&committed.entries[0].head));
    assert_eq!(committed.entries[1].head, committed.feed);
    assert_eq!(bench.store.sessions_of_account(account.id).await.unwrap(), [kept]);
}

/// A panic in a rule is an error for its caller and for nobody else, and the store goes on.
pub async fn a_rule_that_panics_leaves_nothing(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let head = bench.store.feed_after(0, 10).await.unwrap().head;
    let mut calls = Vec::new();
    for number in 0..16 {
        let (store, id, mut end) = (bench.store.clone(), session.id, ending_one(&bench));
        calls.push(tokio::spawn(async move {
            let rule = move |view: Option<&SessionView>, now| -> Ruling<()> {
                let ruling = end(view, now);
                // Without the panic hook, whose message would look like a failed test.
                if number % 2 == 0 {
                    resume_unwind(Box::new("a rule that panics"))
                }
                drop(ruling);
                Ruling::unchanged(())
            };
            store.decide_session(id, rule).await
        }));
    }
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().is_ok(), number % 2 != 0, "call {number}");
    }
    let panics = |_: Option<&AccountView>, _| -> Ruling<()> { resume_unwind(Box::new("a rule that panics")) };
    bench.store.decide_account(account.id, panics).await.unwrap_err();
    assert_eq!(bench.look_at(session.id).await.unwrap().session, session);
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().head, head);
}

/// When one part of a change cannot be written (here: an account that does not exist), none of it is; calls that run at
/// the same time are not touched by that.
pub async fn a_refused_change_leaves_nothing_of_the_whole(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let stranger = bench.draft_account("b@example.com");
    let mut sessions = Vec::new();
    for _ in 0..16 {
        sessions.push(bench.sign_in(&account).await);
    }
    let head = bench.store.feed_after(0, 10).await.unwrap().head;
    let mut calls = Vec::new();
    for (number, session) in sessions.iter().enumerate() {
        let (store, id, stranger, mut end) = (bench.store.clone(), session.id, stranger.clone(), ending_one(&bench));
        calls.push(tokio::spawn(async move {
            let rule = move |view: Option<&SessionView>, now| {
                let mut ruling = end(view, now);
                ruling.changes.account = (number % 2 == 0).then(|| stranger.clone());
                ruling
            };
            store.decide_session(id, rule).await
        }));
    }
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().is_ok(), number % 2 != 0, "call {number}");
    }
    for (number, session) in sessions.iter().enumerate() {
        let stored = bench.look_at(session.id).await.unwrap().session;
        let expected = Session { revoked_at: (number % 2 != 0).then(|| bench.now()), ..session.clone() };
        assert_eq!(stored, expected, "session {number}");
    }
    let page = bench.store.feed_after(0, 100).await.unwrap();
    assert_eq!(page.entries.len(), 8);
    let mut previous = head;
    for entry in page.entries {
        assert!(entry.follows(&previous), "a refused change took a place in the feed");
        previous = entry.head;
    }
    assert_eq!(bench.store.events_of_account(account.id, 100).await.unwrap().len(), 16 + 8);
}

/// As with sessions: a rule about nobody is told so, and cannot make somebody.
pub async fn an_update_of_an_unknown_account_sees_nothing_and_makes_nothing(bench: Bench) {
    let stranger = bench.draft_account("a@example.com");
    let occasion = bench.occasion();
    let draft = RevocationDraft::new(Revocation::Keys { version: 1 }, occasion.now, TOKEN_LIFETIME, occasion.entropy);
    let look = |view: Option<&AccountView>, _| Ruling::unchanged(view.is_some());
    assert!(!bench.store.decide_account(stranger.id, look).await.unwrap().0);
    let invent = {
        let stranger = stranger.clone();
        move |_: Option<&AccountView>, _| {
            let changes =
                Changes { account: Some(stranger.clone()), revocations: vec![draft.clone()], ..Changes::default() };
            Ruling { changes, outcome: () }
        }
    };
    bench.store.decide_account(stranger.id, invent).await.unwrap_err();
    assert!(bench.store.account(stranger.id).await.unwrap().is_none());
    assert!(bench.store.feed_after(0, 10).await.unwrap().entries.is_empty());
}
