//! Everything a store holds, to see that something changed, or that nothing did.

use counterfoil_domain::{
    account::Account,
    event::Event,
    session::SessionView,
    store::{FeedPage, Store},
};

const ROWS_MAX: usize = 10_000;

/// What a store holds. Password hashes and keys are not in it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Snapshot {
    pub(crate) accounts: Vec<Account>,
    /// Those that nobody has ended.
    pub(crate) sessions: Vec<SessionView>,
    /// Of all accounts.
    pub(crate) events: Vec<Event>,
    pub(crate) feed: FeedPage,
}

/// Reads everything.
pub(crate) async fn snapshot(store: &dyn Store) -> Snapshot {
    let accounts = store.accounts(None, ROWS_MAX).await.unwrap();
    let mut events = Vec::new();
    for account in &accounts {
        events.extend(store.events_of_account(account.id, ROWS_MAX).await.unwrap());
    }
    let sessions = store.sessions(None, ROWS_MAX).await.unwrap();
    let feed = store.feed_after(0, ROWS_MAX).await.unwrap();
    Snapshot { accounts, sessions, events, feed }
}
