//! How much a call writes: what happens all the time dirties one page, and no page of an index.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report"
)]

mod common;

use common::{Place, block_on, raise};
use counterfoil_domain::{
    event::{EventKind, Occasion},
    policy::{Lifetimes, SessionPolicy},
    revocation::{Revocation, RevocationDraft},
    session::{Ruling, SEEN_AGAIN_AFTER, Session, SessionView, extend, touch},
    store::Store,
};
use counterfoil_store_contract::{Bench, SeededEntropy};
use std::{fs, time::Duration};

/// A page of the log with its header.
const FRAME_BYTES: u64 = 4_096 + 24;

/// How many pages the log has grown by since it was `before` bytes long.
fn pages_since(place: &Place, before: u64) -> u64 {
    (log_bytes(place) - before) / FRAME_BYTES
}

fn log_bytes(place: &Place) -> u64 {
    fs::metadata(format!("{}-wal", place.path().display())).unwrap().len()
}

/// Enough sessions for the table and its indexes to have several pages each.
async fn fill(bench: &Bench) -> Vec<Session> {
    let account = bench.sign_up("a@example.com").await;
    let mut sessions = Vec::new();
    for number in 0..200 {
        sessions.push(bench.sign_in_under(SessionPolicy::ALL[number % 5], &account).await);
    }
    sessions
}

#[test]
fn a_use_an_extension_and_a_refresh_each_write_one_page() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let sessions = fill(&bench).await;
        bench.clock.advance(SEEN_AGAIN_AFTER);
        let (mut uses, mut extensions) = (0, 0);
        for session in &sessions[100..110] {
            let before = log_bytes(&place);
            let rule = move |view: Option<&SessionView>, now| {
                let entropy = SeededEntropy::new(1);
                let occasion = Occasion { now, ip: None, entropy: &entropy };
                let lifetimes = Lifetimes::default();
                let touched = touch(view, &lifetimes, &occasion);
                if touched.changes.is_empty() {
                    let extended = extend(view, &lifetimes, &occasion);
                    Ruling { changes: extended.changes, outcome: () }
                } else {
                    touched
                }
            };
            let store: &(dyn Store + 'static) = &*store;
            store.decide_session(session.id, rule).await.unwrap();
            let written = pages_since(&place, before);
            match session.policy {
                SessionPolicy::Refresh => assert_eq!(written, 0),
                SessionPolicy::Sliding => {
                    extensions += 1;
                    assert_eq!(written, 1, "extending");
                }
                policy => {
                    uses += 1;
                    assert_eq!(written, 1, "noting the use of a session of policy {policy}");
                }
            }
            let before = log_bytes(&place);
            raise(store, session.id).await.unwrap();
            assert_eq!(pages_since(&place, before), 1, "refreshing");
        }
        assert_eq!((uses, extensions), (6, 2));
    });
}

#[test]
fn ending_everybody_writes_as_little_as_ending_one() {
    let place = Place::new();
    block_on(async {
        let store = place.open();
        let bench = place.bench(&store);
        let sessions = fill(&bench).await;
        let before = log_bytes(&place);
        let occasion = bench.occasion();
        let event = occasion.event(EventKind::EverybodySignedOut, sessions[0].account, None);
        let (everybody, lifetime) = (Revocation::Keys { version: 1 }, Duration::from_mins(31));
        let draft = RevocationDraft::new(everybody, occasion.now, lifetime, occasion.entropy);
        store.raise_session_cutoff(occasion.now, vec![draft], event).await.unwrap();
        assert!(store.sessions_of_account(sessions[0].account).await.unwrap().is_empty());
        // The cutoff, the entry and its index, the head, the line and its index.
        assert!(pages_since(&place, before) <= 8);
    });
}
