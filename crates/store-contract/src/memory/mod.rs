//! The model: a store in plain maps. What is in them and how it changes is in [`state`].

mod state;

use counterfoil_domain::{
    account::{Account, AccountWithPassword},
    client::{CLIENTS_MAX, Client, ClientId, CreatedClient},
    email::Email,
    event::Event,
    id::{AccountId, SessionId},
    key::{KeyChanges, KeysView, StoredKey},
    opaque::SecretDigest,
    revocation::{Epoch, FeedHead, RevocationDraft},
    session::{Session, SessionView},
    store::{
        AccountRule, Committed, CreatedAccount, FeedPage, KeyRule, NewAccount, SessionRule, Store, StoreError,
        StoreFuture,
    },
    time::{Clock, UnixMillis},
};
use state::{State, refused};
use std::{
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

impl MemoryStore {
    /// An empty store whose feed begins at the default head.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::beginning_at(clock, FeedHead::default())
    }

    /// An empty store whose feed begins at `head`.
    pub fn beginning_at(clock: Arc<dyn Clock>, head: FeedHead) -> Self {
        Self { clock, state: Mutex::new(State::beginning_at(head)) }
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
            session.map_or(Ok(()), |session| state.insert_session(session))?;
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

    fn account_with_password(&self, id: AccountId) -> StoreFuture<'_, Option<AccountWithPassword>> {
        self.read(move |state| {
            let found = state.accounts.get(&id).cloned();
            found.map(|(account, password_hash)| AccountWithPassword { account, password_hash })
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

    fn session(&self, id: SessionId) -> StoreFuture<'_, Option<SessionView>> {
        self.read(move |state| state.session_view(id))
    }

    fn session_by_secret(&self, digest: SecretDigest) -> StoreFuture<'_, Option<SessionView>> {
        self.read(move |state| {
            let found = state.sessions.values().find(|session| session.secret == Some(digest));
            found.and_then(|session| state.session_view(session.id))
        })
    }

    fn update_session(&self, id: SessionId, mut rule: SessionRule) -> StoreFuture<'_, Committed> {
        let now = self.clock.now();
        self.write(move |state| {
            let view = state.session_view(id);
            state.apply(rule(view.as_ref(), now))
        })
    }

    fn update_account(&self, id: AccountId, mut rule: AccountRule) -> StoreFuture<'_, Committed> {
        let now = self.clock.now();
        self.write(move |state| {
            let view = state.account_view(id);
            state.apply(rule(view.as_ref(), now))
        })
    }

    fn sessions_of_account(&self, id: AccountId) -> StoreFuture<'_, Vec<Session>> {
        self.read(move |state| state.sessions_of(id))
    }

    fn sessions(&self, after: Option<SessionId>, limit: usize) -> StoreFuture<'_, Vec<SessionView>> {
        self.read(move |state| {
            let views = state.sessions.keys().filter(|id| Some(**id) > after).filter_map(|id| state.session_view(*id));
            views.filter(|view| view.session.revoked_at.is_none()).take(limit).collect()
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

    fn begin_epoch(&self, from: Epoch, drafts: Vec<RevocationDraft>, event: Event) -> StoreFuture<'_, Committed> {
        let now = self.clock.now();
        self.write(move |state| {
            if state.head.position.epoch != from {
                return Ok(Committed { entries: Vec::new(), feed: state.head });
            }
            state.head.position.epoch = from.next(now);
            state.insert_events(vec![event])?;
            Ok(state.append(drafts))
        })
    }

    fn create_client(&self, client: Client, event: Event) -> StoreFuture<'_, CreatedClient> {
        self.write(move |state| {
            if state.clients.contains_key(&client.id) {
                return Ok(CreatedClient::NameTaken);
            }
            if state.clients.len() >= CLIENTS_MAX {
                return Ok(CreatedClient::TooMany);
            }
            state.clients.insert(client.id.clone(), client);
            state.insert_events(vec![event])?;
            Ok(CreatedClient::Created)
        })
    }

    fn delete_client(&self, id: &ClientId, event: Event) -> StoreFuture<'_, bool> {
        let id = id.clone();
        self.write(move |state| {
            let was_there = state.clients.remove(&id).is_some();
            if was_there {
                state.insert_events(vec![event])?;
            }
            Ok(was_there)
        })
    }

    fn client(&self, id: &ClientId) -> StoreFuture<'_, Option<Client>> {
        let id = id.clone();
        self.read(move |state| state.clients.get(&id).cloned())
    }

    fn clients(&self) -> StoreFuture<'_, Vec<Client>> {
        self.read(|state| state.clients.values().cloned().collect())
    }

    fn keys(&self) -> StoreFuture<'_, Vec<StoredKey>> {
        self.read(State::keys_oldest_first)
    }

    fn update_keys(&self, mut rule: KeyRule) -> StoreFuture<'_, Committed> {
        let now = self.clock.now();
        self.write(move |state| {
            let keys = state.keys_oldest_first();
            let KeyChanges { keys, revocations, events } = rule(&KeysView { keys: &keys, feed: state.head }, now);
            state.keys.extend(keys.into_iter().map(|key| ((key.key_use.as_str(), key.kid.clone()), key)));
            state.insert_events(events)?;
            Ok(state.append(revocations))
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

    fn raise_session_cutoff(
        &self,
        cutoff: UnixMillis,
        drafts: Vec<RevocationDraft>,
        event: Event,
    ) -> StoreFuture<'_, Committed> {
        self.write(move |state| {
            state.session_cutoff = state.session_cutoff.max(Some(cutoff));
            state.insert_events(vec![event])?;
            Ok(state.append(drafts))
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
