//! Changes of accounts: written whole, refused whole, and deletion.

use crate::{Bench, bench::TOKEN_LIFETIME};
use counterfoil_domain::{
    account::{
        Account, AccountGeneration, NewPassword, PasswordChange, PasswordHash, StandingOutcome, change_password,
        delete_account,
    },
    event::{EventKind, Occasion},
    opaque::SecretDigest,
    policy::SessionPolicy,
    revocation::{Revocation, RevocationDraft},
    session::{AccountView, Changes, Session},
    store::{CreatedAccount, NewAccount, StoreError},
    time::UnixMillis,
};
use serde_json::json;
use std::sync::Arc;

async fn password_of(bench: &Bench, account: &Account) -> String {
    let found = bench.store.account_with_password(account.id).await.unwrap().expect("the account is there");
    found.password_hash.expect("it has one").expose().to_owned()
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

/// A rule writes the account over; what the rule is not shown stays.
pub async fn an_update_writes_every_column_and_keeps_the_password(bench: Bench) {
    let before = bench.sign_up("a@example.com").await;
    let mut full = Account {
        email: "B@example.com".parse().unwrap(),
        email_verified: true,
        name: Some("B".to_owned()),
        roles: vec!["admin".to_owned()],
        generation: AccountGeneration::from_raw(i64::MAX),
        password_changed_at: Some(bench.now()),
        disabled_at: Some(bench.now()),
        ..before.clone()
    };
    full.attributes.set("department", json!(["Küche \"3\"", 7])).unwrap();
    let bare = Account { email: before.email.clone(), name: None, ..before.clone() };
    for version in [full, bare] {
        let changes = Changes { account: Some(version.clone()), ..Changes::default() };
        bench.change(before.id, changes).await.unwrap();
        assert_eq!(bench.store.account(before.id).await.unwrap(), Some(version.clone()));
        let found = bench.store.account_by_email(&version.email).await.unwrap().expect("found by its new address");
        assert_eq!(found.account, version);
        assert_eq!(password_of(&bench, &before).await, "$test$a@example.com");
    }
    assert!(bench.store.account_by_email(&"b@example.com".parse().unwrap()).await.unwrap().is_none());
}

/// The rule of production: password, its time, the sign-ins that it ends and their feed entries in one step. Based upon a
/// password that is not the current one any more, it changes nothing.
pub async fn a_new_password_takes_the_place_of_the_old_one(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let other = bench.sign_up("b@example.com").await;
    let kept = bench.sign_in(&account).await;
    let ended = bench.sign_in_under(SessionPolicy::Session, &account).await;
    let token = bench.sign_in_under(SessionPolicy::Personal, &account).await;
    let change = async |text: &str| {
        let new = NewPassword { hash: hash(text), checked_when_changed_at: None };
        let (entropy, keep) = (bench.entropy.clone(), kept.id);
        let rule = move |view: Option<&AccountView>, now| {
            let occasion = Occasion { now, ip: None, entropy: &*entropy };
            change_password(view, &new, keep, SecretDigest::from_bytes([9; 32]), TOKEN_LIFETIME, &occasion)
        };
        bench.store.decide_account(account.id, rule).await.unwrap()
    };
    let (outcome, committed) = change("$new").await;
    assert!(matches!(outcome, PasswordChange::Changed { ended: 1, .. }), "{outcome:?}");
    assert_eq!(committed.entries.len(), 1);
    assert_eq!(password_of(&bench, &account).await, "$new");
    assert_eq!(bench.store.account(account.id).await.unwrap().unwrap().password_changed_at, Some(bench.now()));
    // Whoever gave the current password has proved who they are.
    let kept = Session { authenticated_at: bench.now(), ..kept };
    assert_eq!(bench.store.sessions_of_account(account.id).await.unwrap(), [token, kept.clone()]);
    assert!(bench.look_at(ended.id).await.unwrap().session.revoked_at.is_some());

    let (outcome, _) = change("$too late").await;
    assert_eq!(outcome, PasswordChange::ChangedMeanwhile);
    assert_eq!(password_of(&bench, &account).await, "$new");
    assert_eq!(password_of(&bench, &other).await, "$test$b@example.com");

    // An account that was made without one.
    let without = bench.draft_account("c@example.com");
    let new = NewAccount { account: without.clone(), password_hash: None, session: None, events: Vec::new() };
    bench.store.create_account(new).await.unwrap();
    let (account, password_hash) = (Some(without.clone()), Some(hash("$first")));
    bench.change(without.id, Changes { account, password_hash, ..Changes::default() }).await.unwrap();
    assert_eq!(password_of(&bench, &without).await, "$first");
}

/// Whose password it is, only the account in the same change says.
pub async fn a_password_without_its_account_is_refused_with_all_that_comes_with_it(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let events = bench.store.events_of_account(account.id, 10).await.unwrap();
    let touched = Session { last_seen_at: UnixMillis::NEVER, ..session.clone() };
    let event = bench.occasion().event(EventKind::PasswordChanged, account.id, None);
    for (sessions, events) in [(vec![], vec![event]), (vec![touched], vec![])] {
        let changes = Changes { sessions, events, password_hash: Some(hash("$new")), ..Changes::default() };
        let refused = bench.change(account.id, changes).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    }
    assert_eq!(password_of(&bench, &account).await, "$test$a@example.com");
    assert_eq!(bench.look_at(session.id).await.unwrap().session, session);
    assert_eq!(bench.store.events_of_account(account.id, 10).await.unwrap(), events);
}

/// However it is spelled; and its own address in another spelling is taken by nobody.
pub async fn an_address_that_another_account_has_is_refused_and_nothing_is_written(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let other = bench.sign_up("b@example.com").await;
    let session = bench.sign_in(&account).await;
    let before = bench.store.events_of_account(account.id, 10).await.unwrap();
    let head = bench.store.feed_after(0, 10).await.unwrap().head;
    let occasion = bench.occasion();
    for spelling in ["b@example.com", "B@EXAMPLE.com"] {
        let renamed = Account { email: spelling.parse().unwrap(), name: Some("B".to_owned()), ..account.clone() };
        let draft =
            RevocationDraft::new(Revocation::Session(session.id), bench.now(), TOKEN_LIFETIME, occasion.entropy);
        let mut ended = session.clone();
        ended.revoked_at = Some(bench.now());
        let changes = Changes {
            new_sessions: vec![bench.draft_session(&account)],
            sessions: vec![ended],
            account: Some(renamed),
            password_hash: Some(hash("$new")),
            revocations: vec![draft],
            events: vec![occasion.event(EventKind::EmailChanged, account.id, None)],
            ..Changes::default()
        };
        let refused = bench.change(account.id, changes).await.unwrap_err();
        assert!(matches!(refused, StoreError::EmailTaken), "{refused:?}");
    }
    assert_eq!(bench.store.accounts(None, 10).await.unwrap(), [account.clone(), other]);
    assert_eq!(password_of(&bench, &account).await, "$test$a@example.com");
    assert_eq!(bench.store.sessions_of_account(account.id).await.unwrap(), [session]);
    assert_eq!(bench.store.events_of_account(account.id, 10).await.unwrap(), before);
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().head, head);

    let respelled = Account { email: "A@Example.COM".parse().unwrap(), ..account.clone() };
    bench.change(account.id, Changes { account: Some(respelled.clone()), ..Changes::default() }).await.unwrap();
    assert_eq!(bench.store.account(account.id).await.unwrap(), Some(respelled));
}

/// However many want an address at once, one gets it and each other is told why not.
pub async fn of_concurrent_changes_to_one_address_one_is_made(bench: Bench) {
    let bench = Arc::new(bench);
    let mut calls = Vec::new();
    for number in 0..16 {
        let account = bench.sign_up(&format!("person{number}@example.com")).await;
        let renamed = Account { email: "wanted@example.com".parse().unwrap(), ..account };
        let bench = bench.clone();
        let change = async move {
            let id = renamed.id;
            (id, bench.change(id, Changes { account: Some(renamed), ..Changes::default() }).await)
        };
        calls.push(tokio::spawn(change));
    }
    let mut winners = Vec::new();
    for call in calls {
        match call.await.unwrap() {
            (id, Ok(_)) => winners.push(id),
            (_, Err(StoreError::EmailTaken)) => {}
            (_, Err(other)) => panic!("{other:?}"),
        }
    }
    let found = bench.store.account_by_email(&"wanted@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(winners, [found.unwrap().account.id]);
}

/// The rule of production. What is left is the log and the feed; the address is free again.
pub async fn a_deleted_account_takes_its_sessions_along_and_leaves_its_traces(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let other = bench.sign_up("b@example.com").await;
    let mut sessions = Vec::new();
    for policy in SessionPolicy::ALL {
        sessions.push(bench.sign_in_under(policy, &account).await);
    }
    sessions[1].revoked_at = Some(bench.now());
    bench.write_over(&sessions[1]).await.unwrap();
    let of_other = bench.sign_in(&other).await;

    let entropy = bench.entropy.clone();
    let rule = move |view: Option<&AccountView>, now| {
        let occasion = Occasion { now, ip: None, entropy: &*entropy };
        delete_account(view, TOKEN_LIFETIME, &occasion)
    };
    let (outcome, committed) = bench.store.decide_account(account.id, rule).await.unwrap();
    assert!(matches!(outcome, StandingOutcome::Changed { ended: 4, .. }), "{outcome:?}");
    assert_eq!(committed.entries.len(), 2, "the account's sign-ins, and its personal token");
    assert_eq!(bench.store.feed_after(0, 10).await.unwrap().entries, committed.entries);

    assert_eq!(bench.store.accounts(None, 10).await.unwrap(), std::slice::from_ref(&other));
    assert!(bench.store.account_with_password(account.id).await.unwrap().is_none());
    assert!(bench.store.sessions_of_account(account.id).await.unwrap().is_empty());
    for session in &sessions {
        assert!(bench.look_at(session.id).await.is_none());
        if let Some(secret) = session.secret {
            assert!(bench.store.session_by_secret(secret).await.unwrap().is_none());
        }
    }
    assert_eq!(bench.look_at(of_other.id).await.unwrap().session, of_other);
    let events = bench.store.events_of_account(account.id, 100).await.unwrap();
    assert_eq!((events.len(), events[0].kind), (6, EventKind::AccountDeleted));

    let again = bench.draft_account("a@example.com");
    let new = NewAccount { account: again, password_hash: None, session: None, events: Vec::new() };
    assert_eq!(bench.store.create_account(new).await.unwrap(), CreatedAccount::Created);
}

/// As with every other change of what is not there.
pub async fn deleting_an_account_that_does_not_exist_is_refused_with_all_that_comes_with_it(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let session = bench.sign_in(&account).await;
    let stranger = bench.draft_account("b@example.com");
    let changes = Changes {
        account: Some(Account { name: Some("A".to_owned()), ..account.clone() }),
        deleted_account: Some(stranger.id),
        events: vec![bench.occasion().event(EventKind::AccountDeleted, stranger.id, None)],
        ..Changes::default()
    };
    bench.change(account.id, changes).await.unwrap_err();
    assert_eq!(bench.store.account(account.id).await.unwrap(), Some(account));
    assert_eq!(bench.look_at(session.id).await.unwrap().session, session);
    assert!(bench.store.events_of_account(stranger.id, 10).await.unwrap().is_empty());
}
