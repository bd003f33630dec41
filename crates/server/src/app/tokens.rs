//! Minting access tokens, and the answer that carries them.

use super::{App, AppError, present};
use counterfoil_domain::{
    account::Account, entropy::random_bytes, id::TokenId, rotation::RefreshToken, scope::ScopeSet, session::Session,
    time::UnixMillis,
};
use counterfoil_wire::{ACCESS_TOKEN_TYPE, AccessClaims, TokenReply};
use std::time::Duration;

/// When a client should refresh: after this share of the access token's life, in thousandths…
const REFRESH_AFTER_PER_MILLE: u64 = 700;
/// …and up to this much later, so that clients that started together do not come together, and so that a thief who
/// wants to refresh whenever his victim does cannot tell when that is.
const REFRESH_JITTER_PER_MILLE: u64 = 150;

/// How a person proves who they are by a password (RFC 8176 §2).
const METHOD_PASSWORD: &str = "pwd";

impl App {
    /// The answer with new tokens for a session that has just been opened or refreshed.
    pub(super) fn token_reply(
        &self,
        session: &Session,
        account: &Account,
        refresh_token: RefreshToken,
        scope: &ScopeSet,
    ) -> Result<TokenReply, AppError> {
        let now = self.0.parts.clock.now();
        self.0.emails.remember(account);
        // A token never outlives its session's absolute limit.
        let expires_at = now.plus(self.settings().lifetimes.access_token_lifetime).min(session.absolute_until);
        let lifetime = expires_at.since(now);
        Ok(TokenReply {
            token_type: "Bearer".to_owned(),
            access_token: self.access_token(session, scope, now, expires_at)?,
            expires_in: lifetime.as_secs(),
            refresh_token: refresh_token.issue(self.0.parts.keys.refresh()),
            refresh_expires_in: session.ends_at().since(now).as_secs(),
            refresh_at: present::timestamp(now.plus(self.refresh_after(lifetime))),
            scope: scope.to_string(),
            session: present::session_body(session, Some(session.id)),
            account: present::account_body(account),
        })
    }

    fn access_token(
        &self,
        session: &Session,
        scope: &ScopeSet,
        now: UnixMillis,
        expires_at: UnixMillis,
    ) -> Result<String, AppError> {
        let seconds = |at: UnixMillis| u64::try_from(at.as_seconds()).unwrap_or(0);
        let claims = AccessClaims {
            iss: self.settings().issuer.as_str().into(),
            sub: session.account.to_string().into(),
            aud: self.settings().audience.as_str().into(),
            exp: seconds(expires_at),
            iat: seconds(now),
            nbf: seconds(now),
            jti: TokenId::generate(now, &*self.0.parts.entropy).to_string().into(),
            client_id: session.client_id.as_str().into(),
            scope: scope.to_string().into(),
            sid: session.id.to_string().into(),
            generation: session.account_generation.as_raw(),
            auth_time: seconds(session.authenticated_at),
            amr: vec![METHOD_PASSWORD.into()],
        };
        Ok(counterfoil_jwt::sign(self.0.parts.keys.signing(), ACCESS_TOKEN_TYPE, &claims)?)
    }

    fn refresh_after(&self, lifetime: Duration) -> Duration {
        let [random] = random_bytes::<1>(&*self.0.parts.entropy);
        let per_mille = REFRESH_AFTER_PER_MILLE + REFRESH_JITTER_PER_MILLE * u64::from(random) / 255;
        let millis = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(millis.saturating_mul(per_mille) / 1000)
    }
}
