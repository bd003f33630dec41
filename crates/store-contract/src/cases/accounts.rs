//! Accounts: one for an address, found by it, listed in pages.

use crate::Bench;
use counterfoil_domain::{
    account::{Account, AccountGeneration},
    event::EventKind,
    store::{CreatedAccount, NewAccount},
    time::UnixMillis,
};
use serde_json::json;
use std::sync::Arc;

/// Everything of an account comes back; the address is found however it is spelled.
pub async fn a_new_account_is_found_by_id_and_by_any_spelling_of_its_address(bench: Bench) {
    let mut account = bench.draft_account("Min.Su@Example.com");
    account.email_verified = true;
    account.name = Some("민수 \"Kim\"".to_owned());
    account.roles = vec!["admin".to_owned(), "a \"quoted\", role".to_owned()];
    account.attributes.set("department", json!("Küche \"3\"")).unwrap();
    account.attributes.set("cost.center", json!({ "number": 7, "open": [true, 0.5, ""] })).unwrap();
    account.generation = AccountGeneration::from_raw(7);
    account.password_changed_at = Some(UnixMillis::from_millis(-3));
    account.disabled_at = Some(bench.now());
    let new = NewAccount { account: account.clone(), password_hash: None, session: None, events: Vec::new() };
    assert_eq!(bench.store.create_account(new).await.unwrap(), CreatedAccount::Created);

    assert_eq!(bench.store.account(account.id).await.unwrap(), Some(account.clone()));
    for spelling in ["Min.Su@Example.com", "min.su@example.com", "MIN.SU@EXAMPLE.COM"] {
        let found = bench.store.account_by_email(&spelling.parse().unwrap()).await.unwrap();
        let found = found.expect("found by another spelling");
        assert_eq!(found.account, account);
        assert!(found.password_hash.is_none(), "none was given");
    }
    assert!(bench.store.account_by_email(&"minsu@example.com".parse().unwrap()).await.unwrap().is_none());
    assert!(bench.store.account(bench.draft_account("b@example.com").id).await.unwrap().is_none());
}

/// The second account with an address is not made, nor anything that came with it.
pub async fn an_address_has_one_account(bench: Bench) {
    let first = bench.sign_up("a@example.com").await;
    let second = bench.draft_account("A@EXAMPLE.com");
    let session = bench.draft_session(&second);
    let events = vec![bench.occasion().event(EventKind::AccountCreated, second.id, None)];
    let new = NewAccount { account: second.clone(), password_hash: None, session: Some(session.clone()), events };
    assert_eq!(bench.store.create_account(new).await.unwrap(), CreatedAccount::EmailTaken);

    assert_eq!(bench.store.accounts(None, 10).await.unwrap(), [first]);
    assert!(bench.look_at(session.id).await.is_none());
    assert!(bench.store.events_of_account(second.id, 10).await.unwrap().is_empty());
}

/// However many ask at once, exactly one is told that the account is theirs.
pub async fn of_concurrent_sign_ups_with_one_address_one_wins(bench: Bench) {
    let bench = Arc::new(bench);
    let attempt = |number: usize| {
        let bench = bench.clone();
        tokio::spawn(async move {
            let account = bench.draft_account(if number.is_multiple_of(2) { "a@example.com" } else { "A@Example.com" });
            let id = account.id;
            let new = NewAccount { account, password_hash: None, session: None, events: Vec::new() };
            (id, bench.store.create_account(new).await.unwrap())
        })
    };
    let mut winners = Vec::new();
    for attempt in (0..32).map(attempt).collect::<Vec<_>>() {
        let (id, created) = attempt.await.unwrap();
        winners.extend((created == CreatedAccount::Created).then_some(id));
    }
    let stored: Vec<_> = bench.store.accounts(None, 10).await.unwrap().into_iter().map(|account| account.id).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(stored, winners);
}

/// Signing up and signing in is one step.
pub async fn a_new_account_comes_with_its_session_and_events(bench: Bench) {
    let account = bench.draft_account("a@example.com");
    let session = bench.draft_session(&account);
    let created = bench.occasion().event(EventKind::AccountCreated, account.id, None);
    let signed_in = bench.occasion().event(EventKind::SignedIn, account.id, Some(session.id));
    let new = NewAccount {
        account: account.clone(),
        password_hash: None,
        session: Some(session.clone()),
        events: vec![created, signed_in],
    };
    assert_eq!(bench.store.create_account(new).await.unwrap(), CreatedAccount::Created);
    let view = bench.look_at(session.id).await.unwrap();
    assert_eq!((view.session, view.account), (session, account.clone()));
    assert_eq!(bench.store.events_of_account(account.id, 10).await.unwrap().len(), 2);
}

/// Pages are in the order of the ids, complete and without repetition.
pub async fn pages_follow_the_ids(bench: Bench) {
    let mut all = Vec::new();
    for number in 0..7 {
        all.push(bench.sign_up(&format!("person{number}@example.com")).await);
    }
    all.sort_by_key(|account| account.id);
    let mut seen = Vec::new();
    loop {
        let after = seen.last().map(|account: &Account| account.id);
        let page = bench.store.accounts(after, 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, all);
    assert!(bench.store.accounts(None, 0).await.unwrap().is_empty());
    assert_eq!(bench.store.accounts(None, usize::MAX).await.unwrap(), all);
}

/// Where a signed-in person proves anew who they are, the account is known already.
pub async fn an_account_is_read_with_its_password(bench: Bench) {
    let account = bench.sign_up("a@example.com").await;
    let found = bench.store.account_with_password(account.id).await.unwrap().unwrap();
    assert_eq!(found.account, account);
    assert_eq!(found.password_hash.unwrap().expose(), "$test$a@example.com");

    let without = bench.draft_account("b@example.com");
    let new = NewAccount { account: without.clone(), password_hash: None, session: None, events: Vec::new() };
    bench.store.create_account(new).await.unwrap();
    let found = bench.store.account_with_password(without.id).await.unwrap().unwrap();
    assert!(found.account == without && found.password_hash.is_none());
    assert!(bench.store.account_with_password(bench.draft_account("c@example.com").id).await.unwrap().is_none());
}
