//! Whether a token is good right now, for who cannot tell by itself (RFC 7662): the store is asked.

use super::{App, AppError, RequestOrigin};
use axum::http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use counterfoil_domain::{
    event::Occasion,
    opaque::{OpaqueSecret, SecretKind},
    session::{RefreshOutcome, RefreshRequest, Session, SessionView, refresh},
    time::UnixMillis,
};
use counterfoil_guard::{CurrentUser, Rejection};
use counterfoil_wire::Introspection;
use serde::Deserialize;

/// What a token says of its making.
#[derive(Deserialize)]
struct Minted {
    iat: u64,
    nbf: u64,
    aud: String,
}

impl App {
    /// What a token is. Whatever is not good is [`Introspection::INACTIVE`], and why is not told (RFC 7662 §2.2).
    ///
    /// # Errors
    /// The store is not available. What cannot be said is not said to be over.
    pub async fn introspect(&self, token: &str, origin: &RequestOrigin) -> Result<Introspection, AppError> {
        if let Ok(secret) = OpaqueSecret::parse(SecretKind::PersonalToken, token) {
            return self.introspect_personal(&secret).await;
        }
        if self.parse_refresh_token(token).is_ok() {
            return self.introspect_refresh(token, origin).await;
        }
        self.introspect_access(token).await
    }

    /// Signature, times and feed, as the guard judges them; then the session in the store: what another process has ended a
    /// moment ago is over here already.
    async fn introspect_access(&self, token: &str) -> Result<Introspection, AppError> {
        let user = match self.authenticate_bearer(token).await {
            Ok(user) if user.expires_at() > self.now() => user,
            Err(rejection) if rejection.status().is_server_error() => return Err(rejection.into()),
            _ => return Ok(Introspection::INACTIVE),
        };
        let view = self.living(self.store().session(user.session()).await?);
        let Some(SessionView { session, .. }) = view.filter(|view| view.session.account == user.account()) else {
            return Ok(Introspection::INACTIVE);
        };
        let Ok(Minted { iat, nbf, aud }) = user.claims() else { return Ok(Introspection::INACTIVE) };
        Ok(Introspection {
            token_type: Some("Bearer".to_owned()),
            jti: Some(user.token().to_string()),
            scope: Some(user.scope().to_string()),
            aud: Some(aud),
            iat: Some(iat),
            nbf: Some(nbf),
            exp: Some(seconds(user.expires_at())),
            generation: Some(user.generation().as_raw()),
            ..self.introspection_of(&session)
        })
    }

    async fn authenticate_bearer(&self, token: &str) -> Result<CurrentUser, Rejection> {
        let malformed = || Rejection::Malformed("the token holds what no header can");
        let header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| malformed())?;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header)]);
        self.guard().authenticate(&Method::GET, &headers).await
    }

    async fn introspect_refresh(&self, token: &str, origin: &RequestOrigin) -> Result<Introspection, AppError> {
        let token = self.parse_refresh_token(token)?;
        let view = self.store().session(token.session).await?;
        let now = self.0.parts.clock.now();
        let request = RefreshRequest { token, scope: None, client_id: None, accepted_at: now };
        // The rule of a refresh, of which nothing is written: a spent token ends no session by being asked about.
        let occasion = Occasion { now, ip: origin.ip, entropy: &*self.0.parts.entropy };
        let ruling = refresh(view.as_ref(), &request, &self.refresh_terms(now), &occasion);
        let RefreshOutcome::Granted { scope, .. } = ruling.outcome else { return Ok(Introspection::INACTIVE) };
        let Some(SessionView { session, .. }) = view else { return Ok(Introspection::INACTIVE) };
        let scope = Some(scope.to_string());
        Ok(Introspection { scope, exp: Some(seconds(session.ends_at())), ..self.introspection_of(&session) })
    }

    async fn introspect_personal(&self, secret: &OpaqueSecret) -> Result<Introspection, AppError> {
        let found = self.store().session_by_secret(secret.digest()).await?;
        let Some(view) = self.living(found) else { return Ok(Introspection::INACTIVE) };
        let session = view.session;
        let ends_at = session.ends_at();
        Ok(Introspection {
            token_type: Some("Bearer".to_owned()),
            jti: Some(session.personal_token_id().to_string()),
            scope: Some(session.scope.to_string()),
            aud: Some(self.settings().audience.clone()),
            iat: Some(seconds(session.created_at)),
            exp: (ends_at < UnixMillis::NEVER).then(|| seconds(ends_at)),
            auth_time: None,
            ..self.introspection_of(&session)
        })
    }

    /// What is the same of every token of a session.
    fn introspection_of(&self, session: &Session) -> Introspection {
        Introspection {
            active: true,
            iss: Some(self.settings().issuer.clone()),
            sub: Some(session.account.to_string()),
            client_id: Some(session.client_id.clone()),
            sid: Some(session.id.to_string()),
            generation: Some(session.account_generation.as_raw()),
            policy: Some(session.policy.to_string()),
            auth_time: Some(seconds(session.authenticated_at)),
            ..Introspection::INACTIVE
        }
    }

    fn living(&self, found: Option<SessionView>) -> Option<SessionView> {
        let now = self.0.parts.clock.now();
        found.filter(|view| view.session.dead_reason(&view.account, now).is_none())
    }
}

fn seconds(at: UnixMillis) -> u64 {
    u64::try_from(at.as_seconds()).unwrap_or(0)
}
