//! The audit log, forgetting, and saying how one is.

use crate::{Bench, bench::TOKEN_LIFETIME};
use counterfoil_domain::{
    event::{Event, EventKind, Occasion},
    id::AccountId,
    policy::{Lifetimes, SessionPolicy},
    session::{AccountView, Changes, EndOne, Ruling, SessionView, end_one},
    time::UnixMillis,
};
use std::time::Duration;

async fn log(bench: &Bench, account: AccountId, events: Vec<Event>) {
    let rule = move |_: Option<&AccountView>, _| {
        let changes = Changes { events: events.clone(), ..Changes::default() };
        Ruling { changes, outcome: () }
    };
    bench.store.decide_account(account, rule).await.unwrap();
}

/// Every kind of line, with and without session and address; other people's lines are not among them.
pub async fn events_come_newest_first(bench: Bench) {
    let (account, other) = (bench.sign_up("a@example.com").await, bench.sign_up("b@example.com").await);
    let session = bench.draft_session(&account);
    let mut expected = Vec::new();
    for (number, kind) in EventKind::ALL.into_iter().enumerate() {
        bench.clock.advance(Duration::from_secs(1));
        let ip = [None, Some("192.0.2.7".parse().unwrap()), Some("2001:db8::7".parse().unwrap())][number % 3];
        let occasion = Occasion { ip, ..bench.occasion() };
        let event = occasion.event(kind, account.id, (number % 2 == 0).then_some(session.id));
        log(&bench, account.id, vec![event.clone(), occasion.event(kind, other.id, None)]).await;
        expected.insert(0, event);
    }
    assert_eq!(bench.store.events_of_account(account.id, 100).await.unwrap(), expected);
    assert_eq!(bench.store.events_of_account(account.id, 3).await.unwrap(), expected[..3]);
    assert_eq!(bench.store.events_of_account(other.id, 100).await.unwrap().len(), expected.len());
}

/// Each kind has its own limit, and what stands exactly at it is treated as the trait says.
pub async fn pruning_forgets_what_is_past_and_nothing_else(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let old = bench.sign_in(&account).await;
    let entropy = bench.entropy.clone();
    let end = move |view: Option<&SessionView>, now| {
        let occasion = Occasion { now, ip: None, entropy: &*entropy };
        end_one(view, &EndOne::Operator, TOKEN_LIFETIME, &occasion)
    };
    let (_, committed) = bench.store.decide_session(old.id, end).await.unwrap();
    let entry = committed.entries[0].clone();
    bench.clock.advance(Duration::from_hours(1));
    let young = bench.sign_in(&account).await;
    let events = bench.store.events_of_account(account.id, 10).await.unwrap();
    assert_eq!(events.len(), 3);

    let one = Duration::from_millis(1);
    let never = UnixMillis::from_millis(0);
    let prune = async |now, sessions, events| bench.store.prune(now, sessions, events).await.unwrap();
    assert_eq!(prune(entry.draft.drop_at.minus(one), old.absolute_until, events[2].at).await, 0, "nothing is past yet");

    assert_eq!(prune(entry.draft.drop_at, never, never).await, 1);
    let page = bench.store.feed_after(0, 10).await.unwrap();
    assert_eq!((page.entries.len(), page.head), (0, entry.head), "the head stays where it is");

    assert_eq!(prune(never, old.absolute_until.plus(one), never).await, 1);
    assert!(bench.look_at(old.id).await.is_none());
    assert_eq!(bench.look_at(young.id).await.unwrap().session, young);

    assert_eq!(prune(never, never, events[0].at).await, 2);
    assert_eq!(bench.store.events_of_account(account.id, 10).await.unwrap(), events[..1]);

    // More than one call forgets at once: it takes several, and ends.
    let many = (0..2_500).map(|_| bench.occasion().event(EventKind::SignedIn, account.id, None)).collect();
    log(&bench, account.id, many).await;
    bench.clock.advance(Lifetimes::default().refresh.absolute_lifetime);
    let mut forgotten = 0;
    loop {
        let now = prune(never, never, bench.now()).await;
        forgotten += now;
        if now == 0 {
            break;
        }
    }
    assert_eq!(forgotten, 2_501);
    assert!(bench.store.account(account.id).await.unwrap().is_some(), "accounts are never forgotten");
}

/// A personal token need not have an end: no instant is past it.
pub async fn a_session_without_an_end_is_never_forgotten(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let token = bench.sign_in_under(SessionPolicy::Personal, &account).await;
    assert_eq!(token.absolute_until, UnixMillis::NEVER);
    let with_an_end = bench.sign_in(&account).await;
    let late = UnixMillis::from_millis(i64::MAX - 1);
    for before in [late, UnixMillis::NEVER] {
        bench.store.prune(late, before, UnixMillis::from_millis(0)).await.unwrap();
        assert_eq!(bench.look_at(token.id).await.unwrap().session, token);
    }
    assert!(bench.look_at(with_an_end.id).await.is_none());
    assert_eq!(bench.store.sessions_of_account(account.id).await.unwrap(), [token]);
}

/// `check` succeeds, and changes nothing that anybody sees.
pub async fn a_working_store_says_so(bench: Bench) {
    let before = bench.store.feed_after(0, 10).await.unwrap();
    bench.store.check().await.unwrap();
    bench.store.check().await.unwrap();
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap(), before);
}

/// A lifetime that was once given to tokens is remembered.
pub async fn the_longest_token_lifetime_only_rises(bench: Bench) {
    for (given, longest) in [(1_800, 1_800), (10, 1_800), (28_800, 28_800), (28_799, 28_800)] {
        let raised = bench.store.raise_longest_token_lifetime(Duration::from_secs(given)).await.unwrap();
        assert_eq!(raised, Duration::from_secs(longest), "after {given} s");
    }
}
