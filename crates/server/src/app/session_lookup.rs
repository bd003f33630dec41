//! Looking sessions up in the store, for the policies under which that is done at each request.

use super::{CustomClaims, Settings, tokens::METHOD_PASSWORD};
use counterfoil_domain::{
    entropy::Entropy,
    event::Occasion,
    id::SessionId,
    opaque::SecretDigest,
    policy::{Lifetimes, SessionPolicy},
    session::{SessionView, is_to_be_touched, touch},
    store::{Store, StoreError},
    time::Clock,
};
use counterfoil_guard::{FoundSession, LookupError, LookupFuture, SessionLookup};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a request waits for its use to be written down.
const TOUCH_WAIT: Duration = Duration::from_millis(50);

/// The sessions of the store, as the guard looks them up: one read each, and a write once a minute for those in use.
pub struct StoredSessions {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    lifetimes: Lifetimes,
    custom_claims: CustomClaims,
}

impl StoredSessions {
    /// The sessions of this store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, settings: &Settings) -> Self {
        let (lifetimes, custom_claims) = (settings.lifetimes, settings.custom_claims.clone());
        Self { store, clock, entropy, lifetimes, custom_claims }
    }

    async fn judge(&self, found: Result<Option<SessionView>, StoreError>) -> Result<Option<FoundSession>, LookupError> {
        let found = found.map_err(|error| {
            tracing::error!(%error, "a session could not be looked up");
            LookupError
        })?;
        let now = self.clock.now();
        let Some(view) = found.filter(|view| view.session.dead_reason(&view.account, now).is_none()) else {
            return Ok(None);
        };
        if is_to_be_touched(&view.session, now) {
            self.touch(view.session.id).await;
        }
        let SessionView { session, account } = view;
        let custom_claims = self.custom_claims.of(&account).map_err(|error| {
            tracing::error!(%error, account = %account.id, "a session could not be looked up");
            LookupError
        })?;
        // A personal token was made by somebody who had signed in; whoever uses it has not.
        let is_person = session.policy != SessionPolicy::Personal;
        Ok(Some(FoundSession {
            session: session.id,
            account: account.id,
            generation: session.account_generation,
            policy: session.policy,
            ends_at: session.ends_at(),
            client_id: session.client_id,
            scope: session.scope,
            roles: account.roles,
            custom_claims,
            authenticated_at: session.authenticated_at,
            methods: if is_person { vec![METHOD_PASSWORD.to_owned()] } else { Vec::new() },
            created_at: session.created_at,
        }))
    }

    /// Writes down that the session was used. If that fails the request goes on: it was let in by what was read, and the
    /// next one tries again.
    async fn touch(&self, id: SessionId) {
        let (entropy, lifetimes) = (Arc::clone(&self.entropy), self.lifetimes);
        let touched = self.store.decide_session(id, move |view, now| {
            touch(view, &lifetimes, &Occasion { now, ip: None, entropy: &*entropy })
        });
        match timeout(TOUCH_WAIT, touched).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, session = %id, "the use of a session could not be written down"),
            // It is in the store's queue and will be done; reading waits for no slow disk.
            Err(_) => tracing::debug!(session = %id, "the use of a session is being written down"),
        }
    }
}

impl SessionLookup for StoredSessions {
    fn by_id(&self, id: SessionId) -> LookupFuture<'_> {
        Box::pin(async move { self.judge(self.store.session(id).await).await })
    }

    fn by_secret(&self, digest: SecretDigest) -> LookupFuture<'_> {
        Box::pin(async move { self.judge(self.store.session_by_secret(digest).await).await })
    }
}
