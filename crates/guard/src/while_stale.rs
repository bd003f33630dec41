//! A good token while it cannot be proven that every sign-out is known.

use crate::{CurrentUser, Guard, Rejection, cookies::same_origin::Intent, stale::WhileStale, telemetry};
use counterfoil_domain::{opaque::SecretKind, policy::SessionPolicy, revocation::Freshness};
use std::time::Duration;

impl Guard {
    /// Lets a user in, or not, as the route's policy has it.
    pub(crate) async fn while_stale(
        &self,
        intent: Intent,
        presented: &[u8],
        user: CurrentUser,
        monotonic: Duration,
    ) -> Result<CurrentUser, Rejection> {
        match self.decide_while_stale(intent, monotonic) {
            None => self.look_again(presented).await,
            Some(WhileStale::Accept) => {
                telemetry::stale("accepted");
                Ok(user)
            }
            Some(WhileStale::Ask) => self.ask_about(presented, user).await,
            Some(WhileStale::Refuse) => {
                telemetry::stale("refused");
                Err(Rejection::RevocationsStale)
            }
        }
    }

    /// It has become fresh since the ledger was asked: what it says now counts.
    async fn look_again(&self, presented: &[u8]) -> Result<CurrentUser, Rejection> {
        let text = std::str::from_utf8(presented).unwrap_or_default();
        match self.remembered(presented, self.now()) {
            Some(verdict) => verdict,
            None if text.starts_with(SecretKind::PersonalToken.prefix()) => self.by_personal_token(text).await,
            None => self.verify_and_remember(text),
        }
    }

    /// Whether a token is accepted without asking anybody.
    pub(crate) fn goes_on_while_stale(&self, intent: Intent, monotonic: Duration) -> bool {
        matches!(self.decide_while_stale(intent, monotonic), None | Some(WhileStale::Accept))
    }

    /// `None`: it is not stale after all.
    fn decide_while_stale(&self, intent: Intent, monotonic: Duration) -> Option<WhileStale> {
        match self.0.revocations.freshness(monotonic) {
            Freshness::InSync | Freshness::Lagging(_) => None,
            // A token was verified before, so the feed has been read: this cannot be. The safe side, if it is.
            Freshness::Cold => Some(WhileStale::Refuse),
            Freshness::Stale(stale_for) => Some(self.1.policy(intent).decide(stale_for)),
        }
    }

    async fn ask_about(&self, presented: &[u8], user: CurrentUser) -> Result<CurrentUser, Rejection> {
        let text = std::str::from_utf8(presented).unwrap_or_default();
        // Looking it up anew is what is done with it anyway when it is not remembered.
        if user.policy() == SessionPolicy::Personal {
            return self.by_personal_token(text).await;
        }
        let Some(upstream) = &self.0.upstream else { return Err(Rejection::RevocationsStale) };
        match upstream.introspect(text).await {
            Ok(Some(_)) => {
                telemetry::stale("checked");
                Ok(user)
            }
            Ok(None) => Err(Rejection::Revoked),
            Err(_) => {
                telemetry::stale("refused");
                Err(Rejection::RevocationsStale)
            }
        }
    }
}
