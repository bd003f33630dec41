//! What the tests of several rules stand on.

use crate::{
    account::Account,
    entropy::Entropy,
    event::Occasion,
    key::{KeyState, KeyUse, StoredKey},
    policy::{Lifetimes, SessionPolicy},
    scope::ScopeSet,
    session::{Device, OpenSession, Session, SessionView, open},
    time::UnixMillis,
};
use std::sync::atomic::{AtomicU8, Ordering};

/// When the tests begin.
pub(crate) const START: UnixMillis = UnixMillis::from_seconds(1_800_000_000);

/// Gives other bytes each time, the same in each run.
pub(crate) struct Counting(AtomicU8);

impl Default for Counting {
    fn default() -> Self {
        Self(AtomicU8::new(1))
    }
}

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

/// For tests that make one thing only.
pub(crate) struct Zero;

impl Entropy for Zero {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// At `now`, from nowhere in particular.
pub(crate) fn occasion(now: UnixMillis, entropy: &dyn Entropy) -> Occasion<'_> {
    Occasion { now, ip: None, entropy }
}

/// An account made at [`START`].
pub(crate) fn account(entropy: &dyn Entropy) -> Account {
    Account::new("a@example.com".parse().unwrap(), None, START, entropy)
}

/// A sign-in without anything special.
pub(crate) fn request(policy: SessionPolicy) -> OpenSession {
    let (scope, device) = (ScopeSet::default(), Device::default());
    OpenSession { policy, client_id: "app".into(), scope, device, secret: None, replaces: None }
}

/// A session of the account, opened at [`START`].
pub(crate) fn opened(
    policy: SessionPolicy,
    account: &Account,
    lifetimes: &Lifetimes,
    entropy: &dyn Entropy,
) -> Session {
    open(request(policy), account, lifetimes, &occasion(START, entropy)).0
}

/// An account with one session, both made at [`START`].
pub(crate) fn view(policy: SessionPolicy, lifetimes: &Lifetimes) -> SessionView {
    let account = account(&Zero);
    SessionView { session: opened(policy, &account, lifetimes, &Zero), account }
}

/// A key pair that was made at `now` and has no place yet.
pub(crate) fn signing_key(kid: &str, now: UnixMillis) -> StoredKey {
    StoredKey {
        kid: kid.to_owned(),
        key_use: KeyUse::Sign,
        algorithm: "EdDSA".to_owned(),
        state: KeyState::Upcoming,
        state_since: now,
        sealed: b"secret".to_vec(),
        sealed_public: b"public".to_vec(),
        created_at: now,
        announced: None,
        token_lifetime: None,
        cache_lifetime: None,
    }
}
