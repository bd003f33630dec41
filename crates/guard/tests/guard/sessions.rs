//! A store of sessions on the bench: it counts how often it is asked, and can fail or keep its answers back.

use crate::bench::{ACCOUNT, GENERATION, NOW_SECONDS, SESSION};
use counterfoil_domain::{
    entropy::Entropy,
    id::SessionId,
    opaque::{OpaqueSecret, SecretDigest, SecretKind},
    policy::SessionPolicy,
    time::UnixMillis,
};
use counterfoil_guard::{FoundSession, LookupError, LookupFuture, SessionLookup};
use serde_json::{Map, json};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};
use tokio::sync::Semaphore;

struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

/// A secret that the test knows by its number.
pub(crate) fn secret(kind: SecretKind, number: u8) -> OpaqueSecret {
    OpaqueSecret::generate(kind, &Fixed(number))
}

/// A living session, as the store has it.
pub(crate) fn living(policy: SessionPolicy) -> FoundSession {
    FoundSession {
        session: SESSION,
        account: ACCOUNT,
        generation: GENERATION,
        policy,
        client_id: "app".into(),
        scope: "read write".parse().unwrap(),
        roles: vec!["editor".into()],
        custom_claims: Map::from_iter([("tenant".to_owned(), json!("blue"))]),
        authenticated_at: UnixMillis::from_seconds(NOW_SECONDS - 60),
        methods: vec!["pwd".into()],
        created_at: UnixMillis::from_seconds(NOW_SECONDS),
        ends_at: UnixMillis::NEVER,
    }
}

/// The store.
pub(crate) struct Sessions {
    rows: Mutex<Vec<(SecretDigest, FoundSession)>>,
    lookups: AtomicU64,
    is_broken: AtomicBool,
    keeps_answers_back: AtomicBool,
    answers: Semaphore,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            rows: Mutex::default(),
            lookups: AtomicU64::new(0),
            is_broken: AtomicBool::new(false),
            keeps_answers_back: AtomicBool::new(false),
            answers: Semaphore::new(0),
        }
    }
}

impl Sessions {
    /// Puts a living session in, to be found by the digest of this secret or by its id.
    pub(crate) fn add(&self, secret: &OpaqueSecret, session: FoundSession) {
        self.rows.lock().unwrap().push((secret.digest(), session));
    }

    /// From now on no session lives.
    pub(crate) fn end_all(&self) {
        self.rows.lock().unwrap().clear();
    }

    /// How often it was asked.
    pub(crate) fn lookups(&self) -> u64 {
        self.lookups.load(Relaxed)
    }

    /// Whether it fails from now on.
    pub(crate) fn break_down(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Relaxed);
    }

    /// Gives no answer until it is let go. What is looked up is read at once.
    pub(crate) fn keep_answers_back(&self) {
        self.keeps_answers_back.store(true, Relaxed);
    }

    /// Gives the answers that were kept back, and the next ones at once.
    pub(crate) fn let_answers_go(&self) {
        self.keeps_answers_back.store(false, Relaxed);
        self.answers.add_permits(100);
    }

    fn answer(&self, is_wanted: impl Fn(&SecretDigest, &FoundSession) -> bool) -> LookupFuture<'_> {
        self.lookups.fetch_add(1, Relaxed);
        let rows = self.rows.lock().unwrap();
        let found = rows.iter().find(|(digest, session)| is_wanted(digest, session)).map(|(_, found)| found.clone());
        let is_kept_back = self.keeps_answers_back.load(Relaxed);
        Box::pin(async move {
            if is_kept_back {
                self.answers.acquire().await.unwrap().forget();
            }
            if self.is_broken.load(Relaxed) { Err(LookupError) } else { Ok(found) }
        })
    }
}

impl SessionLookup for Sessions {
    fn by_id(&self, id: SessionId) -> LookupFuture<'_> {
        self.answer(|_, session| session.session == id)
    }

    fn by_secret(&self, digest: SecretDigest) -> LookupFuture<'_> {
        self.answer(|found, _| *found == digest)
    }
}
