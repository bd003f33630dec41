//! A store that counts the calls to the store behind it, and fails those that a test chooses.

use counterfoil_domain::{
    account::{Account, AccountWithPassword},
    client::{Client, ClientId, CreatedClient},
    email::Email,
    event::Event,
    id::{AccountId, SessionId},
    key::StoredKey,
    opaque::SecretDigest,
    revocation::{Epoch, RevocationDraft},
    session::{Session, SessionView},
    store::{
        AccountRule, Committed, CreatedAccount, FeedPage, KeyRule, NewAccount, SessionRule, Store, StoreError,
        StoreFuture,
    },
    time::UnixMillis,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// How a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// The store cannot be reached: nothing is done.
    Unreachable,
    /// Too many are waiting: nothing is done.
    Overloaded,
    /// The call is done, and the answer is lost.
    LostAnswer,
    /// The call waits until [`Probes::release`], and is done then.
    Hang,
}

/// What has been called, and what shall fail.
#[derive(Default)]
pub(crate) struct Probes {
    calls: Mutex<Vec<&'static str>>,
    armed: Mutex<Option<(usize, Fault)>>,
    feed_reads: AtomicUsize,
    released: Notify,
}

impl Probes {
    /// The calls since the last time this was asked, without those that the server makes by itself in the background.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// Makes the `nth` call from now on fail, counted from 1; the others do not.
    pub(crate) fn fail(&self, nth: usize, fault: Fault) {
        *self.armed.lock().unwrap() = Some((nth, fault));
    }

    /// Whether the chosen call has come.
    pub(crate) fn has_failed(&self) -> bool {
        self.armed.lock().unwrap().is_none()
    }

    /// Lets a hanging call go on.
    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    /// How often the feed has been read.
    pub(crate) fn feed_reads(&self) -> usize {
        self.feed_reads.load(Ordering::Relaxed)
    }

    fn note(&self, name: &'static str) -> Option<Fault> {
        if name == "feed_after" {
            self.feed_reads.fetch_add(1, Ordering::Relaxed);
        }
        // The server's own housekeeping, which no request waits for.
        if ["feed_after", "prune"].contains(&name) {
            return None;
        }
        self.calls.lock().unwrap().push(name);
        let mut armed = self.armed.lock().unwrap();
        match armed.as_mut() {
            Some((1, fault)) => {
                let fault = *fault;
                *armed = None;
                Some(fault)
            }
            Some((nth, _)) => {
                *nth -= 1;
                None
            }
            None => None,
        }
    }
}

pub(crate) struct ProbedStore {
    inner: Arc<dyn Store>,
    probes: Arc<Probes>,
}

impl ProbedStore {
    pub(crate) fn new(inner: Arc<dyn Store>, probes: Arc<Probes>) -> Self {
        Self { inner, probes }
    }

    fn probe<'a, T: Send + 'a>(
        &'a self,
        name: &'static str,
        call: impl FnOnce(&'a dyn Store) -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            match self.probes.note(name) {
                None => call(&*self.inner).await,
                Some(Fault::Unreachable) => Err(StoreError::Unavailable("unreachable, for the test".into())),
                Some(Fault::Overloaded) => Err(StoreError::Overloaded),
                Some(Fault::LostAnswer) => {
                    call(&*self.inner).await?;
                    Err(StoreError::Indeterminate("the answer was lost, for the test".into()))
                }
                Some(Fault::Hang) => {
                    self.probes.released.notified().await;
                    call(&*self.inner).await
                }
            }
        })
    }
}

impl Store for ProbedStore {
    fn create_account(&self, new: NewAccount) -> StoreFuture<'_, CreatedAccount> {
        self.probe("create_account", |store| store.create_account(new))
    }

    fn account_by_email(&self, email: &Email) -> StoreFuture<'_, Option<AccountWithPassword>> {
        let email = email.clone();
        self.probe("account_by_email", move |store| Box::pin(async move { store.account_by_email(&email).await }))
    }

    fn account_with_password(&self, id: AccountId) -> StoreFuture<'_, Option<AccountWithPassword>> {
        self.probe("account_with_password", move |store| store.account_with_password(id))
    }

    fn session(&self, id: SessionId) -> StoreFuture<'_, Option<SessionView>> {
        self.probe("session", move |store| store.session(id))
    }

    fn session_by_secret(&self, digest: SecretDigest) -> StoreFuture<'_, Option<SessionView>> {
        self.probe("session_by_secret", move |store| store.session_by_secret(digest))
    }

    fn raise_session_cutoff(
        &self,
        cutoff: UnixMillis,
        drafts: Vec<RevocationDraft>,
        event: Event,
    ) -> StoreFuture<'_, Committed> {
        self.probe("raise_session_cutoff", move |store| store.raise_session_cutoff(cutoff, drafts, event))
    }

    fn account(&self, id: AccountId) -> StoreFuture<'_, Option<Account>> {
        self.probe("account", move |store| store.account(id))
    }

    fn accounts(&self, after: Option<AccountId>, limit: usize) -> StoreFuture<'_, Vec<Account>> {
        self.probe("accounts", move |store| store.accounts(after, limit))
    }

    fn update_session(&self, id: SessionId, rule: SessionRule) -> StoreFuture<'_, Committed> {
        self.probe("update_session", move |store| store.update_session(id, rule))
    }

    fn update_account(&self, id: AccountId, rule: AccountRule) -> StoreFuture<'_, Committed> {
        self.probe("update_account", move |store| store.update_account(id, rule))
    }

    fn sessions_of_account(&self, id: AccountId) -> StoreFuture<'_, Vec<Session>> {
        self.probe("sessions_of_account", move |store| store.sessions_of_account(id))
    }

    fn sessions(&self, after: Option<SessionId>, limit: usize) -> StoreFuture<'_, Vec<SessionView>> {
        self.probe("sessions", move |store| store.sessions(after, limit))
    }

    fn events_of_account(&self, id: AccountId, limit: usize) -> StoreFuture<'_, Vec<Event>> {
        self.probe("events_of_account", move |store| store.events_of_account(id, limit))
    }

    fn feed_after(&self, seq: i64, limit: usize) -> StoreFuture<'_, FeedPage> {
        self.probe("feed_after", move |store| store.feed_after(seq, limit))
    }

    fn begin_epoch(&self, from: Epoch, drafts: Vec<RevocationDraft>, event: Event) -> StoreFuture<'_, Committed> {
        self.probe("begin_epoch", move |store| store.begin_epoch(from, drafts, event))
    }

    fn create_client(&self, client: Client, event: Event) -> StoreFuture<'_, CreatedClient> {
        self.probe("create_client", move |store| store.create_client(client, event))
    }

    fn delete_client(&self, id: &ClientId, event: Event) -> StoreFuture<'_, bool> {
        let id = id.clone();
        self.probe("delete_client", move |store| Box::pin(async move { store.delete_client(&id, event).await }))
    }

    fn client(&self, id: &ClientId) -> StoreFuture<'_, Option<Client>> {
        let id = id.clone();
        self.probe("client", move |store| Box::pin(async move { store.client(&id).await }))
    }

    fn clients(&self) -> StoreFuture<'_, Vec<Client>> {
        self.probe("clients", |store| store.clients())
    }

    fn keys(&self) -> StoreFuture<'_, Vec<StoredKey>> {
        self.probe("keys", |store| store.keys())
    }

    fn update_keys(&self, rule: KeyRule) -> StoreFuture<'_, Committed> {
        self.probe("update_keys", |store| store.update_keys(rule))
    }

    fn prune(&self, now: UnixMillis, sessions_before: UnixMillis, events_before: UnixMillis) -> StoreFuture<'_, usize> {
        self.probe("prune", move |store| store.prune(now, sessions_before, events_before))
    }

    fn raise_longest_token_lifetime(&self, lifetime: Duration) -> StoreFuture<'_, Duration> {
        self.probe("raise_longest_token_lifetime", move |store| store.raise_longest_token_lifetime(lifetime))
    }

    fn check(&self) -> StoreFuture<'_, ()> {
        self.probe("check", |store| store.check())
    }
}
