//! What the rules need from a store, in their own words.
//!
//! A store keeps rows and runs rules; it decides nothing. Whatever must not interleave is one call: the store opens its
//! atomic step, shows the rule what it holds, writes the [`Changes`] that the rule returns, gives the feed entries their
//! places, and commits. So no store repeats a rule in SQL or in a script, and `counterfoil-store-contract` can compare
//! every store with a model in memory.

use crate::{
    account::{Account, AccountWithPassword, PasswordHash},
    client::{Client, ClientId, CreatedClient},
    email::Email,
    event::Event,
    id::{AccountId, SessionId},
    key::{KeyChanges, KeyRuling, KeysView, StoredKey},
    opaque::SecretDigest,
    revocation::{Epoch, FeedEntry, FeedHead, RevocationDraft},
    session::{AccountView, Changes, Ruling, Session, SessionView},
    time::UnixMillis,
};
use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Why a store did not do what was asked. But for [`EmailTaken`](Self::EmailTaken) none of these says anything about what
/// was asked: outside, each is 503 with `Retry-After`, never "not signed in" (architecture, invariant 6).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store could not be reached, or refused to work: nothing was changed.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Too many calls are waiting: nothing was changed.
    #[error("the store has too many calls waiting")]
    Overloaded,
    /// A write failed so late that it may have happened. Every rule is safe to run again.
    #[error("the outcome of a write is unknown: {0}")]
    Indeterminate(#[source] Box<dyn Error + Send + Sync>),
    /// The change was refused because another account has the address; nothing was changed. The one refusal that says
    /// something about what was asked: only the store can see it without a race.
    #[error("another account has this address")]
    EmailTaken,
    /// The store holds something this version cannot read.
    #[error("the store holds something that cannot be read: {0}")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
}

/// What a call to a store gives: boxed, so that a store is chosen when the server starts.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A rule about one session, as a store runs it. It may be run more than once for one call (a store may retry a
/// conflicting transaction); only the changes of the last run are committed. The instant is the store's own now.
pub type SessionRule = Box<dyn FnMut(Option<&SessionView>, UnixMillis) -> Changes + Send>;

/// A rule about an account and its sessions, as a store runs it.
pub type AccountRule = Box<dyn FnMut(Option<&AccountView>, UnixMillis) -> Changes + Send>;

/// A rule about the keys, as a store runs it: over all of them, with where the feed stands.
pub type KeyRule = Box<dyn FnMut(&KeysView<'_>, UnixMillis) -> KeyChanges + Send>;

/// What a committed call left in the feed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// The entries this call wrote, in their places.
    pub entries: Vec<FeedEntry>,
    /// Where the feed stood when the call was committed.
    pub feed: FeedHead,
}

/// A part of the feed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FeedPage {
    /// Entries after the place asked for, oldest first, as many as the limit allowed.
    pub entries: Vec<FeedEntry>,
    /// The newest place of the feed, read in the same snapshot.
    pub head: FeedHead,
}

/// An account to be made, with what is made along with it.
pub struct NewAccount {
    /// The account.
    pub account: Account,
    /// The hash of its password, if it has one.
    pub password_hash: Option<PasswordHash>,
    /// The session to open at once, if one was asked for.
    pub session: Option<Session>,
    /// Lines for the audit log.
    pub events: Vec<Event>,
}

/// Whether an account was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreatedAccount {
    /// It was.
    Created,
    /// Another account has the address (compared by [`Email::canonical`]).
    EmailTaken,
}

/// What the rules need from a store. Every call is one atomic step; none waits without bound.
pub trait Store: Send + Sync {
    /// Stores a new account and what comes with it.
    fn create_account(&self, new: NewAccount) -> StoreFuture<'_, CreatedAccount>;

    /// The account with this address, for sign-in.
    fn account_by_email(&self, email: &Email) -> StoreFuture<'_, Option<AccountWithPassword>>;

    /// The account with this id and what it signs in with, for where a signed-in person proves anew who they are.
    fn account_with_password(&self, id: AccountId) -> StoreFuture<'_, Option<AccountWithPassword>>;

    /// The account with this id.
    fn account(&self, id: AccountId) -> StoreFuture<'_, Option<Account>>;

    /// Up to `limit` accounts in the order of their ids, after `after`.
    fn accounts(&self, after: Option<AccountId>, limit: usize) -> StoreFuture<'_, Vec<Account>>;

    /// The session with this id and its account, read where it costs least.
    fn session(&self, id: SessionId) -> StoreFuture<'_, Option<SessionView>>;

    /// The session whose opaque secret has this digest, with its account.
    fn session_by_secret(&self, digest: SecretDigest) -> StoreFuture<'_, Option<SessionView>>;

    /// Runs a rule about one session. Prefer `decide_session` of `dyn Store`, which gives the outcome.
    fn update_session(&self, id: SessionId, rule: SessionRule) -> StoreFuture<'_, Committed>;

    /// Runs a rule about an account and its sessions. Prefer `decide_account` of `dyn Store`, which gives the outcome.
    fn update_account(&self, id: AccountId, rule: AccountRule) -> StoreFuture<'_, Committed>;

    /// The sessions of an account that nobody has ended, newest first; some may be past their limits.
    fn sessions_of_account(&self, id: AccountId) -> StoreFuture<'_, Vec<Session>>;

    /// Up to `limit` sessions that nobody has ended, in the order of their ids, after `after`.
    fn sessions(&self, after: Option<SessionId>, limit: usize) -> StoreFuture<'_, Vec<SessionView>>;

    /// Up to `limit` audit lines of an account, newest first.
    fn events_of_account(&self, id: AccountId, limit: usize) -> StoreFuture<'_, Vec<Event>>;

    /// Up to `limit` entries of the feed after `seq`, and its head.
    fn feed_after(&self, seq: i64, limit: usize) -> StoreFuture<'_, FeedPage>;

    /// Begins a new life of the feed, and gives the drafts their places in it, unless the feed is in another life than
    /// `from` already; then nothing is done. The new epoch is that of [`Epoch::next`] at the store's own now.
    fn begin_epoch(&self, from: Epoch, drafts: Vec<RevocationDraft>, event: Event) -> StoreFuture<'_, Committed>;

    /// Keeps a new client and the line that tells of it, unless its name is taken or there are
    /// [`CLIENTS_MAX`](crate::client::CLIENTS_MAX) already.
    fn create_client(&self, client: Client, event: Event) -> StoreFuture<'_, CreatedClient>;

    /// Forgets a client and keeps the line that tells of it; whether there was one. Where there was none, nothing is kept.
    fn delete_client(&self, id: &ClientId, event: Event) -> StoreFuture<'_, bool>;

    /// The client of this name.
    fn client(&self, id: &ClientId) -> StoreFuture<'_, Option<Client>>;

    /// Every client, in the order of their names.
    fn clients(&self) -> StoreFuture<'_, Vec<Client>>;

    /// Every key, oldest first.
    fn keys(&self) -> StoreFuture<'_, Vec<StoredKey>>;

    /// Runs a rule about the keys. Prefer `decide_keys` of `dyn Store`, which gives the outcome.
    fn update_keys(&self, rule: KeyRule) -> StoreFuture<'_, Committed>;

    /// Forgets sessions whose absolute limit passed before `sessions_before`, audit lines from before `events_before`,
    /// and feed entries past their `drop_at` at `now`; at most a few thousand rows a call. The number forgotten.
    fn prune(&self, now: UnixMillis, sessions_before: UnixMillis, events_before: UnixMillis) -> StoreFuture<'_, usize>;

    /// Ends every session of every account at once, whatever their number: from now on each that was created at or before
    /// `cutoff` is read as revoked then (if it was not before), and so are the ones that are added with such a time. The
    /// cutoff only rises. The drafts get their places in the feed and the event is kept, in the same step.
    fn raise_session_cutoff(
        &self,
        cutoff: UnixMillis,
        drafts: Vec<RevocationDraft>,
        event: Event,
    ) -> StoreFuture<'_, Committed>;

    /// Remembers the longest life that access tokens were ever given, and gives it: `lifetime` or a longer one from before.
    ///
    /// Revocations are kept as long as a token can live that was minted under *any* configuration; else a sign-out would
    /// come undone when somebody shortens the lifetime, or revokes from a command with another configuration.
    fn raise_longest_token_lifetime(&self, lifetime: Duration) -> StoreFuture<'_, Duration>;

    /// Whether the store can read and write right now.
    fn check(&self) -> StoreFuture<'_, ()>;
}

impl dyn Store {
    /// Runs `rule` about one session atomically, commits what it wants changed, and gives its outcome.
    ///
    /// # Errors
    /// [`StoreError`]; the outcome is only given for what was committed.
    pub async fn decide_session<T: Send + 'static>(
        &self,
        id: SessionId,
        mut rule: impl FnMut(Option<&SessionView>, UnixMillis) -> Ruling<T> + Send + 'static,
    ) -> Result<(T, Committed), StoreError> {
        let outcome = Outcome::default();
        let report = outcome.clone();
        let rule: SessionRule = Box::new(move |view, now| report.keep_of(rule(view, now)));
        let committed = self.update_session(id, rule).await?;
        Ok((outcome.take()?, committed))
    }

    /// Runs `rule` about an account and its sessions atomically, commits what it wants changed, and gives its outcome.
    ///
    /// # Errors
    /// [`StoreError`]; the outcome is only given for what was committed.
    pub async fn decide_account<T: Send + 'static>(
        &self,
        id: AccountId,
        mut rule: impl FnMut(Option<&AccountView>, UnixMillis) -> Ruling<T> + Send + 'static,
    ) -> Result<(T, Committed), StoreError> {
        let outcome = Outcome::default();
        let report = outcome.clone();
        let rule: AccountRule = Box::new(move |view, now| report.keep_of(rule(view, now)));
        let committed = self.update_account(id, rule).await?;
        Ok((outcome.take()?, committed))
    }

    /// Runs `rule` about the keys atomically, commits what it wants changed, and gives its outcome.
    ///
    /// # Errors
    /// [`StoreError`]; the outcome is only given for what was committed.
    pub async fn decide_keys<T: Send + 'static>(
        &self,
        mut rule: impl FnMut(&KeysView<'_>, UnixMillis) -> KeyRuling<T> + Send + 'static,
    ) -> Result<(T, Committed), StoreError> {
        let outcome = Outcome::default();
        let report = outcome.clone();
        let rule: KeyRule = Box::new(move |view, now| {
            let KeyRuling { changes, outcome } = rule(view, now);
            report.keep(outcome);
            changes
        });
        let committed = self.update_keys(rule).await?;
        Ok((outcome.take()?, committed))
    }
}

/// Carries the outcome of a rule out of the store's atomic step; the last run's wins.
struct Outcome<T>(Arc<Mutex<Option<T>>>);

impl<T> Default for Outcome<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }
}

impl<T> Clone for Outcome<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Outcome<T> {
    fn keep(&self, outcome: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    fn keep_of(&self, ruling: Ruling<T>) -> Changes {
        self.keep(ruling.outcome);
        ruling.changes
    }

    fn take(&self) -> Result<T, StoreError> {
        let outcome = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome.ok_or_else(|| StoreError::Indeterminate("the store reported success without running the rule".into()))
    }
}
