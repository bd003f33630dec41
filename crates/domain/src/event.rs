//! The audit log: what happened to accounts and sessions, kept in the store in the same transaction as the change.
//!
//! Refused attempts (a wrong password) are not here but in the server's log: a store write for each would let anybody
//! fill the disk.

use crate::{
    entropy::Entropy,
    id::{AccountId, EventId, SessionId},
    time::UnixMillis,
};
use std::net::IpAddr;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EventKind {
    /// An account was made.
    AccountCreated,
    /// A session was opened with a password.
    SignedIn,
    /// One session was ended by its person, a client or an operator.
    SignedOut,
    /// Every session of the account was ended at once.
    SignedOutEverywhere,
    /// Every session but one was ended at once.
    SignedOutElsewhere,
    /// A session was ended to make room for another: the account has as many as it may.
    SessionDisplaced,
    /// A session was ended because the same browser signed in anew.
    SessionReplaced,
    /// The opaque id of a session was replaced by a new one: its person proved anew who they are.
    SessionIdRenewed,
    /// A spent refresh token came back: the session was ended (RFC 9700 §4.14.2).
    RefreshTokenReused,
    /// A refresh token was presented a second time, from another network than before: worth a look.
    RefreshRetriedElsewhere,
    /// A personal token was made.
    PersonalTokenCreated,
    /// A personal token was ended.
    PersonalTokenDeleted,
    /// The password was changed, by its person or the operator.
    PasswordChanged,
    /// The address was changed.
    EmailChanged,
    /// The operator changed the account's roles.
    RolesChanged,
    /// The operator lets the account sign in no more.
    AccountDisabled,
    /// The operator lets the account sign in again.
    AccountEnabled,
    /// The account was deleted.
    AccountDeleted,
    /// Every session of every account was ended at once.
    EverybodySignedOut,
    /// Whoever signed out waited for the verifiers; the detail says how many had heard of it.
    SignOutConfirmed,
    /// As above, and not all of them had.
    SignOutUnconfirmed,
    /// A client was made.
    ClientCreated,
    /// A client was deleted.
    ClientDeleted,
    /// The store turned out to be older than what verifiers had read of it: a new life of it was begun.
    StoreRewound,
    /// A signing key was published that signs later.
    KeyAnnounced,
    /// A signing key began to sign.
    KeyActivated,
    /// The last token of a signing key has ended, or the key was not needed.
    KeyRetired,
    /// The signing keys were given up because one had leaked.
    KeyCompromised,
}

impl EventKind {
    /// Every kind there is.
    pub const ALL: [Self; 28] = [
        Self::AccountCreated,
        Self::SignedIn,
        Self::SignedOut,
        Self::SignedOutEverywhere,
        Self::SignedOutElsewhere,
        Self::SessionDisplaced,
        Self::SessionReplaced,
        Self::SessionIdRenewed,
        Self::RefreshTokenReused,
        Self::RefreshRetriedElsewhere,
        Self::PersonalTokenCreated,
        Self::PersonalTokenDeleted,
        Self::PasswordChanged,
        Self::EmailChanged,
        Self::RolesChanged,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::AccountDeleted,
        Self::EverybodySignedOut,
        Self::SignOutConfirmed,
        Self::SignOutUnconfirmed,
        Self::ClientCreated,
        Self::ClientDeleted,
        Self::StoreRewound,
        Self::KeyAnnounced,
        Self::KeyActivated,
        Self::KeyRetired,
        Self::KeyCompromised,
    ];

    /// The word used in stores and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account_created",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::SignedOutElsewhere => "signed_out_elsewhere",
            Self::SessionDisplaced => "session_displaced",
            Self::SessionReplaced => "session_replaced",
            Self::SessionIdRenewed => "session_id_renewed",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::RefreshRetriedElsewhere => "refresh_retried_elsewhere",
            Self::PersonalTokenCreated => "personal_token_created",
            Self::PersonalTokenDeleted => "personal_token_deleted",
            Self::PasswordChanged => "password_changed",
            Self::EmailChanged => "email_changed",
            Self::RolesChanged => "roles_changed",
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::AccountDeleted => "account_deleted",
            Self::EverybodySignedOut => "everybody_signed_out",
            Self::SignOutConfirmed => "sign_out_confirmed",
            Self::SignOutUnconfirmed => "sign_out_unconfirmed",
            Self::ClientCreated => "client_created",
            Self::ClientDeleted => "client_deleted",
            Self::StoreRewound => "store_rewound",
            Self::KeyAnnounced => "key_announced",
            Self::KeyActivated => "key_activated",
            Self::KeyRetired => "key_retired",
            Self::KeyCompromised => "key_compromised",
        }
    }

    /// The kind that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One line of the audit log. It never holds a secret or a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The line's own id.
    pub id: EventId,
    /// When it happened.
    pub at: UnixMillis,
    /// What happened.
    pub kind: EventKind,
    /// Whose account it was.
    pub account: AccountId,
    /// Which session it was, where it was one.
    pub session: Option<SessionId>,
    /// Where the request came from, where there was one.
    pub ip: Option<IpAddr>,
    /// What else is to be known of it, in a few words; at most [`DETAIL_BYTES_MAX`].
    pub detail: Option<String>,
}

/// The longest detail of an event.
pub const DETAIL_BYTES_MAX: usize = 256;

/// Who asks for a change and when: what every rule needs to write events and ids.
#[derive(Clone, Copy)]
pub struct Occasion<'a> {
    /// The current time.
    pub now: UnixMillis,
    /// Where the request came from, where there was one.
    pub ip: Option<IpAddr>,
    /// Fresh randomness for ids.
    pub entropy: &'a dyn Entropy,
}

impl Occasion<'_> {
    /// An event of this occasion.
    pub fn event(&self, kind: EventKind, account: AccountId, session: Option<SessionId>) -> Event {
        let id = EventId::generate(self.now, self.entropy);
        Event { id, at: self.now, kind, account, session, ip: self.ip, detail: None }
    }

    /// The same with a few words more; what is too long is cut off.
    pub fn event_with(
        &self,
        kind: EventKind,
        account: AccountId,
        session: Option<SessionId>,
        detail: impl Into<String>,
    ) -> Event {
        let mut detail = detail.into();
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        Event { detail: Some(detail), ..self.event(kind, account, session) }
    }
}
