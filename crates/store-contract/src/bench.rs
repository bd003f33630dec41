//! What every case works with: an empty store, a clock to turn, ids to make, people to sign up.

use counterfoil_domain::{
    account::{Account, PasswordHash},
    entropy::{Entropy, random_bytes},
    event::{EventKind, Occasion},
    id::{AccountId, SessionId},
    opaque::SecretDigest,
    policy::{Lifetimes, SessionPolicy},
    session::{AccountView, Changes, Device, OpenSession, Ruling, Session, SessionView, open},
    store::{Committed, CreatedAccount, NewAccount, Store, StoreError},
    time::{Clock, UnixMillis},
};
use std::{
    any::Any,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// A clock that stands still until a test turns it.
#[derive(Debug)]
pub struct TestClock {
    now_millis: AtomicI64,
    /// By how much somebody has set it, which the monotonic clock does not follow.
    set_by_millis: AtomicI64,
}

impl TestClock {
    /// A clock that shows an instant in 2027.
    pub fn new() -> Self {
        Self { now_millis: AtomicI64::new(1_800_000_000_000), set_by_millis: AtomicI64::new(0) }
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        self.now_millis.fetch_add(millis(by), Relaxed);
    }

    /// Somebody sets the clock ahead: no time passes.
    pub fn set_ahead(&self, by: Duration) {
        self.set_by_millis.fetch_add(millis(by), Relaxed);
        self.advance(by);
    }

    /// Somebody sets the clock back: no time passes.
    pub fn set_back(&self, by: Duration) {
        self.set_by_millis.fetch_sub(millis(by), Relaxed);
        self.now_millis.fetch_sub(millis(by), Relaxed);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.now_millis.load(Relaxed))
    }

    fn monotonic(&self) -> Duration {
        let unset = self.now_millis.load(Relaxed) - self.set_by_millis.load(Relaxed);
        Duration::from_millis(u64::try_from(unset).unwrap())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}

/// Different bytes at every call, the same ones in every run (splitmix64).
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// The source with this seed.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut word = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_be_bytes()[..chunk.len()]);
        }
    }
}

/// An empty store, and what must live as long as it does (a temporary folder, a server).
pub struct Fixture {
    /// The store.
    pub store: Arc<dyn Store>,
    keep: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    /// A store that needs nothing beside it.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, keep: Box::new(()) }
    }

    /// A store, and what is dropped after it.
    pub fn with(store: Arc<dyn Store>, keep: impl Any + Send + Sync) -> Self {
        Self { store, keep: Box::new(keep) }
    }
}

/// What a case is given.
pub struct Bench {
    /// The store under test.
    pub store: Arc<dyn Store>,
    /// The clock that the store reads.
    pub clock: Arc<TestClock>,
    /// For ids.
    pub entropy: Arc<SeededEntropy>,
    // Dropped last.
    _keep: Box<dyn Any + Send + Sync>,
}

/// Runs one case on a fresh store; [`store_contract!`](crate::store_contract) calls it.
pub fn run_case<M, C>(make: impl FnOnce(Arc<dyn Clock>) -> M, case: impl FnOnce(Bench) -> C)
where
    M: Future<Output = Fixture>,
    C: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(TestClock::new());
        let Fixture { store, keep } = make(clock.clone()).await;
        case(Bench { store, clock, entropy: Arc::new(SeededEntropy::new(1)), _keep: keep }).await;
    });
}

/// The lifetime of feed entries in the cases.
pub(crate) const TOKEN_LIFETIME: Duration = Duration::from_mins(31);

impl Bench {
    /// For a store's own tests, beside the suite.
    pub fn new(store: Arc<dyn Store>, clock: Arc<TestClock>) -> Self {
        Self { store, clock, entropy: Arc::new(SeededEntropy::new(1)), _keep: Box::new(()) }
    }

    /// What the clock shows.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// An occasion of now.
    pub fn occasion(&self) -> Occasion<'_> {
        Occasion { now: self.now(), ip: Some([192, 0, 2, 1].into()), entropy: &*self.entropy }
    }

    /// A new account, not stored yet. The clock moves on, so that ids and instants differ.
    pub fn draft_account(&self, email: &str) -> Account {
        self.clock.advance(Duration::from_millis(1));
        Account::new(email.parse().unwrap(), None, self.now(), &*self.entropy)
    }

    /// A new session of an account, not stored yet. The clock moves on.
    pub fn draft_session(&self, account: &Account) -> Session {
        self.draft_session_under(SessionPolicy::Refresh, account)
    }

    /// The same under another policy; with a secret, where sessions are found by one.
    pub fn draft_session_under(&self, policy: SessionPolicy, account: &Account) -> Session {
        self.clock.advance(Duration::from_millis(1));
        let has_secret = matches!(policy, SessionPolicy::Session | SessionPolicy::Personal);
        let request = OpenSession {
            policy,
            client_id: "app".into(),
            scope: "read write".parse().unwrap(),
            device: Device::default(),
            secret: has_secret.then(|| self.draft_secret()),
            replaces: None,
        };
        open(request, account, &Lifetimes::default(), &self.occasion()).0
    }

    /// The digest of a secret that nobody else has.
    pub fn draft_secret(&self) -> SecretDigest {
        SecretDigest::from_bytes(random_bytes(&*self.entropy))
    }

    /// Stores a new account.
    pub async fn sign_up(&self, email: &str) -> Account {
        let account = self.draft_account(email);
        let password_hash = Some(PasswordHash::from_phc(format!("$test${email}")));
        let new = NewAccount { account: account.clone(), password_hash, session: None, events: Vec::new() };
        assert_eq!(self.store.create_account(new).await.unwrap(), CreatedAccount::Created);
        account
    }

    /// Stores a new session of an account.
    pub async fn sign_in(&self, account: &Account) -> Session {
        self.sign_in_under(SessionPolicy::Refresh, account).await
    }

    /// Stores a new session of an account under another policy.
    pub async fn sign_in_under(&self, policy: SessionPolicy, account: &Account) -> Session {
        let session = self.draft_session_under(policy, account);
        self.store.decide_account(account.id, self.adding(&session)).await.unwrap();
        session
    }

    /// Writes a session over, whatever the store holds of it.
    ///
    /// # Errors
    /// The store refuses.
    pub async fn write_over(&self, session: &Session) -> Result<Committed, StoreError> {
        let changes = Changes { sessions: vec![session.clone()], ..Changes::default() };
        let rule = move |_: Option<&SessionView>, _| Ruling { changes: changes.clone(), outcome: () };
        self.store.decide_session(session.id, rule).await.map(|((), committed)| committed)
    }

    /// Runs a rule about an account that makes these changes, whatever it is shown.
    ///
    /// # Errors
    /// The store refuses.
    pub async fn change(&self, account: AccountId, changes: Changes) -> Result<Committed, StoreError> {
        let rule = move |_: Option<&AccountView>, _| Ruling { changes: changes.clone(), outcome: () };
        self.store.decide_account(account, rule).await.map(|((), committed)| committed)
    }

    /// A rule that adds this session with its audit line, whatever it is shown.
    pub(crate) fn adding(
        &self,
        session: &Session,
    ) -> impl FnMut(Option<&AccountView>, UnixMillis) -> Ruling<()> + Send + 'static {
        let event = self.occasion().event(EventKind::SignedIn, session.account, Some(session.id));
        let (new_sessions, events) = (vec![session.clone()], vec![event]);
        let changes = Changes { new_sessions, events, ..Changes::default() };
        move |_, _| Ruling { changes: changes.clone(), outcome: () }
    }

    /// What the store holds of a session, ended or not.
    pub async fn look_at(&self, id: SessionId) -> Option<SessionView> {
        let look = |view: Option<&SessionView>, _| Ruling::unchanged(view.cloned());
        self.store.decide_session(id, look).await.unwrap().0
    }
}
