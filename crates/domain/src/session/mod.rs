//! Sessions: one signed-in browser or device, from sign-in to its end.
//!
//! A session lives until the first of: its idle limit (pushed on by every refresh), its absolute limit (never moved),
//! a sign-out, a found theft, or its account being disabled or all of its sessions being ended. Each rule here is a
//! pure function that looks at what the store holds and returns a [`Ruling`]: what to write, and what came of it.

mod end;
mod open;
mod refresh;

pub use end::{EndOne, EndedOne, end_every, end_one};
pub use open::{OpenSession, OpenTerms, open, open_another};
pub use refresh::{DeadReason, REFRESH_DEADLINE, RefreshOutcome, RefreshRequest, RefreshTerms, refresh};

use crate::{
    account::{Account, AccountGeneration},
    event::Event,
    id::{AccountId, SessionId},
    policy::SessionPolicy,
    revocation::RevocationDraft,
    rotation::Rotation,
    scope::ScopeSet,
    time::UnixMillis,
};
use std::net::IpAddr;

/// What is known of the device behind a session, so that a person recognises it in the list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Device {
    /// The name given at sign-in.
    pub name: Option<String>,
    /// The `User-Agent` header at sign-in, cut to [`USER_AGENT_BYTES_MAX`].
    pub user_agent: Option<String>,
    /// Where the session was last seen from.
    pub ip: Option<IpAddr>,
}

/// The longest part of a `User-Agent` header that is kept.
pub const USER_AGENT_BYTES_MAX: usize = 512;

/// One session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// The session's id, the `sid` of its tokens.
    pub id: SessionId,
    /// Whose session it is.
    pub account: AccountId,
    /// The account's generation when the session was opened, or lifted to since.
    pub account_generation: AccountGeneration,
    /// How the client carries it.
    pub policy: SessionPolicy,
    /// The OAuth client it was opened for; its refresh tokens are bound to it (RFC 6749 §6).
    pub client_id: String,
    /// What was granted at sign-in. A refresh may narrow one access token, never widen it.
    pub scope: ScopeSet,
    /// Where its refresh tokens stand.
    pub rotation: Rotation,
    /// What is known of the device.
    pub device: Device,
    /// When the person last proved who they are (`auth_time`); unchanged by refresh (RFC 9068 §2.2.1).
    pub authenticated_at: UnixMillis,
    /// When it was opened.
    pub created_at: UnixMillis,
    /// When it was last refreshed.
    pub last_seen_at: UnixMillis,
    /// It ends when not refreshed until then.
    pub idle_until: UnixMillis,
    /// It ends then in any case.
    pub absolute_until: UnixMillis,
    /// Set when it was ended.
    pub revoked_at: Option<UnixMillis>,
}

impl Session {
    /// Why the session is over, or `None` while it lives.
    pub fn dead_reason(&self, account: &Account, now: UnixMillis) -> Option<DeadReason> {
        if self.revoked_at.is_some() || self.account_generation < account.generation {
            Some(DeadReason::Revoked)
        } else if account.disabled_at.is_some() {
            Some(DeadReason::AccountDisabled)
        } else if now >= self.absolute_until || now >= self.idle_until {
            Some(DeadReason::Expired)
        } else {
            None
        }
    }

    /// When the session's refresh token is of no more use if it is not used again.
    pub fn ends_at(&self) -> UnixMillis {
        self.idle_until.min(self.absolute_until)
    }
}

/// A session with its account: what the rules about one session look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub account: Account,
}

/// An account with its sessions: what the rules about all of them look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountView {
    /// The account.
    pub account: Account,
    /// Its sessions that nobody has ended; some may be past their limits.
    pub sessions: Vec<Session>,
}

/// What a rule wants written, all of it in one transaction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Session rows to add.
    pub new_sessions: Vec<Session>,
    /// Session rows to write over.
    pub sessions: Vec<Session>,
    /// The account row to write over.
    pub account: Option<Account>,
    /// Entries for the revocation feed.
    pub revocations: Vec<RevocationDraft>,
    /// Lines for the audit log.
    pub events: Vec<Event>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.new_sessions.is_empty()
            && self.sessions.is_empty()
            && self.account.is_none()
            && self.revocations.is_empty()
            && self.events.is_empty()
    }
}

/// What a rule decided: the changes to commit, and the outcome to report once they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ruling<T> {
    /// To be written in one transaction.
    pub changes: Changes,
    /// What came of it.
    pub outcome: T,
}

impl<T> Ruling<T> {
    /// A ruling that changes nothing.
    pub fn unchanged(outcome: T) -> Self {
        Self { changes: Changes::default(), outcome }
    }
}
