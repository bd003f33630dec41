//! Tokens that were verified before, so that their signatures need not be checked again.
//!
//! A signature check takes some ten thousand nanoseconds and says the same thing each time, as long as the token, the
//! rules and the keys are the same. What may change meanwhile is checked at every hit: the time, and the revocations.
//!
//! What keeps it honest, each point learnt from somebody's advisory:
//!
//! - The whole token is compared, never only a hash of it: tokens that differ in one character are different tokens.
//! - An entry is put in by the guard whose [`Policy`] it passed, in a cache of that guard's own, and is found only while
//!   the keys are those it was verified with: replacing them ends it.
//! - Only what was accepted is kept. A refused token is verified anew each time, so a token that is not good yet becomes
//!   good in time, and nobody can fill the cache with garbage.
//! - The number of entries and the size of each are bounded.

pub(crate) mod freshness;
mod slots;
mod sync;

use crate::current_user::VerifiedUser;
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    policy::SessionPolicy,
    revocation::Presented,
    scope::ScopeSet,
    time::UnixMillis,
};
use counterfoil_jwt::{NumericDate, Policy};
use foldhash::quality::RandomState;
use freshness::{Changes, GoodAt};
use slots::{Entry, Slots};
use std::{
    hash::{BuildHasher, Hasher},
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

/// A token that was found, held where it is: nothing is copied and no count is kept. See [`arc_swap::Guard`].
pub(crate) type HeldToken = sync::Held<VerifiedToken>;

/// Longer tokens are verified each time. Those of this server have some 700 bytes.
const TOKEN_BYTES_MAX: usize = 4 * 1024;

/// How many bytes at the end of a token choose its slot: an HMAC-SHA256 signature, the shortest there is, and some.
///
/// A signature depends on everything before it, so its end tells tokens apart as well as the whole does, in a tenth of
/// the time. Who makes up a token with the end of another finds its slot, where the comparison refuses it.
const HASHED_TAIL_BYTES: usize = 48;

/// The tokens.
pub(crate) struct VerifiedCache {
    slots: Slots<VerifiedToken>,
    /// Seeded anew in each process, so that nobody can work out which tokens share a slot.
    hash: RandomState,
}

/// A token that a guard has accepted, and what it must be held against when it comes again.
pub(crate) struct VerifiedToken {
    /// Whether the store was asked about it, and is to be asked again rather than refuse it from memory.
    pub(crate) is_to_be_looked_up_again: bool,
    pub(crate) token: Box<[u8]>,
    /// Which of the guard's key sets it was verified with.
    pub(crate) key_generation: u64,
    pub(crate) expires_at: Option<NumericDate>,
    pub(crate) not_before: Option<NumericDate>,
    /// Who signed it; `None` for what is not signed.
    pub(crate) issuer: Option<Box<str>>,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) issued_at: UnixMillis,
    /// When the revocations were last asked.
    pub(crate) not_revoked_at: GoodAt,
    pub(crate) recently_used: AtomicBool,
    pub(crate) user: VerifiedUser,
}

impl VerifiedCache {
    /// A cache of at most `tokens_max`, rounded up to a power of two; 0 is rounded up to one set.
    pub(crate) fn new(tokens_max: usize) -> Self {
        Self { slots: Slots::new(tokens_max, VerifiedToken::nobodys()), hash: RandomState::default() }
    }

    /// The entry of this very token, verified with the keys of this generation.
    pub(crate) fn find(&self, token: &[u8], key_generation: u64) -> Option<HeldToken> {
        self.slots.find(self.slot_hash(token), |entry| {
            *entry.token == *token && entry.key_generation == key_generation && !token.is_empty()
        })
    }

    /// Keeps an accepted token, unless it is too long.
    pub(crate) fn insert(&self, entry: Arc<VerifiedToken>, policy: &Policy, now_unix_seconds: u64) {
        if entry.token.len() > TOKEN_BYTES_MAX {
            return;
        }
        let hash = self.slot_hash(&entry.token);
        let token = Arc::clone(&entry);
        self.slots.insert(hash, entry, |other| {
            other.token == token.token
                || other.key_generation < token.key_generation
                || policy.validate_times(other.expires_at, other.not_before, now_unix_seconds).is_err()
        });
    }

    /// Forgets everything: the keys were replaced.
    pub(crate) fn clear(&self) {
        self.slots.clear();
    }

    fn slot_hash(&self, token: &[u8]) -> u64 {
        let tail = token.last_chunk::<HASHED_TAIL_BYTES>().map_or(token, |tail| tail);
        let mut hasher = self.hash.build_hasher();
        hasher.write(tail);
        hasher.finish()
    }
}

impl VerifiedToken {
    /// Stands in vacant slots. It equals no token, is of no generation and has expired: any one of these would do.
    fn nobodys() -> Self {
        Self {
            is_to_be_looked_up_again: false,
            token: Box::default(),
            key_generation: 0,
            expires_at: Some(NumericDate::from_unix_seconds(0)),
            not_before: None,
            issuer: None,
            key_id: None,
            issued_at: UnixMillis::from_millis(0),
            not_revoked_at: GoodAt::new(0),
            recently_used: AtomicBool::new(false),
            user: VerifiedUser {
                policy: SessionPolicy::Refresh,
                account: AccountId::from_bytes([0; 16]),
                session: SessionId::from_bytes([0; 16]),
                token: TokenId::from_bytes([0; 16]),
                generation: AccountGeneration::from_raw(0),
                client_id: Box::default(),
                scope: ScopeSet::default(),
                authenticated_at: UnixMillis::from_millis(0),
                methods: Box::default(),
                roles: Box::default(),
                custom_claims: serde_json::Map::new(),
                expires_at: UnixMillis::from_millis(0),
                identity_headers: OnceLock::new(),
            },
        }
    }

    /// What the revocations are asked about.
    pub(crate) fn presented(&self) -> Presented<'_> {
        let (account, generation) = self.subject();
        Presented {
            session: Some(self.user.session),
            account,
            generation,
            token: Some(self.user.token),
            issuer: self.issuer.as_deref(),
            kid: self.key_id.as_deref(),
            issued_at: self.issued_at,
        }
    }

    /// Whether it is still not revoked. `look_up` asks the revocations, and is called when they have changed since.
    pub(crate) fn is_still_good(&self, changes: &Changes, look_up: impl FnOnce(&Presented<'_>) -> bool) -> bool {
        self.not_revoked_at.is_still_good(changes, || look_up(&self.presented()))
    }
}

impl Entry for VerifiedToken {
    fn recently_used(&self) -> &AtomicBool {
        &self.recently_used
    }
}
