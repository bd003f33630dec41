//! Minting access tokens.

use super::{App, AppError};
use counterfoil_domain::{
    account::Account, entropy::random_bytes, id::TokenId, policy::SessionPolicy, scope::ScopeSet, session::Session,
    time::UnixMillis,
};
use counterfoil_wire::{ACCESS_TOKEN_TYPE, AccessClaims};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// When a client should refresh: after this share of the access token's life, in thousandths…
const REFRESH_AFTER_PER_MILLE: u64 = 700;
/// …and up to this much later, so that clients that started together do not come together, and so that a thief who
/// wants to refresh whenever his victim does cannot tell when that is.
const REFRESH_JITTER_PER_MILLE: u64 = 150;

/// How a person proves who they are by a password (RFC 8176 §2).
pub(super) const METHOD_PASSWORD: &str = "pwd";

/// Our claims and the operator's, in one object. No name is in both: reserved ones are refused by the configuration.
#[derive(Serialize)]
struct WithCustomClaims<'a> {
    #[serde(flatten)]
    claims: AccessClaims<'a>,
    #[serde(flatten)]
    custom: Map<String, Value>,
}

impl App {
    pub(super) fn access_token(
        &self,
        session: &Session,
        account: &Account,
        scope: &ScopeSet,
        now: UnixMillis,
        expires_at: UnixMillis,
    ) -> Result<String, AppError> {
        let seconds = |at: UnixMillis| u64::try_from(at.as_seconds()).unwrap_or(0);
        let settings = self.settings();
        let claims = AccessClaims {
            iss: settings.issuer.as_str().into(),
            sub: session.account.to_string().into(),
            aud: settings.audience.as_str().into(),
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
            policy: (session.policy != SessionPolicy::Refresh).then(|| session.policy.as_str().into()),
            roles: account.roles.iter().map(|role| role.as_str().into()).collect(),
        };
        let keys = self.0.parts.keys.current();
        let key = keys.signing();
        let custom = settings.custom_claims.of(account)?;
        if custom.is_empty() {
            return Ok(counterfoil_jwt::sign(key, ACCESS_TOKEN_TYPE, &claims)?);
        }
        Ok(counterfoil_jwt::sign(key, ACCESS_TOKEN_TYPE, &WithCustomClaims { claims, custom })?)
    }

    pub(super) fn refresh_after(&self, lifetime: Duration) -> Duration {
        let [random] = random_bytes::<1>(&*self.0.parts.entropy);
        let per_mille = REFRESH_AFTER_PER_MILLE + REFRESH_JITTER_PER_MILLE * u64::from(random) / 255;
        let millis = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(millis.saturating_mul(per_mille) / 1000)
    }
}
