//! The feed: places without gaps, each chained to the one before, in the order of the commits.

use crate::{Bench, bench::TOKEN_LIFETIME};
use counterfoil_domain::{
    account::AccountGeneration,
    event::{Event, EventKind},
    id::{AccountId, TokenId},
    revocation::{Epoch, FeedEntry, FeedHead, FeedPosition, Revocation, RevocationDraft},
    session::{AccountView, Changes, Ruling, SessionView},
    store::{Committed, StoreError},
    time::UnixMillis,
};
use std::sync::Arc;

async fn revoke(bench: &Bench, revocations: Vec<Revocation>) -> Committed {
    let account = bench.draft_account("nobody@example.com").id;
    let entropy = bench.entropy.clone();
    let rule = move |_: Option<&AccountView>, now| {
        let draft = |revocation: &Revocation| RevocationDraft::new(revocation.clone(), now, TOKEN_LIFETIME, &*entropy);
        let revocations = revocations.iter().map(draft).collect();
        Ruling { changes: Changes { revocations, ..Changes::default() }, outcome: () }
    };
    bench.store.decide_account(account, rule).await.unwrap().1
}

fn assert_chained(begin: FeedHead, entries: &[FeedEntry], end: FeedHead) {
    let mut previous = begin;
    for entry in entries {
        assert!(entry.follows(&previous), "{entry:?} does not follow {previous:?}");
        previous = entry.head;
    }
    assert_eq!(previous, end);
}

/// Every kind of entry, several in one commit: dense, chained, and read back as written.
pub async fn places_are_dense_and_chained(bench: Bench) {
    let begin = bench.store.feed_after(0, 10).await.unwrap().head;
    assert_eq!(begin.position.seq, 0, "nothing was written yet");
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let subject =
        Revocation::Subject { account: account.id, minimum_generation: AccountGeneration::from_raw(i64::MAX) };
    let issuer = Revocation::Issuer { key: "https://예.example/".into(), cutoff: UnixMillis::from_millis(-5) };
    let token = Revocation::Token(TokenId::generate(bench.now(), &*bench.entropy));
    let kinds = vec![Revocation::Session(session.id), subject, issuer, token, Revocation::Keys { version: 3 }];

    let mut written = revoke(&bench, kinds.clone()).await.entries;
    let last = revoke(&bench, vec![Revocation::Session(session.id)]).await;
    written.extend(last.entries);
    let page = bench.store.feed_after(0, 100).await.unwrap();
    assert_eq!(page.entries, written);
    assert_eq!(page.head, last.feed);
    assert_eq!(page.head.position.seq, 6);
    assert_chained(begin, &page.entries, page.head);
    let read: Vec<_> = page.entries.into_iter().take(5).map(|entry| entry.draft.revocation).collect();
    assert_eq!(read, kinds);
}

/// Whoever writes at the same time: every place is given once, and the head an answer tells of is one that was.
pub async fn concurrent_revocations_are_dense_and_chained(bench: Bench) {
    let begin = bench.store.feed_after(0, 10).await.unwrap().head;
    let bench = Arc::new(bench);
    let mut calls = Vec::new();
    for count in 0..64 {
        let bench = bench.clone();
        calls.push(tokio::spawn(async move { revoke(&bench, vec![Revocation::Keys { version: 1 }; count % 4]).await }));
    }
    let mut answered = Vec::new();
    for call in calls {
        let committed = call.await.unwrap();
        if let Some(last) = committed.entries.last() {
            assert_eq!(last.head, committed.feed);
        }
        answered.extend(committed.entries);
    }
    answered.sort_by_key(|entry| entry.head.position);
    let page = bench.store.feed_after(0, 1_000).await.unwrap();
    assert_eq!(page.entries, answered);
    assert_chained(begin, &page.entries, page.head);
}

/// A reader continues after what it has; past the end there is only the head.
pub async fn pages_begin_after_a_place(bench: Bench) {
    let mut written = Vec::new();
    for version in 0..10 {
        written.extend(revoke(&bench, vec![Revocation::Keys { version }]).await.entries);
    }
    let head = written[9].head;
    let mut read: Vec<FeedEntry> = Vec::new();
    while read.len() < 10 {
        let page = bench.store.feed_after(read.last().map_or(0, |entry| entry.head.position.seq), 4).await.unwrap();
        assert!((1..=4).contains(&page.entries.len()));
        assert_eq!(page.head, head);
        read.extend(page.entries);
    }
    assert_eq!(read, written);
    for seq in [10, 11, i64::MAX] {
        let page = bench.store.feed_after(seq, 4).await.unwrap();
        assert_eq!((page.entries.len(), page.head), (0, head));
    }
    assert!(bench.store.feed_after(0, 0).await.unwrap().entries.is_empty());
}

/// A rule that changes nothing moves nothing, and is told where the feed stands.
pub async fn changing_nothing_writes_nothing(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let head = revoke(&bench, vec![Revocation::Keys { version: 1 }]).await.feed;
    let nothing = |_: Option<&SessionView>, _| Ruling::unchanged(());
    let ((), committed) = bench.store.decide_session(session.id, nothing).await.unwrap();
    assert_eq!(committed, Committed { entries: Vec::new(), feed: head });
    let nothing = |_: Option<&AccountView>, _| Ruling::unchanged(());
    let ((), committed) = bench.store.decide_account(account.id, nothing).await.unwrap();
    assert_eq!(committed, Committed { entries: Vec::new(), feed: head });
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().head, head);
}

async fn begin_epoch(bench: &Bench, from: Epoch, event: Event) -> Result<Committed, StoreError> {
    let cutoff = Revocation::Issuer { key: "kid".to_owned(), cutoff: bench.now() };
    let draft = RevocationDraft::new(cutoff, bench.now(), TOKEN_LIFETIME, &*bench.entropy);
    bench.store.begin_epoch(from, vec![draft], event).await
}

fn rewound(bench: &Bench) -> Event {
    bench.occasion().event_with(EventKind::StoreRewound, AccountId::NOBODY, None, "seen by one")
}

/// The places go on, dense and chained, in a later life; what was there stays.
pub async fn a_new_epoch_goes_on_counting(bench: Bench) {
    let before = revoke(&bench, vec![Revocation::Token(TokenId::from_bytes([1; 16]))]).await;
    let old = before.feed.position;
    let committed = begin_epoch(&bench, old.epoch, rewound(&bench)).await.unwrap();
    let new = committed.feed.position;
    assert_eq!((new.epoch, new.seq), (old.epoch.next(bench.now()), old.seq + 1));
    let begun = FeedHead { position: FeedPosition { epoch: new.epoch, ..old }, ..before.feed };
    assert!(committed.entries[0].follows(&begun));
    let after = revoke(&bench, vec![Revocation::Token(TokenId::from_bytes([2; 16]))]).await;
    assert!(after.entries[0].follows(&committed.feed));
    let page = bench.store.feed_after(0, 10).await.unwrap();
    assert_eq!(page.entries, [before.entries, committed.entries, after.entries].concat());
    assert_eq!(page.head, after.feed);
    let events = bench.store.events_of_account(AccountId::NOBODY, 10).await.unwrap();
    assert_eq!(events[0].detail.as_deref(), Some("seen by one"));
}

/// Whoever comes second has seen an epoch that is over: nothing is done.
pub async fn of_concurrent_new_epochs_one_is_begun(bench: Bench) {
    let from = bench.store.feed_after(0, 0).await.unwrap().head.position.epoch;
    let first = begin_epoch(&bench, from, rewound(&bench)).await.unwrap();
    let second = begin_epoch(&bench, from, rewound(&bench)).await.unwrap();
    assert_eq!((second.entries.len(), second.feed), (0, first.feed));
    assert_eq!(bench.store.events_of_account(AccountId::NOBODY, 10).await.unwrap().len(), 1);
}

/// Where its audit line cannot be written, the old life goes on.
pub async fn a_new_epoch_is_one_step(bench: Bench) {
    let from = bench.store.feed_after(0, 0).await.unwrap().head.position.epoch;
    let event = rewound(&bench);
    let first = begin_epoch(&bench, from, event.clone()).await.unwrap();
    begin_epoch(&bench, first.feed.position.epoch, event).await.unwrap_err();
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().head, first.feed);
    let next = revoke(&bench, vec![Revocation::Token(TokenId::from_bytes([1; 16]))]).await;
    assert!(next.entries[0].follows(&first.feed));
}
