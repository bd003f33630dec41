//! Trading a refresh token for new tokens.

use super::{
    App, AppError, RequestOrigin,
    issue::{Fresh, Issued, Transport},
};
use counterfoil_domain::{
    event::Occasion,
    rotation::{RefreshToken, TOKEN_PREFIX},
    scope::ScopeSet,
    session::{DeadReason, RefreshOutcome, RefreshRequest, refresh},
};

/// What is presented for a refresh.
pub struct RefreshInput {
    /// The refresh token.
    pub refresh_token: String,
    /// The access token of the same session, ended or not, if one came along.
    pub access_token: Option<String>,
    /// The scope asked for.
    pub scope: Option<String>,
    /// The client that says it is asking.
    pub client_id: Option<String>,
    /// How the new tokens are to travel: as the presented one came.
    pub transport: Transport,
}

/// New tokens.
pub type Refreshed = Issued;

impl App {
    /// Refreshes a session: tag check (a forged token ends here, without a store call), then one atomic store step that
    /// runs the rule.
    ///
    /// # Errors
    /// [`AppError`]: the token is not good, asks for too much, or lacks its access token; the store is not available.
    pub async fn refresh(&self, input: RefreshInput, origin: &RequestOrigin) -> Result<Refreshed, AppError> {
        let accepted_at = self.0.parts.clock.now();
        let token = self.parse_refresh_token(&input.refresh_token)?;
        self.check_access_token_along(&token, input.access_token.as_deref())?;
        let scope = input.scope.map(|scope| scope.parse::<ScopeSet>()).transpose()?;
        let request = RefreshRequest { token, scope, client_id: input.client_id, accepted_at };

        let (app, ip) = (self.clone(), origin.ip);
        let decided = self.store().decide_session(token.session, move |view, now| {
            let occasion = Occasion { now, ip, entropy: &*app.0.parts.entropy };
            refresh(view, &request, &app.refresh_terms(now), &occasion)
        });
        let (outcome, committed) = decided.await?;
        self.apply_committed(&committed);

        match outcome {
            RefreshOutcome::Granted { verdict, session, account, refresh_token, scope } => {
                tracing::debug!(session = %session.id, ?verdict, "refreshed");
                let fresh = Fresh { refresh_token: Some(refresh_token), secret: None };
                self.issue(&session, &account, &scope, &fresh, input.transport)
            }
            RefreshOutcome::Theft => {
                tracing::warn!(session = %token.session, ip = origin.ip.map(tracing::field::display), "refresh token reused: session ended");
                Err(AppError::InvalidGrant("reused"))
            }
            RefreshOutcome::Dead(reason) => Err(AppError::InvalidGrant(match reason {
                DeadReason::Unknown => "unknown session",
                DeadReason::Revoked => "session ended",
                DeadReason::Expired => "session expired",
                DeadReason::AccountDisabled => "account disabled",
                DeadReason::OtherClient => "another client's",
            })),
            RefreshOutcome::ScopeNotGranted => Err(AppError::ScopeNotGranted),
            RefreshOutcome::TooLate => Err(AppError::TooLate),
        }
    }

    pub(super) fn parse_refresh_token(&self, text: &str) -> Result<RefreshToken, AppError> {
        RefreshToken::parse(text, self.0.parts.keys.current().refresh()).map_err(|_| {
            // Three parts with dots is what people paste by mistake.
            let looks_like_jwt = !text.starts_with(TOKEN_PREFIX) && text.matches('.').count() == 2;
            if looks_like_jwt { AppError::NotARefreshToken } else { AppError::InvalidGrant("not one of ours") }
        })
    }

    /// An access token that comes along may have ended, and must be ours and of the same session: whoever stole the
    /// refresh token alone has not got it.
    fn check_access_token_along(&self, token: &RefreshToken, access_token: Option<&str>) -> Result<(), AppError> {
        let Some(access_token) = access_token else {
            return if self.settings().require_access_token { Err(AppError::AccessTokenMismatch) } else { Ok(()) };
        };
        match self.guard().recognize_token(access_token) {
            Ok(user) if user.session() == token.session => Ok(()),
            _ => Err(AppError::AccessTokenMismatch),
        }
    }
}
