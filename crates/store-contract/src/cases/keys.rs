//! Keys: written by rules over all of them, together with the entries that tell of them.

use crate::{Bench, bench::TOKEN_LIFETIME};
use counterfoil_domain::{
    event::{Event, EventKind, Occasion},
    id::AccountId,
    key::{Announced, KeyChanges, KeyRuling, KeyState, KeyTerms, KeyUse, KeysView, Look, StoredKey, advance, announce},
    revocation::{Epoch, FeedPosition, Revocation, RevocationDraft},
    store::{Committed, StoreError},
    time::UnixMillis,
};
use std::{sync::Arc, time::Duration};

const TERMS: KeyTerms = KeyTerms {
    jwks_max_age: Duration::from_mins(5),
    token_lifetime: TOKEN_LIFETIME,
    longest_token_lifetime: TOKEN_LIFETIME,
    rotate_after: None,
};

fn key(kid: &str, key_use: KeyUse, state: KeyState, at: i64) -> StoredKey {
    StoredKey {
        kid: kid.to_owned(),
        key_use,
        algorithm: "EdDSA".to_owned(),
        state,
        state_since: UnixMillis::from_millis(at),
        sealed: vec![0, 1, 255],
        sealed_public: Vec::new(),
        created_at: UnixMillis::from_millis(at),
        announced: None,
        token_lifetime: None,
        cache_lifetime: None,
    }
}

async fn write(bench: &Bench, changes: KeyChanges) -> Result<Committed, StoreError> {
    let rule = move |_: &KeysView<'_>, _| KeyRuling { changes: changes.clone(), outcome: () };
    bench.store.decide_keys(rule).await.map(|((), committed)| committed)
}

async fn put(bench: &Bench, keys: Vec<StoredKey>) -> Committed {
    write(bench, KeyChanges { keys, ..KeyChanges::default() }).await.unwrap()
}

fn told(bench: &Bench) -> (RevocationDraft, Event) {
    let entry = RevocationDraft::new(Revocation::Keys { version: 1 }, bench.now(), TOKEN_LIFETIME, &*bench.entropy);
    (entry, bench.occasion().event(EventKind::KeyAnnounced, AccountId::from_bytes([0; 16]), None))
}

/// A key is one for its id and use; writing it again replaces it.
pub async fn keys_are_written_over_and_come_oldest_first(bench: Bench) {
    assert!(bench.store.keys().await.unwrap().is_empty());
    let newer = key("a", KeyUse::Sign, KeyState::Upcoming, 2);
    let older = key("b", KeyUse::Sign, KeyState::Active, 1);
    let same_id_for_another_use = key("a", KeyUse::RefreshTag, KeyState::Active, 3);
    put(&bench, vec![same_id_for_another_use.clone(), newer.clone(), older.clone()]).await;
    let stored = bench.store.keys().await.unwrap();
    assert!(stored == [older.clone(), newer.clone(), same_id_for_another_use.clone()]);

    let active = StoredKey { state: KeyState::Active, sealed: Vec::new(), ..newer };
    let retired = StoredKey { state: KeyState::Retired, algorithm: "ES256".to_owned(), ..older };
    put(&bench, vec![active.clone(), retired.clone()]).await;
    assert!(bench.store.keys().await.unwrap() == [retired, active, same_id_for_another_use]);
    put(&bench, Vec::new()).await;
    assert_eq!(bench.store.keys().await.unwrap().len(), 3);
}

/// Those that may be missing too, there and missing again.
pub async fn every_column_of_a_key_survives(bench: Bench) {
    let bare = key("a", KeyUse::Sign, KeyState::Retiring, -5);
    let full = StoredKey {
        algorithm: "ES256".to_owned(),
        state: KeyState::Active,
        state_since: UnixMillis::from_millis(7),
        sealed: Vec::new(),
        sealed_public: vec![9, 0],
        created_at: UnixMillis::from_millis(6),
        announced: Some(FeedPosition { epoch: Epoch(4), seq: 3 }),
        token_lifetime: Some(Duration::from_millis(1_801)),
        cache_lifetime: Some(Duration::ZERO),
        ..bare.clone()
    };
    for written in [&bare, &full, &bare] {
        put(&bench, vec![written.clone()]).await;
        assert!(bench.store.keys().await.unwrap() == std::slice::from_ref(written));
    }
}

/// What a rule is shown is what is stored, and the place that it is told is the one before its own entry.
pub async fn a_rule_sees_every_key_and_where_the_feed_stands(bench: Bench) {
    let keys = [key("a", KeyUse::RefreshTag, KeyState::Active, 1), key("b", KeyUse::Sign, KeyState::Active, 2)];
    put(&bench, keys.to_vec()).await;
    let (entry, event) = told(&bench);
    for number in 1..4 {
        let head = bench.store.feed_after(0, 10).await.unwrap().head;
        let (entry, now) = (entry.clone(), bench.now());
        let rule = move |view: &KeysView<'_>, at| {
            let changes = KeyChanges { revocations: vec![entry.clone()], ..KeyChanges::default() };
            KeyRuling { changes, outcome: (view.keys.to_vec(), view.feed, at) }
        };
        let ((shown, feed, at), committed) = bench.store.decide_keys(rule).await.unwrap();
        assert!(shown == keys);
        assert_eq!((feed, at), (head, now));
        assert!(committed.entries[0].follows(&head) && committed.feed == committed.entries[0].head);
        assert_eq!(committed.feed.position.seq, number);
    }
    assert!(bench.store.events_of_account(event.account, 10).await.unwrap().is_empty());
}

/// Where the audit line cannot be written, nothing is: no key, no entry.
pub async fn keys_are_written_with_their_entries_and_lines_or_not_at_all(bench: Bench) {
    let (entry, event) = told(&bench);
    let with = |kid: &str| KeyChanges {
        keys: vec![key(kid, KeyUse::Sign, KeyState::Active, 1)],
        revocations: vec![entry.clone()],
        events: vec![event.clone()],
    };
    let committed = write(&bench, with("a")).await.unwrap();
    assert_eq!(bench.store.events_of_account(event.account, 10).await.unwrap(), std::slice::from_ref(&event));
    write(&bench, with("b")).await.unwrap_err();
    assert_eq!(bench.store.keys().await.unwrap().len(), 1);
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().head, committed.feed);
    let (entry, _) = told(&bench);
    let again = write(&bench, KeyChanges { revocations: vec![entry], ..KeyChanges::default() }).await.unwrap();
    assert!(again.entries[0].follows(&committed.feed));
}

/// Two servers find at once that the key is old, and each has made another.
pub async fn of_concurrent_announcements_one_is_made(bench: Bench) {
    put(&bench, vec![key("first", KeyUse::Sign, KeyState::Active, 1)]).await;
    let bench = Arc::new(bench);
    let mut calls = Vec::new();
    for number in 0..8 {
        let bench = Arc::clone(&bench);
        calls.push(tokio::spawn(async move {
            let (candidate, entropy) =
                (key(&format!("next {number}"), KeyUse::Sign, KeyState::Upcoming, 2), bench.entropy.clone());
            let rule = move |view: &KeysView<'_>, now| {
                announce(view, &candidate, &TERMS, &Occasion { now, ip: None, entropy: &*entropy })
            };
            bench.store.decide_keys(rule).await.unwrap()
        }));
    }
    let mut made = Vec::new();
    for call in calls {
        let (outcome, committed) = call.await.unwrap();
        if outcome == Announced::Upcoming {
            made.push(committed.entries[0].head.position);
        } else {
            assert!(matches!(outcome, Announced::AnotherIsUpcoming { .. }) && committed.entries.is_empty());
        }
    }
    let stored = bench.store.keys().await.unwrap();
    let [_, upcoming] = &stored[..] else { panic!("{} keys", stored.len()) };
    assert_eq!((upcoming.announced.as_slice(), upcoming.state), (&made[..], KeyState::Upcoming));
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().head.position, made[0]);
}

/// And then both find that it may sign.
pub async fn of_concurrent_looks_one_activates(bench: Bench) {
    put(
        &bench,
        vec![key("first", KeyUse::Sign, KeyState::Active, 1), key("next", KeyUse::Sign, KeyState::Upcoming, 2)],
    )
    .await;
    let bench = Arc::new(bench);
    let mut calls = Vec::new();
    for _ in 0..8 {
        let bench = Arc::clone(&bench);
        calls.push(tokio::spawn(async move {
            let entropy = bench.entropy.clone();
            let rule = move |view: &KeysView<'_>, now| {
                let look = Look { confirmed: Some(view.feed.position), steady_for: Duration::from_hours(1) };
                advance(view, &look, &TERMS, &Occasion { now, ip: None, entropy: &*entropy })
            };
            bench.store.decide_keys(rule).await.unwrap()
        }));
    }
    let mut activated = 0;
    for call in calls {
        let (outcome, committed) = call.await.unwrap();
        assert_eq!(outcome.activated.is_some(), !committed.entries.is_empty());
        activated += usize::from(outcome.activated.is_some());
    }
    let states: Vec<_> = bench.store.keys().await.unwrap().into_iter().map(|key| key.state).collect();
    assert_eq!((activated, states), (1, vec![KeyState::Retiring, KeyState::Active]));
}
