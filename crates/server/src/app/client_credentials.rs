//! Who a program is that presents a client's name and secret.
//!
//! A verifier polls once a second, and goes on while the store is down. So a client that was found good is remembered:
//! asked about again every few seconds, so that a deleted one is out soon, and taken as it was for a minute where the store
//! does not answer. Wrong secrets are 256 random bits to guess; what is held off is what each costs the store.

use super::{App, AppError, RequestOrigin};
use counterfoil_domain::{
    client::ClientId,
    opaque::{OpaqueSecret, SecretDigest, SecretKind},
};
use parking_lot::Mutex;
use std::{collections::HashMap, net::IpAddr, time::Duration};
use tokio::time::timeout;

/// After so long the store is asked again. With the time that this may take, a deleted client is out within ten seconds.
const ASKED_EVERY: Duration = Duration::from_secs(5);
/// How long a client that was found good stays so while the store does not answer.
const GOOD_WITHOUT_STORE_FOR: Duration = Duration::from_mins(1);
/// How long the store is waited for about a client that is remembered.
const STORE_WAIT: Duration = Duration::from_secs(2);
/// The most wrong secrets for one client from one address in a minute (RFC 6749 §2.3.1).
const WRONG_PER_MINUTE_MAX: u32 = 10;
const MINUTE: Duration = Duration::from_mins(1);
/// The most addresses and clients that wrong secrets are counted of. When it is full the count begins anew for all.
const COUNTED_MAX: usize = 10_000;

/// What is remembered.
#[derive(Default)]
pub(super) struct ClientCredentials {
    good: Mutex<HashMap<ClientId, Good>>,
    wrong: Mutex<HashMap<(Option<IpAddr>, ClientId), Wrong>>,
}

#[derive(Clone, Copy)]
struct Good {
    secret: SecretDigest,
    /// When the store last said so.
    found_at: Duration,
    /// When it was last asked: who comes meanwhile does not ask as well.
    asked_at: Duration,
}

struct Wrong {
    since: Duration,
    count: u32,
}

/// What is known without asking the store.
enum Known {
    Good,
    /// It was good; the store is to be asked again.
    WasGood,
    No,
}

impl ClientCredentials {
    fn recall(&self, id: &ClientId, presented: &SecretDigest, now: Duration) -> Known {
        let mut good = self.good.lock();
        let Some(held) = good.get_mut(id).filter(|held| held.secret.is_of_same_secret(presented)) else {
            return Known::No;
        };
        let since_found = now.saturating_sub(held.found_at);
        let is_being_asked = now.saturating_sub(held.asked_at) < ASKED_EVERY;
        if since_found < ASKED_EVERY || (is_being_asked && since_found < GOOD_WITHOUT_STORE_FOR) {
            return Known::Good;
        }
        held.asked_at = now;
        Known::WasGood
    }

    fn found_good(&self, id: &ClientId, secret: SecretDigest, now: Duration) {
        self.good.lock().insert(id.clone(), Good { secret, found_at: now, asked_at: now });
    }

    fn forget(&self, id: &ClientId, presented: &SecretDigest) {
        let mut good = self.good.lock();
        // Somebody else's wrong secret does not make the right one unknown.
        if good.get(id).is_some_and(|held| held.secret.is_of_same_secret(presented)) {
            good.remove(id);
        }
    }

    /// Whether a client that the store does not answer about was found good within the minute.
    fn is_good_without_store(&self, id: &ClientId, now: Duration) -> bool {
        let good = self.good.lock();
        good.get(id).is_some_and(|held| now.saturating_sub(held.found_at) < GOOD_WITHOUT_STORE_FOR)
    }

    fn is_braked(&self, from: &(Option<IpAddr>, ClientId), now: Duration) -> bool {
        let wrong = self.wrong.lock();
        let recent = wrong.get(from).filter(|wrong| now.saturating_sub(wrong.since) < MINUTE);
        recent.is_some_and(|wrong| wrong.count >= WRONG_PER_MINUTE_MAX)
    }

    fn was_wrong(&self, from: (Option<IpAddr>, ClientId), now: Duration) {
        let mut wrong = self.wrong.lock();
        if wrong.len() >= COUNTED_MAX && !wrong.contains_key(&from) {
            wrong.clear();
        }
        let counted = wrong.entry(from).or_insert(Wrong { since: now, count: 0 });
        if now.saturating_sub(counted.since) >= MINUTE {
            *counted = Wrong { since: now, count: 0 };
        }
        counted.count = counted.count.saturating_add(1);
    }
}

impl App {
    /// Says which client presents this name and secret.
    ///
    /// # Errors
    /// [`AppError::InvalidClient`], the same for an unknown client and a wrong secret; [`AppError::TooManyAttempts`]; the store
    /// is not available, and the client was not found good within the minute.
    pub async fn authenticate_client(
        &self,
        id: &str,
        secret: &str,
        origin: &RequestOrigin,
    ) -> Result<ClientId, AppError> {
        // What is no name or no secret was never given to anybody: no store is asked.
        let id = id.parse::<ClientId>().map_err(|_| AppError::InvalidClient)?;
        let secret = OpaqueSecret::parse(SecretKind::ClientSecret, secret).map_err(|_| AppError::InvalidClient)?;
        let presented = secret.digest();
        let (known, now) = (&self.0.client_credentials, self.0.parts.clock.monotonic());
        match known.recall(&id, &presented, now) {
            Known::Good => return Ok(id),
            Known::WasGood => match timeout(STORE_WAIT, self.ask_for_client(&id, &presented, now)).await {
                Ok(Ok(true)) => return Ok(id),
                Ok(Ok(false)) => {}
                Ok(Err(_)) | Err(_) if known.is_good_without_store(&id, now) => return Ok(id),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(AppError::TooLate),
            },
            Known::No => {
                if known.is_braked(&(origin.ip, id.clone()), now) {
                    return Err(AppError::TooManyAttempts);
                }
                if self.ask_for_client(&id, &presented, now).await? {
                    return Ok(id);
                }
            }
        }
        tracing::warn!(client = %id, ip = origin.ip.map(tracing::field::display), "a client's name or secret is wrong");
        known.was_wrong((origin.ip, id), now);
        Err(AppError::InvalidClient)
    }

    /// Whether the store has the client with this secret.
    async fn ask_for_client(&self, id: &ClientId, presented: &SecretDigest, now: Duration) -> Result<bool, AppError> {
        let found = self.store().client(id).await?;
        let is_good = found.is_some_and(|client| client.secret.is_of_same_secret(presented));
        if is_good {
            self.0.client_credentials.found_good(id, *presented, now);
        } else {
            self.0.client_credentials.forget(id, presented);
        }
        Ok(is_good)
    }
}
