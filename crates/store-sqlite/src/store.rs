//! The store itself: each call of the trait, handed to the thread that does it.

use crate::{
    accounts, changes, clients, events, feed, heartbeat, keys, lifetime, prune,
    readers::Readers,
    sessions,
    statistics::{Counters, SqliteStatistics},
    writer::Writer,
};
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
    store::{AccountRule, Committed, CreatedAccount, FeedPage, KeyRule, NewAccount, SessionRule, Store, StoreFuture},
    time::{Clock, UnixMillis},
};
use std::{sync::Arc, time::Duration};

/// A store in one SQLite file; [`SqliteStore::open`] makes one.
///
/// Dropping it answers the calls that are already queued and closes the file, and blocks meanwhile.
pub struct SqliteStore {
    // In this order: the writer closes the file last.
    pub(crate) readers: Readers,
    pub(crate) writer: Writer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
}

impl SqliteStore {
    /// What the writer has done since the store was opened.
    pub fn statistics(&self) -> SqliteStatistics {
        self.counters.read()
    }
}

impl Store for SqliteStore {
    fn create_account(&self, new: NewAccount) -> StoreFuture<'_, CreatedAccount> {
        Box::pin(self.writer.write(move |work| accounts::create(work, &new)))
    }

    fn account_by_email(&self, email: &Email) -> StoreFuture<'_, Option<AccountWithPassword>> {
        let email = email.clone();
        Box::pin(self.readers.read(move |connection| accounts::by_email(connection, &email)))
    }

    fn account_with_password(&self, id: AccountId) -> StoreFuture<'_, Option<AccountWithPassword>> {
        Box::pin(self.readers.read(move |connection| accounts::with_password(connection, id)))
    }

    fn account(&self, id: AccountId) -> StoreFuture<'_, Option<Account>> {
        Box::pin(self.readers.read(move |connection| accounts::by_id(connection, id)))
    }

    fn accounts(&self, after: Option<AccountId>, limit: usize) -> StoreFuture<'_, Vec<Account>> {
        Box::pin(self.readers.read(move |connection| accounts::page(connection, after, limit)))
    }

    fn session(&self, id: SessionId) -> StoreFuture<'_, Option<SessionView>> {
        Box::pin(self.readers.read(move |connection| sessions::view(connection, id)))
    }

    fn session_by_secret(&self, digest: SecretDigest) -> StoreFuture<'_, Option<SessionView>> {
        Box::pin(self.readers.read(move |connection| sessions::view_by_secret(connection, digest)))
    }

    fn update_session(&self, id: SessionId, mut rule: SessionRule) -> StoreFuture<'_, Committed> {
        let clock = Arc::clone(&self.clock);
        Box::pin(self.writer.write(move |work| changes::update_session(work, &*clock, id, &mut rule)))
    }

    fn update_account(&self, id: AccountId, mut rule: AccountRule) -> StoreFuture<'_, Committed> {
        let clock = Arc::clone(&self.clock);
        Box::pin(self.writer.write(move |work| changes::update_account(work, &*clock, id, &mut rule)))
    }

    fn sessions_of_account(&self, id: AccountId) -> StoreFuture<'_, Vec<Session>> {
        Box::pin(self.readers.read(move |connection| sessions::of_account(connection, id)))
    }

    fn sessions(&self, after: Option<SessionId>, limit: usize) -> StoreFuture<'_, Vec<SessionView>> {
        Box::pin(self.readers.read(move |connection| sessions::page(connection, after, limit)))
    }

    fn events_of_account(&self, id: AccountId, limit: usize) -> StoreFuture<'_, Vec<Event>> {
        Box::pin(self.readers.read(move |connection| events::of_account(connection, id, limit)))
    }

    fn feed_after(&self, seq: i64, limit: usize) -> StoreFuture<'_, FeedPage> {
        Box::pin(self.readers.read(move |connection| feed::after(&*connection.transaction()?, seq, limit)))
    }

    fn begin_epoch(&self, from: Epoch, drafts: Vec<RevocationDraft>, event: Event) -> StoreFuture<'_, Committed> {
        let clock = Arc::clone(&self.clock);
        Box::pin(self.writer.write(move |work| changes::begin_epoch(work, &*clock, from, drafts, &event)))
    }

    fn create_client(&self, client: Client, event: Event) -> StoreFuture<'_, CreatedClient> {
        Box::pin(self.writer.write(move |work| clients::create(work, &client, &event)))
    }

    fn delete_client(&self, id: &ClientId, event: Event) -> StoreFuture<'_, bool> {
        let id = id.clone();
        Box::pin(self.writer.write(move |work| clients::delete(work, &id, &event)))
    }

    fn client(&self, id: &ClientId) -> StoreFuture<'_, Option<Client>> {
        let id = id.clone();
        Box::pin(self.readers.read(move |connection| clients::by_id(connection, &id)))
    }

    fn clients(&self) -> StoreFuture<'_, Vec<Client>> {
        Box::pin(self.readers.read(|connection| clients::all(connection)))
    }

    fn keys(&self) -> StoreFuture<'_, Vec<StoredKey>> {
        Box::pin(self.readers.read(|connection| keys::all(connection)))
    }

    fn update_keys(&self, mut rule: KeyRule) -> StoreFuture<'_, Committed> {
        let clock = Arc::clone(&self.clock);
        Box::pin(self.writer.write(move |work| changes::update_keys(work, &*clock, &mut rule)))
    }

    fn prune(&self, now: UnixMillis, sessions_before: UnixMillis, events_before: UnixMillis) -> StoreFuture<'_, usize> {
        Box::pin(self.writer.write(move |work| prune::prune(work, now, sessions_before, events_before)))
    }

    fn raise_session_cutoff(
        &self,
        cutoff: UnixMillis,
        drafts: Vec<RevocationDraft>,
        event: Event,
    ) -> StoreFuture<'_, Committed> {
        Box::pin(self.writer.write(move |work| changes::raise_session_cutoff(work, cutoff, drafts, &event)))
    }

    fn raise_longest_token_lifetime(&self, lifetime: Duration) -> StoreFuture<'_, Duration> {
        Box::pin(self.writer.write(move |work| lifetime::raise(&work.connection, lifetime)))
    }

    /// Writes one small row and reads it back through a reader.
    fn check(&self) -> StoreFuture<'_, ()> {
        let now = self.clock.now();
        Box::pin(async move {
            self.writer.write(move |work| heartbeat::write(&work.connection, now)).await?;
            self.readers.read(|connection| heartbeat::read(connection)).await
        })
    }
}
