//! The model: a store in plain maps.

use counterfoil_domain::{
    account::{Account, AccountWithPassword, PasswordHash},
    email::Email,
    event::Event,
    id::{AccountId, EventId, SessionId},
    key::StoredKey,
    revocation::{FeedEntry, FeedHead},
    session::{AccountView, Changes, Session, SessionView},
    store::{
        AccountRule, Committed, CreatedAccount, FeedPage, NewAccount, SessionRule, Store, StoreError, StoreFuture,
    },
    time::{Clock, UnixMillis},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A store in memory, for tests. Every call works on a copy of everything, which takes the place of the original when
/// nothing went wrong: slow, and obviously atomic.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    accounts: BTreeMap<AccountId, (Account, Option<PasswordHash>)>,
    sessions: BTreeMap<SessionId, Session>,
    events: BTreeMap<(AccountId, UnixMillis, EventId), Event>,
    feed: BTreeMap<i64, FeedEntry>,
    head: FeedHead,
    keys: BTreeMap<(&'static str, String), StoredKey>,
    longest_token_lifetime: Duration,
}

impl MemoryStore {
    /// An empty store whose feed begins at the default head.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::beginning_at(clock, FeedHead::default())
    }

    /// An empty store whose feed begins at `head`.
    pub fn beginning_at(clock: Arc<dyn Clock>, head: FeedHead) -> Self {
        Self { clock, state: Mutex::new(State { head, ..State::default() }) }
    }

    /// One atomic step: all of it or, after an error or a panic, nothing.
    fn step<T>(&self, work: impl FnOnce(&mut State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = state.clone();
        let outcome =
            catch_unwind(AssertUnwindSafe(|| work(&mut next))).unwrap_or_else(|_| Err(refused("panicked")))?;
        *state = next;
        Ok(outcome)
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<'_, T> {
        Box::pin(async move { self.step(work) })
    }

    fn read<T: Send + 'static>(&self, work: impl FnOnce(&State) -> T + Send + 'static) -> StoreFuture<'_, T> {
        Box::pin(async move { Ok(work(&self.state.lock().unwrap_or_else(PoisonError::into_inner))) })
    }
}

fn refused(reason: &str) -> StoreError {
    StoreError::Unavailable(reason.into())
}

impl State {
    fn email_is_taken(&self, email: &Email, by_another_than: AccountId) -> bool {
        let canonical = email.canonical();
        self.accounts.values().any(|(other, _)| other.id != by_another_than && other.email.canonical() == canonical)
    }

    fn insert_session(&mut self, session: Session) -> Result<(), StoreError> {
        if !self.accounts.contains_key(&session.account) {
            return Err(refused("a session was given to an account that does not exist"));
        }
        match self.sessions.entry(session.id) {
            Entry::Occupied(_) => Err(refused("a session with this id exists")),
            Entry::Vacant(place) => {
                place.insert(session);
                Ok(())
            }
        }
    }

    fn insert_events(&mut self, events: Vec<Event>) -> Result<(), StoreError> {
        for event in events {
            if self.events.insert((event.account, event.at, event.id), event).is_some() {
                return Err(refused("an event with this id exists"));
            }
        }
        Ok(())
    }

    fn apply(&mut self, changes: Changes) -> Result<Committed, StoreError> {
        for session in changes.new_sessions {
            self.insert_session(session)?;
        }
        for session in changes.sessions {
            if !self.accounts.contains_key(&session.account) {
                return Err(refused("a rule gave a session to an account that does not exist"));
            }
            let row = self.sessions.get_mut(&session.id);
            *row.ok_or_else(|| refused("a rule wrote over a session that does not exist"))? = session;
        }
        if let Some(account) = changes.account {
            if self.email_is_taken(&account.email, account.id) {
                return Err(refused("the address is taken"));
            }
            let row = self.accounts.get_mut(&account.id);
            row.ok_or_else(|| refused("a rule wrote over an account that does not exist"))?.0 = account;
        }
        self.insert_events(changes.events)?;
        let mut entries = Vec::new();
        for draft in changes.revocations {
            let entry = FeedEntry::seal(&self.head, draft);
            self.head = entry.head;
            self.feed.insert(entry.head.position.seq, entry.clone());
            entries.push(entry);
        }
        Ok(Committed { entries, feed: self.head })
    }

    fn view(&self, session: &Session) -> SessionView {
        SessionView { session: session.clone(), account: self.accounts[&session.account].0.clone() }
    }

    fn sessions_of(&self, account: AccountId) -> Vec<Session> {
        let living = |session: &&Session| session.account == account && session.revoked_at.is_none();
        let mut sessions: Vec<_> = self.sessions.values().filter(living).cloned().collect();
        sessions.sort_by_key(|session| Reverse((session.created_at, session.id)));
        sessions
    }
}

impl Store for MemoryStore {
    fn create_account(&self, new: NewAccount) -> StoreFuture<'_, CreatedAccount> {
        self.write(move |state| {
            let NewAccount { account, password_hash, session, events } = new;
            if state.accounts.contains_key(&account.id) {
                return Err(refused("an account with this id exists"));
            }
            if state.email_is_taken(&account.email, account.id) {
                return Ok(CreatedAccount::EmailTaken);
            }
            state.accounts.insert(account.id, (account, password_hash));
            if let Some(session) = session {
                state.insert_session(session)?;
            }
            state.insert_events(events)?;
            Ok(CreatedAccount::Created)
        })
    }

    fn account_by_email(&self, email: &Email) -> StoreFuture<'_, Option<AccountWithPassword>> {
        let canonical = email.canonical();
        self.read(move |state| {
            let found = state.accounts.values().find(|(account, _)| account.email.canonical() == canonical);
            found.cloned().map(|(account, password_hash)| AccountWithPassword { account, password_hash })
        })
    }

    fn account(&self, id: AccountId) -> StoreFuture<'_, Option<Account>> {
        self.read(move |state| state.accounts.get(&id).map(|(account, _)| account.clone()))
    }

    fn accounts(&self, after: Option<AccountId>, limit: usize) -> StoreFuture<'_, Vec<Account>> {
        self.read(move |state| {
            let accounts = state.accounts.values().map(|(account, _)| account);
            accounts.filter(|account| Some(account.id) > after).take(limit).cloned().collect()
        })
    }

    fn update_session(&self, id: SessionId, mut rule: SessionRule) -> StoreFuture<'_, Committed> {
        let now = self.clock.now();
        self.write(move |state| {
            let view = state.sessions.get(&id).map(|session| state.view(session));
            state.apply(rule(view.as_ref(), now))
        })
    }

    fn update_account(&self, id: AccountId, mut rule: AccountRule) -> StoreFuture<'_, Committed> {
        let now = self.clock.now();
        self.write(move |state| {
            let account = state.accounts.get(&id).map(|(account, _)| account.clone());
            let view = account.map(|account| AccountView { account, sessions: state.sessions_of(id) });
            state.apply(rule(view.as_ref(), now))
        })
    }

    fn sessions_of_account(&self, id: AccountId) -> StoreFuture<'_, Vec<Session>> {
        self.read(move |state| state.sessions_of(id))
    }

    fn sessions(&self, after: Option<SessionId>, limit: usize) -> StoreFuture<'_, Vec<SessionView>> {
        self.read(move |state| {
            let living = state.sessions.values().filter(|session| session.revoked_at.is_none());
            living.filter(|session| Some(session.id) > after).take(limit).map(|session| state.view(session)).collect()
        })
    }

    fn events_of_account(&self, id: AccountId, limit: usize) -> StoreFuture<'_, Vec<Event>> {
        self.read(move |state| {
            let newest_first = state.events.values().rev();
            newest_first.filter(|event| event.account == id).take(limit).cloned().collect()
        })
    }

    fn feed_after(&self, seq: i64, limit: usize) -> StoreFuture<'_, FeedPage> {
        self.read(move |state| {
            let after = state.feed.values().filter(|entry| entry.head.position.seq > seq);
            FeedPage { entries: after.take(limit).cloned().collect(), head: state.head }
        })
    }

    fn keys(&self) -> StoreFuture<'_, Vec<StoredKey>> {
        self.read(|state| {
            let mut keys: Vec<_> = state.keys.values().cloned().collect();
            // Stable: keys of one instant stay in the order of use and id.
            keys.sort_by_key(|key| key.created_at);
            keys
        })
    }

    fn put_keys(&self, keys: Vec<StoredKey>) -> StoreFuture<'_, ()> {
        self.write(move |state| {
            state.keys.extend(keys.into_iter().map(|key| ((key.key_use.as_str(), key.kid.clone()), key)));
            Ok(())
        })
    }

    fn prune(&self, now: UnixMillis, sessions_before: UnixMillis, events_before: UnixMillis) -> StoreFuture<'_, usize> {
        self.write(move |state| {
            let count = |state: &State| state.sessions.len() + state.events.len() + state.feed.len();
            let before = count(state);
            state.sessions.retain(|_, session| session.absolute_until >= sessions_before);
            state.events.retain(|_, event| event.at >= events_before);
            state.feed.retain(|_, entry| entry.draft.drop_at > now);
            Ok(before - count(state))
        })
    }

    fn raise_longest_token_lifetime(&self, lifetime: Duration) -> StoreFuture<'_, Duration> {
        self.write(move |state| {
            state.longest_token_lifetime = state.longest_token_lifetime.max(lifetime);
            Ok(state.longest_token_lifetime)
        })
    }

    fn check(&self) -> StoreFuture<'_, ()> {
        self.read(|_| ())
    }
}
