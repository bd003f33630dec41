//! Extending a sliding session: one atomic store step, and a token with a later end.

use super::{
    App, AppError, RequestOrigin,
    issue::{Fresh, Issued, Transport},
};
use counterfoil_domain::{
    event::Occasion,
    scope::ScopeSet,
    session::{ExtendOutcome, extend},
};
use counterfoil_guard::{CurrentUser, ExtendFuture, ExtendedToken, NotExtended, Rejection, SessionExtender};
use std::sync::Arc;

impl App {
    /// Extends the session of this user. The new token may do what the presented one may, and no more.
    ///
    /// # Errors
    /// [`AppError::NotSliding`]; the session is over; the store is not available.
    pub async fn extend(
        &self,
        user: &CurrentUser,
        transport: Transport,
        origin: &RequestOrigin,
    ) -> Result<Issued, AppError> {
        let (entropy, ip, lifetimes) = (Arc::clone(&self.0.parts.entropy), origin.ip, self.settings().lifetimes);
        let decided = self.store().decide_session(user.session(), move |view, now| {
            extend(view, &lifetimes, &Occasion { now, ip, entropy: &*entropy })
        });
        let (outcome, _) = decided.await?;
        match outcome {
            ExtendOutcome::Extended { session, account } => {
                tracing::debug!(session = %session.id, "extended");
                let scope: &ScopeSet = user.scope();
                self.issue(&session, &account, scope, &Fresh::default(), transport)
            }
            ExtendOutcome::NotSliding => Err(AppError::NotSliding),
            ExtendOutcome::Dead(_) => Err(Rejection::Revoked.into()),
        }
    }
}

/// Services in the same process extend sessions by this.
impl SessionExtender for App {
    fn extend<'a>(&'a self, user: &'a CurrentUser) -> ExtendFuture<'a> {
        Box::pin(async move {
            let now = self.0.parts.clock.now();
            let extended = Self::extend(self, user, Transport::Body, &RequestOrigin::default()).await;
            let reply = extended.map(|issued| issued.reply).map_err(|error| {
                tracing::info!(%error, session = %user.session(), "a session was not extended");
                NotExtended
            })?;
            let (access_token, seconds) = reply.access_token.zip(reply.expires_in).ok_or(NotExtended)?;
            Ok(ExtendedToken { access_token, ends_at: now.plus(std::time::Duration::from_secs(seconds)) })
        })
    }
}
