//! Sessions: one signed-in browser or device, from sign-in to its end.
//!
//! A session lives until the first of: its idle limit (pushed on by what its policy calls use), its absolute limit (never
//! moved), a sign-out, a found theft, or its account being disabled or all of its sessions being ended. Each rule here is
//! a pure function that looks at what the store holds and returns a [`Ruling`]: what to write, and what came of it.
//!
//! | policy | found by | goes on by |
//! |---|---|---|
//! | `session` | the digest of an opaque id | [`touch`] |
//! | `tracked` | the `sid` of its token | nothing; [`touch`] says when it was last seen |
//! | `sliding` | the `sid` of its token | [`extend`] |
//! | `refresh` | the id in its refresh token | [`refresh`] |
//! | `personal` | the digest of its token | nothing; [`touch`] says when it was last used |

mod end;
mod everybody;
mod extend;
mod open;
mod personal;
mod refresh;
mod touch;

pub(crate) use end::end_all;
pub use end::{EndOne, EndedOne, end_every, end_one};
pub use everybody::{EverybodyOut, cutoff_of_keys, end_everybody};
pub use extend::{ExtendOutcome, extend};
pub use open::{OpenSession, OpenTerms, open, open_another, sign_in};
pub use personal::{
    NewPersonalToken, PERSONAL_TOKENS_PER_ACCOUNT_MAX, PersonalTokenOutcome, create_personal_token, end_personal_tokens,
};
pub use refresh::{DeadReason, REFRESH_DEADLINE, RefreshOutcome, RefreshRequest, RefreshTerms, refresh};
pub use touch::{SEEN_AGAIN_AFTER, is_to_be_touched, touch};

use crate::{
    account::{Account, AccountGeneration, PasswordHash},
    event::Event,
    id::{AccountId, SessionId, TokenId},
    opaque::SecretDigest,
    policy::{Lifetimes, SessionPolicy},
    revocation::RevocationDraft,
    rotation::Rotation,
    scope::ScopeSet,
    time::UnixMillis,
};
use std::net::IpAddr;

/// What is known of the device behind a session, so that a person recognises it in the list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Device {
    /// The name given at sign-in; of a personal token, what its owner calls it.
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
    /// The digest of the opaque secret by which it is found: of policies `session` and `personal`, and no others.
    pub secret: Option<SecretDigest>,
    /// Where its refresh tokens stand. Nothing looks at it under other policies.
    pub rotation: Rotation,
    /// What is known of the device.
    pub device: Device,
    /// When the person last proved who they are (`auth_time`); unchanged by refresh (RFC 9068 §2.2.1).
    pub authenticated_at: UnixMillis,
    /// When it was opened.
    pub created_at: UnixMillis,
    /// When it was last used, as the policy counts it; to a minute, for those that are looked up.
    pub last_seen_at: UnixMillis,
    /// It ends when not used until then.
    pub idle_until: UnixMillis,
    /// It ends then in any case; [`UnixMillis::NEVER`] for a personal token without an end.
    pub absolute_until: UnixMillis,
    /// Set when it was ended.
    pub revoked_at: Option<UnixMillis>,
}

impl Session {
    /// Why the session is over, or `None` while it lives.
    pub fn dead_reason(&self, account: &Account, now: UnixMillis) -> Option<DeadReason> {
        if self.is_ended(account) {
            Some(DeadReason::Revoked)
        } else if account.disabled_at.is_some() {
            Some(DeadReason::AccountDisabled)
        } else if now >= self.absolute_until || now >= self.idle_until {
            Some(DeadReason::Expired)
        } else {
            None
        }
    }

    /// Whether somebody has ended it.
    ///
    /// A personal token does not care for the account's generation: it is what programs work with, and goes on when its
    /// owner signs out everywhere or changes the password. Whatever ends it names it.
    fn is_ended(&self, account: &Account) -> bool {
        self.revoked_at.is_some() || (!self.is_personal_token() && self.account_generation < account.generation)
    }

    /// Whether it is a personal token, which its owner sees and ends apart from sign-ins.
    pub fn is_personal_token(&self) -> bool {
        self.policy == SessionPolicy::Personal
    }

    /// The id by which the feed names a personal token: the same as its session's.
    pub const fn personal_token_id(&self) -> TokenId {
        TokenId::from_bytes(*self.id.as_bytes())
    }

    /// When the session ends if it is not used again.
    pub fn ends_at(&self) -> UnixMillis {
        self.idle_until.min(self.absolute_until)
    }

    /// When a signed token ends that is minted for this session now; `None` under policies without one. It never outlives
    /// the session's absolute limit.
    pub fn token_ends_at(&self, lifetimes: &Lifetimes, now: UnixMillis) -> Option<UnixMillis> {
        match self.policy {
            SessionPolicy::Refresh => Some(now.plus(lifetimes.access_token_lifetime).min(self.absolute_until)),
            // The idle limit is the end of the newest token: the rules that move it on are those that have one minted.
            SessionPolicy::Tracked | SessionPolicy::Sliding => Some(self.ends_at()),
            SessionPolicy::Session | SessionPolicy::Personal => None,
        }
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
    /// Its sessions that nobody has ended, personal tokens among them; some may be past their limits.
    pub sessions: Vec<Session>,
}

impl AccountView {
    /// The sessions that nobody has ended, without the personal tokens.
    fn sign_ins(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| !session.is_personal_token() && !session.is_ended(&self.account))
    }

    /// The sign-in with this id, while it lives: whoever asks for something by it may. What a request found when it came
    /// may be over when the store gets to it, and what it leaves behind would outlive the sign-out.
    pub fn living_sign_in(&self, id: SessionId, now: UnixMillis) -> Option<&Session> {
        self.sign_ins().find(|session| session.id == id && session.dead_reason(&self.account, now).is_none())
    }

    /// The personal tokens that nobody has ended.
    fn personal_tokens(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| session.is_personal_token() && !session.is_ended(&self.account))
    }
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
    /// The password hash of that account to write over.
    pub password_hash: Option<PasswordHash>,
    /// The account to forget, with every session of it. Its audit lines and feed entries stay.
    pub deleted_account: Option<AccountId>,
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
            && self.password_hash.is_none()
            && self.deleted_account.is_none()
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
