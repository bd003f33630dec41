//! The one door to revocation: whoever asks (the person, a client, an operator at the command line), sessions are
//! ended here. Theft found at a refresh is the one exception, because it must be decided inside the refresh's own
//! atomic step.

use super::AppError;
use counterfoil_domain::{
    entropy::Entropy,
    event::Occasion,
    id::{AccountId, SessionId},
    revocation::FeedPosition,
    session::{EndOne, EndedOne, Ruling, end_every, end_everybody, end_one},
    store::{Committed, Store},
    time::UnixMillis,
};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// How many sessions were ended, and where the feed stood then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndedSessions {
    /// How many were ended.
    pub revoked: usize,
    /// A verifier that has applied this place refuses them.
    pub feed: FeedPosition,
}

/// Ends sessions in a store. What was committed comes back with the outcome, for whoever keeps revocations
/// in memory.
pub(super) struct Revoke<'s> {
    pub(super) store: &'s (dyn Store + 'static),
    pub(super) entropy: &'s Arc<dyn Entropy>,
    /// How long feed entries must be kept.
    pub(super) longest_token_lifetime: Duration,
    /// From where it was asked for, if over the network.
    pub(super) ip: Option<IpAddr>,
}

impl Revoke<'_> {
    /// Ends one session.
    ///
    /// # Errors
    /// [`AppError::SessionNotFound`] when there is none for whoever asks; the store is not available.
    pub(super) async fn session(&self, id: SessionId, by: EndOne) -> Result<(EndedSessions, Committed), AppError> {
        let (entropy, ip, lifetime) = (Arc::clone(self.entropy), self.ip, self.longest_token_lifetime);
        let decided = self.store.decide_session(id, move |view, now| {
            end_one(view, &by, lifetime, &Occasion { now, ip, entropy: &*entropy })
        });
        let (outcome, committed) = decided.await?;
        let revoked = match outcome {
            EndedOne::NotFound => return Err(AppError::SessionNotFound),
            EndedOne::WasOver => 0,
            EndedOne::Ended => 1,
        };
        if revoked > 0 {
            tracing::info!(session = %id, "signed out");
        }
        Ok((EndedSessions { revoked, feed: committed.feed.position }, committed))
    }

    /// Ends every session of every account.
    ///
    /// # Errors
    /// The store is not available.
    pub(super) async fn everybody(&self, now: UnixMillis) -> Result<Committed, AppError> {
        let occasion = Occasion { now, ip: self.ip, entropy: &**self.entropy };
        let out = end_everybody(&self.store.keys().await?, self.longest_token_lifetime, &occasion);
        let committed = self.store.raise_session_cutoff(out.cutoff, out.drafts, out.event).await?;
        tracing::warn!("everybody was signed out");
        Ok(committed)
    }

    /// Ends every session of an account, or every one but `keep`.
    ///
    /// # Errors
    /// [`AppError::AccountNotFound`]; the store is not available.
    pub(super) async fn account(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
    ) -> Result<(EndedSessions, Committed), AppError> {
        let (entropy, ip, lifetime) = (Arc::clone(self.entropy), self.ip, self.longest_token_lifetime);
        let decided = self.store.decide_account(account, move |view, now| {
            let Some(view) = view else { return Ruling::unchanged(None) };
            let ruling = end_every(view, keep, lifetime, &Occasion { now, ip, entropy: &*entropy });
            Ruling { changes: ruling.changes, outcome: Some(ruling.outcome) }
        });
        let (outcome, committed) = decided.await?;
        let revoked = outcome.ok_or(AppError::AccountNotFound)?;
        tracing::info!(%account, revoked, "{}", if keep.is_some() { "signed out elsewhere" } else { "signed out everywhere" });
        Ok((EndedSessions { revoked, feed: committed.feed.position }, committed))
    }
}
