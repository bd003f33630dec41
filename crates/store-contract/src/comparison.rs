//! A store and the model, side by side.

use crate::{
    MemoryStore, Operation, SeededEntropy, TestClock,
    bench::TOKEN_LIFETIME,
    operations::{EMAILS, SECRETS, digest, tell},
    rules::Rule,
};
use counterfoil_domain::{
    account::{Account, AccountWithPassword, PasswordHash},
    client::{Client, ClientKind},
    entropy::random_bytes,
    event::{EventKind, Occasion},
    id::{AccountId, SessionId},
    key::{KeyChanges, KeyRuling, KeyState, KeyUse, KeysView, StoredKey},
    opaque::SecretDigest,
    policy::{Lifetimes, Limits, SessionPolicy},
    revocation::{Epoch, FeedPosition, Revocation, RevocationDraft},
    session::{AccountView, Changes, Device, OpenSession, Ruling, Session, open},
    store::{NewAccount, Store},
    time::Clock,
};
use std::{fmt::Debug, sync::Arc, time::Duration};

/// A run of operations on a store and on the model. The store may be closed and opened again between two
/// [`apply`](Self::apply); it must take its time from the same clock.
pub struct Comparison {
    clock: Arc<TestClock>,
    model: MemoryStore,
    accounts: Vec<AccountId>,
    sessions: Vec<SessionId>,
    step: u64,
}

/// Runs `operations` on `store`, which is empty and reads `clock`, and on the model; panics at the first difference.
pub async fn compare_with_model(store: &(dyn Store + 'static), clock: Arc<TestClock>, operations: &[Operation]) {
    let mut comparison = Comparison::begin(store, clock).await;
    comparison.apply(store, operations).await;
    comparison.finish(store).await;
}

impl Comparison {
    /// Begins with an empty store.
    pub async fn begin(store: &(dyn Store + 'static), clock: Arc<TestClock>) -> Self {
        let head = store.feed_after(0, 0).await.unwrap().head;
        let model = MemoryStore::beginning_at(clock.clone(), head);
        Self { clock, model, accounts: Vec::new(), sessions: Vec::new(), step: 0 }
    }

    /// Runs operations on both and compares every answer.
    pub async fn apply(&mut self, store: &(dyn Store + 'static), operations: &[Operation]) {
        for operation in operations {
            self.step += 1;
            self.clock.advance(Duration::from_millis(1));
            if let Operation::Wait { minutes } = operation {
                self.clock.advance(Duration::from_mins(*minutes));
            }
            self.make_ids(operation);
            let expected = self.run(&self.model, operation).await;
            let found = self.run(store, operation).await;
            assert_eq!(found, expected, "step {}: {operation:?} (left: the store, right: the model)", self.step);
        }
    }

    /// Compares everything that is left.
    pub async fn finish(&self, store: &(dyn Store + 'static)) {
        let (expected, found) = (self.dump(&self.model).await, self.dump(store).await);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "in the end (left: the store, right: the model)");
        }
    }

    /// Ids are made before either store is asked, so that both are given the same.
    fn make_ids(&mut self, operation: &Operation) {
        let entropy = SeededEntropy::new(self.step);
        if let Operation::CreateAccount { .. } = operation {
            self.accounts.push(AccountId::from_bytes(random_bytes(&entropy)));
        }
        if let Operation::CreateAccount { session: true, .. } | Operation::CreateSession { .. } = operation {
            self.sessions.push(SessionId::from_bytes(random_bytes(&entropy)));
        }
    }

    fn account(&self, number: usize) -> AccountId {
        let unknown = AccountId::from_bytes([0xff; 16]);
        self.accounts.get(number % (self.accounts.len() + 1)).copied().unwrap_or(unknown)
    }

    fn session(&self, number: usize) -> SessionId {
        let unknown = SessionId::from_bytes([0xff; 16]);
        self.sessions.get(number % (self.sessions.len() + 1)).copied().unwrap_or(unknown)
    }

    fn new_session(&self, account: &Account, policy: SessionPolicy, secret: Option<SecretDigest>) -> Session {
        let entropy = SeededEntropy::new(self.step);
        let request = OpenSession {
            policy,
            client_id: "app".to_owned(),
            scope: "read write".parse().unwrap(),
            device: Device { name: None, user_agent: Some("agent".to_owned()), ip: None },
            secret,
            replaces: None,
        };
        // Short lives, so that pruning finds something; but for personal tokens, which have no end.
        let hour = Duration::from_hours(1);
        let limits = Limits { idle_lifetime: hour, absolute_lifetime: hour };
        let lifetimes = Lifetimes {
            access_token_lifetime: hour,
            session: limits,
            tracked_lifetime: hour,
            sliding: limits,
            refresh: limits,
        };
        let occasion = Occasion { now: self.clock.now(), ip: None, entropy: &entropy };
        let (session, _) = open(request, account, &lifetimes, &occasion);
        Session { id: self.sessions.last().copied().unwrap_or(session.id), ..session }
    }

    fn new_account(&self, email: usize) -> Account {
        let account = Account::new(
            EMAILS[email].parse().unwrap(),
            Some(format!("step {}", self.step)),
            self.clock.now(),
            &SeededEntropy::new(self.step),
        );
        Account { id: self.accounts.last().copied().unwrap_or(account.id), ..account }
    }

    async fn run(&self, store: &(dyn Store + 'static), operation: &Operation) -> String {
        let entropy = SeededEntropy::new(self.step);
        let occasion = Occasion { now: self.clock.now(), ip: None, entropy: &entropy };
        match *operation {
            Operation::CreateAccount { email, password, session, events } => {
                let account = self.new_account(email);
                let session = session.then(|| self.new_session(&account, SessionPolicy::Refresh, None));
                let event = |_| occasion.event(EventKind::AccountCreated, account.id, None);
                let events = (0..events).map(event).collect();
                let password_hash = password.then(|| PasswordHash::from_phc(format!("$step${}", self.step)));
                tell(store.create_account(NewAccount { account, password_hash, session, events }).await, debug)
            }
            Operation::AccountByEmail { email } => {
                tell(store.account_by_email(&EMAILS[email].parse().unwrap()).await, |found| {
                    debug(found.as_ref().map(describe_account))
                })
            }
            Operation::AccountWithPassword { account } => {
                tell(store.account_with_password(self.account(account)).await, |found| {
                    debug(found.as_ref().map(describe_account))
                })
            }
            Operation::Account { account } => tell(store.account(self.account(account)).await, debug),
            Operation::Accounts { after, limit } => {
                tell(store.accounts(after.map(|after| self.account(after)), limit).await, debug)
            }
            Operation::CreateSession { account, policy, secret } => {
                let mut owner = self.new_account(0);
                owner.id = self.account(account);
                let session = self.new_session(&owner, policy, secret.map(digest));
                let event = occasion.event(EventKind::SignedIn, owner.id, Some(session.id));
                let add = move |view: Option<&AccountView>, _| {
                    let (new_sessions, events) = (vec![session.clone()], vec![event.clone()]);
                    let changes = Changes { new_sessions, events, ..Changes::default() };
                    Ruling { changes, outcome: format!("{view:?}") }
                };
                tell(store.decide_account(owner.id, add).await, debug)
            }
            Operation::Session { session } => tell(store.session(self.session(session)).await, debug),
            Operation::SessionBySecret { secret } => tell(store.session_by_secret(digest(secret)).await, debug),
            Operation::UpdateSession { session, rule } => {
                let rule = rule.about_session(self.step);
                tell(store.decide_session(self.session(session), rule).await, debug)
            }
            Operation::UpdateAccount { account, rule } => {
                let rule = rule.about_account(self.step);
                tell(store.decide_account(self.account(account), rule).await, debug)
            }
            Operation::SessionsOfAccount { account } => {
                tell(store.sessions_of_account(self.account(account)).await, debug)
            }
            Operation::Sessions { after, limit } => {
                tell(store.sessions(after.map(|after| self.session(after)), limit).await, debug)
            }
            Operation::EventsOfAccount { account, limit } => {
                tell(store.events_of_account(self.account(account), limit).await, debug)
            }
            Operation::FeedAfter { seq, limit } => tell(store.feed_after(seq, limit).await, debug),
            Operation::Keys => tell(store.keys().await, |keys| debug(describe_keys(&keys))),
            Operation::UpdateKeys { ref keys, told } => {
                let keys = keys.iter().map(|&(kid, sign, state)| self.new_key(kid, sign, state)).collect();
                let told = told.then(|| {
                    let keys = Revocation::Keys { version: i64::try_from(self.step).unwrap() };
                    RevocationDraft::new(keys, occasion.now, TOKEN_LIFETIME, &entropy)
                });
                let event = occasion.event(EventKind::KeyAnnounced, self.account(0), None);
                let events = told.iter().map(|_| event.clone()).collect();
                let changes = KeyChanges { keys, revocations: told.into_iter().collect(), events };
                let write = move |view: &KeysView<'_>, _| {
                    let outcome = format!("{:?} {:?}", describe_keys(view.keys), view.feed);
                    KeyRuling { changes: changes.clone(), outcome }
                };
                tell(store.decide_keys(write).await, debug)
            }
            Operation::Prune { sessions_minutes, events_minutes } => {
                let now = self.clock.now();
                let before = |minutes| now.minus(Duration::from_mins(minutes));
                tell(store.prune(now, before(sessions_minutes), before(events_minutes)).await, debug)
            }
            Operation::RaiseSessionCutoff { account, minutes_ago } => {
                let cutoff = occasion.now.minus(Duration::from_mins(minutes_ago));
                let everybody = Revocation::Issuer { key: "https://auth.example.com".to_owned(), cutoff };
                let draft = RevocationDraft::new(everybody, occasion.now, TOKEN_LIFETIME, &entropy);
                let event = occasion.event(EventKind::EverybodySignedOut, self.account(account), None);
                tell(store.raise_session_cutoff(cutoff, vec![draft], event).await, debug)
            }
            Operation::BeginEpoch { ahead } => self.begin_epoch(store, ahead, &occasion).await,
            Operation::CreateClient { name } => self.create_client(store, name, &occasion).await,
            Operation::DeleteClient { name } => self.delete_client(store, name, &occasion).await,
            Operation::Client { name } => tell(store.client(&self.new_client(name).id).await, debug),
            Operation::Clients => tell(store.clients().await, debug),
            Operation::Check => tell(store.check().await, debug),
            Operation::Wait { .. } => String::new(),
        }
    }

    async fn begin_epoch(&self, store: &(dyn Store + 'static), ahead: bool, occasion: &Occasion<'_>) -> String {
        let Epoch(epoch) = store.feed_after(0, 0).await.unwrap().head.position.epoch;
        let event = occasion.event(EventKind::StoreRewound, AccountId::NOBODY, None);
        let cutoff = Revocation::Issuer { key: "kid".to_owned(), cutoff: occasion.now };
        let draft = RevocationDraft::new(cutoff, occasion.now, TOKEN_LIFETIME, occasion.entropy);
        tell(store.begin_epoch(Epoch(epoch + i64::from(ahead)), vec![draft], event).await, debug)
    }

    async fn create_client(&self, store: &(dyn Store + 'static), name: usize, occasion: &Occasion<'_>) -> String {
        let client = self.new_client(name);
        let event = client.event(EventKind::ClientCreated, occasion);
        tell(store.create_client(client, event).await, debug)
    }

    async fn delete_client(&self, store: &(dyn Store + 'static), name: usize, occasion: &Occasion<'_>) -> String {
        let client = self.new_client(name);
        let event = client.event(EventKind::ClientDeleted, occasion);
        tell(store.delete_client(&client.id, event).await, debug)
    }

    fn new_client(&self, name: usize) -> Client {
        Client {
            id: format!("client-{name}").parse().unwrap(),
            kind: ClientKind::Verifier,
            secret: SecretDigest::from_bytes(random_bytes(&SeededEntropy::new(self.step))),
            created_at: self.clock.now(),
        }
    }

    fn new_key(&self, kid: usize, sign: bool, state: usize) -> StoredKey {
        StoredKey {
            kid: format!("key {kid}"),
            key_use: if sign { KeyUse::Sign } else { KeyUse::RefreshTag },
            algorithm: format!("step {}", self.step),
            state: [KeyState::Upcoming, KeyState::Active, KeyState::Retiring, KeyState::Retired][state],
            state_since: self.clock.now(),
            sealed: self.step.to_be_bytes().to_vec(),
            sealed_public: if sign { vec![1, 0] } else { Vec::new() },
            created_at: self.clock.now(),
            announced: sign.then(|| FeedPosition { epoch: Epoch(3), seq: i64::try_from(self.step).unwrap() }),
            token_lifetime: sign.then_some(Duration::from_millis(self.step)),
            cache_lifetime: (!sign).then_some(Duration::from_millis(self.step)),
        }
    }

    /// Everything a store holds, as texts.
    async fn dump(&self, store: &(dyn Store + 'static)) -> Vec<String> {
        let all = usize::MAX;
        let mut dump = vec![
            tell(store.accounts(None, all).await, debug),
            tell(store.sessions(None, all).await, debug),
            tell(store.feed_after(0, all).await, debug),
            tell(store.clients().await, debug),
            tell(store.events_of_account(AccountId::NOBODY, all).await, debug),
            tell(store.keys().await, |keys| debug(describe_keys(&keys))),
        ];
        for email in EMAILS {
            let found = store.account_by_email(&email.parse().unwrap()).await;
            dump.push(tell(found, |found| debug(found.as_ref().map(describe_account))));
        }
        for secret in 0..SECRETS {
            dump.push(tell(store.session_by_secret(digest(secret)).await, debug));
        }
        for &account in &self.accounts {
            let found = store.account_with_password(account).await;
            dump.push(tell(found, |found| debug(found.as_ref().map(describe_account))));
            dump.push(tell(store.sessions_of_account(account).await, debug));
            dump.push(tell(store.events_of_account(account, all).await, debug));
        }
        for &session in &self.sessions {
            dump.push(tell(store.session(session).await, debug));
            dump.push(tell(store.decide_session(session, Rule::Nothing.about_session(0)).await, debug));
        }
        dump
    }
}

fn debug<T: Debug>(value: T) -> String {
    format!("{value:#?}")
}

fn describe_account(found: &AccountWithPassword) -> String {
    debug((&found.account, found.password_hash.as_ref().map(PasswordHash::expose)))
}

fn describe_keys(keys: &[StoredKey]) -> Vec<String> {
    let describe = |key: &StoredKey| {
        let life = (key.state, key.state_since, key.created_at, key.announced, key.token_lifetime, key.cache_lifetime);
        debug((&key.kid, key.key_use, &key.algorithm, &key.sealed, &key.sealed_public, life))
    };
    keys.iter().map(describe).collect()
}
