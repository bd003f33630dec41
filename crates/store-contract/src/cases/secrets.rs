//! Sessions that are looked up at every request: by id, and by the digest of an opaque secret.

use crate::Bench;
use counterfoil_domain::{
    event::Occasion,
    policy::{Lifetimes, SessionPolicy},
    session::{Changes, SEEN_AGAIN_AFTER, Session, SessionView, touch},
    store::StoreError,
};
use std::time::Duration;

/// Outside of a rule there is the same to see, ended or not: what it means is for the rules to say.
pub async fn a_session_is_read_as_a_rule_is_shown_it(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    for policy in SessionPolicy::ALL {
        let mut session = bench.sign_in_under(policy, &account).await;
        for revoked_at in [None, Some(bench.now())] {
            session.revoked_at = revoked_at;
            bench.write_over(&session).await.unwrap();
            let read = bench.store.session(session.id).await.unwrap();
            assert_eq!(read, Some(SessionView { session: session.clone(), account: account.clone() }));
            assert_eq!(read, bench.look_at(session.id).await);
        }
    }
    assert!(bench.store.session(bench.draft_session(&account).id).await.unwrap().is_none());
}

/// Each by its own, past its limits and ended as well; and one that nobody has finds nothing.
pub async fn a_session_is_found_by_its_secret_even_when_it_is_over(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(bench.sign_in_under(SessionPolicy::Session, &account).await);
        sessions.push(bench.sign_in_under(SessionPolicy::Personal, &account).await);
    }
    bench.sign_in(&account).await;
    sessions[0].revoked_at = Some(bench.now());
    bench.write_over(&sessions[0]).await.unwrap();
    bench.clock.advance(2 * Lifetimes::default().session.absolute_lifetime);
    for session in sessions {
        let found = bench.store.session_by_secret(session.secret.unwrap()).await.unwrap();
        assert_eq!(found, Some(SessionView { session, account: account.clone() }));
    }
    assert!(bench.store.session_by_secret(bench.draft_secret()).await.unwrap().is_none());
}

/// A secret that another session has is refused, for a new session and for one that is written over; and so is all that
/// came with it. It stays taken when its session is over. Having none is nothing to share.
pub async fn a_secret_finds_one_session(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let mut first = bench.sign_in_under(SessionPolicy::Session, &account).await;
    let second = bench.sign_in_under(SessionPolicy::Session, &account).await;
    for revoked_at in [None, Some(bench.now())] {
        first.revoked_at = revoked_at;
        bench.write_over(&first).await.unwrap();
        let events = bench.store.events_of_account(account.id, 10).await.unwrap();
        let twin = Session { secret: first.secret, ..bench.draft_session(&account) };
        let refused = bench.store.decide_account(account.id, bench.adding(&twin)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        bench.write_over(&Session { secret: first.secret, ..second.clone() }).await.unwrap_err();

        assert!(bench.look_at(twin.id).await.is_none());
        assert_eq!(bench.look_at(second.id).await.unwrap().session, second);
        let found = bench.store.session_by_secret(first.secret.unwrap()).await.unwrap();
        assert_eq!(found.map(|view| view.session), Some(first.clone()));
        assert_eq!(bench.store.events_of_account(account.id, 10).await.unwrap(), events);
    }
    bench.sign_in(&account).await;
    bench.sign_in(&account).await;
}

/// From the same moment on the new one finds the session, and the old one nothing.
pub async fn a_renewed_secret_takes_the_place_of_the_old_one(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let before = bench.sign_in_under(SessionPolicy::Session, &account).await;
    let after = Session { secret: Some(bench.draft_secret()), ..before.clone() };
    // Together with a use: what a refresh writes is not all that changes.
    let after = Session { last_seen_at: bench.now(), idle_until: bench.now(), ..after };
    bench.write_over(&after).await.unwrap();
    assert!(bench.store.session_by_secret(before.secret.unwrap()).await.unwrap().is_none());
    let found = bench.store.session_by_secret(after.secret.unwrap()).await.unwrap();
    assert_eq!(found, Some(SessionView { session: after.clone(), account: account.clone() }));

    // The old one is free; and a session may lose its own.
    let heir = Session { secret: before.secret, ..bench.draft_session(&account) };
    let bare = Session { secret: None, ..after.clone() };
    let changes = Changes { new_sessions: vec![heir.clone()], sessions: vec![bare], ..Changes::default() };
    bench.change(account.id, changes).await.unwrap();
    let found = bench.store.session_by_secret(before.secret.unwrap()).await.unwrap();
    assert_eq!(found.map(|view| view.session), Some(heir));
    assert!(bench.store.session_by_secret(after.secret.unwrap()).await.unwrap().is_none());
}

/// Under each policy that is looked up: the use is stored, and nothing else changes.
pub async fn use_is_noted_by_the_rule_of_production(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    for policy in SessionPolicy::ALL {
        let session = bench.sign_in_under(policy, &account).await;
        bench.clock.advance(SEEN_AGAIN_AFTER + Duration::from_millis(1));
        let entropy = bench.entropy.clone();
        let rule = move |view: Option<&SessionView>, now| {
            touch(view, &Lifetimes::default(), &Occasion { now, ip: None, entropy: &*entropy })
        };
        bench.store.decide_session(session.id, rule).await.unwrap();
        let mut expected = session.clone();
        if policy.is_looked_up() {
            expected.last_seen_at = bench.now();
        }
        if policy == SessionPolicy::Session {
            expected.idle_until = bench.now().plus(Lifetimes::default().session.idle_lifetime);
        }
        assert_eq!(bench.store.session(session.id).await.unwrap().unwrap().session, expected, "{policy}");
    }
}
