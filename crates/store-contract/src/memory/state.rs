//! What the model holds, and how a rule's changes change it.

use counterfoil_domain::{
    account::{Account, PasswordHash},
    client::{Client, ClientId},
    email::Email,
    event::Event,
    id::{AccountId, EventId, SessionId},
    key::StoredKey,
    revocation::{FeedEntry, FeedHead, RevocationDraft},
    session::{AccountView, Changes, Session, SessionView},
    store::{Committed, StoreError},
    time::UnixMillis,
};
use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) accounts: BTreeMap<AccountId, (Account, Option<PasswordHash>)>,
    /// As they were written. They are shown by [`State::shown`].
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) session_cutoff: Option<UnixMillis>,
    pub(super) events: BTreeMap<(AccountId, UnixMillis, EventId), Event>,
    pub(super) feed: BTreeMap<i64, FeedEntry>,
    pub(super) head: FeedHead,
    pub(super) clients: BTreeMap<ClientId, Client>,
    pub(super) keys: BTreeMap<(&'static str, String), StoredKey>,
    pub(super) longest_token_lifetime: Duration,
}

pub(super) fn refused(reason: &str) -> StoreError {
    StoreError::Unavailable(reason.into())
}

impl State {
    pub(super) fn beginning_at(head: FeedHead) -> Self {
        Self { head, ..Self::default() }
    }

    pub(super) fn email_is_taken(&self, email: &Email, by_another_than: AccountId) -> bool {
        let canonical = email.canonical();
        self.accounts.values().any(|(other, _)| other.id != by_another_than && other.email.canonical() == canonical)
    }

    pub(super) fn insert_session(&mut self, session: Session) -> Result<(), StoreError> {
        if self.sessions.contains_key(&session.id) {
            return Err(refused("a session with this id exists"));
        }
        self.put_session(session)
    }

    fn put_session(&mut self, session: Session) -> Result<(), StoreError> {
        if !self.accounts.contains_key(&session.account) {
            return Err(refused("a session was given to an account that does not exist"));
        }
        let has_its_secret = |other: &Session| other.secret == session.secret && other.id != session.id;
        if session.secret.is_some() && self.sessions.values().any(has_its_secret) {
            return Err(refused("another session has this secret"));
        }
        self.sessions.insert(session.id, session);
        Ok(())
    }

    pub(super) fn insert_events(&mut self, events: Vec<Event>) -> Result<(), StoreError> {
        for event in events {
            if self.events.insert((event.account, event.at, event.id), event).is_some() {
                return Err(refused("an event with this id exists"));
            }
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, changes: Changes) -> Result<Committed, StoreError> {
        for session in changes.new_sessions {
            self.insert_session(session)?;
        }
        for session in changes.sessions {
            if !self.sessions.contains_key(&session.id) {
                return Err(refused("a rule wrote over a session that does not exist"));
            }
            self.put_session(session)?;
        }
        match changes.account {
            Some(account) => self.update_account(account, changes.password_hash)?,
            None if changes.password_hash.is_some() => return Err(refused("a rule gave a password to no account")),
            None => {}
        }
        if let Some(id) = changes.deleted_account {
            self.sessions.retain(|_, session| session.account != id);
            self.accounts.remove(&id).ok_or_else(|| refused("a rule deleted an account that does not exist"))?;
        }
        self.insert_events(changes.events)?;
        Ok(self.append(changes.revocations))
    }

    fn update_account(&mut self, account: Account, password_hash: Option<PasswordHash>) -> Result<(), StoreError> {
        let is_taken = self.email_is_taken(&account.email, account.id);
        let row = self.accounts.get_mut(&account.id);
        let row = row.ok_or_else(|| refused("a rule wrote over an account that does not exist"))?;
        if is_taken {
            return Err(StoreError::EmailTaken);
        }
        let password_hash = password_hash.or_else(|| row.1.take());
        *row = (account, password_hash);
        Ok(())
    }

    pub(super) fn append(&mut self, drafts: Vec<RevocationDraft>) -> Committed {
        let mut entries = Vec::new();
        for draft in drafts {
            let entry = FeedEntry::seal(&self.head, draft);
            self.head = entry.head;
            self.feed.insert(entry.head.position.seq, entry.clone());
            entries.push(entry);
        }
        Committed { entries, feed: self.head }
    }

    /// A session as everybody sees it: ended, if the cutoff ends it.
    fn shown(&self, session: &Session) -> Session {
        let by_cutoff = self.session_cutoff.filter(|cutoff| session.created_at <= *cutoff);
        Session { revoked_at: session.revoked_at.or(by_cutoff), ..session.clone() }
    }

    pub(super) fn keys_oldest_first(&self) -> Vec<StoredKey> {
        let mut keys: Vec<_> = self.keys.values().cloned().collect();
        // Stable: keys of one instant stay in the order of use and id.
        keys.sort_by_key(|key| key.created_at);
        keys
    }

    pub(super) fn session_view(&self, id: SessionId) -> Option<SessionView> {
        let session = self.shown(self.sessions.get(&id)?);
        Some(SessionView { account: self.accounts[&session.account].0.clone(), session })
    }

    pub(super) fn account_view(&self, id: AccountId) -> Option<AccountView> {
        let (account, _) = self.accounts.get(&id)?;
        Some(AccountView { account: account.clone(), sessions: self.sessions_of(id) })
    }

    pub(super) fn sessions_of(&self, account: AccountId) -> Vec<Session> {
        let of_account = self.sessions.values().filter(|session| session.account == account);
        let shown = of_account.map(|session| self.shown(session));
        let mut sessions: Vec<_> = shown.filter(|session| session.revoked_at.is_none()).collect();
        sessions.sort_by_key(|session| Reverse((session.created_at, session.id)));
        sessions
    }
}
