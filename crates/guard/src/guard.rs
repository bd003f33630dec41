//! The guard itself: from a request's headers to who is asking.

use crate::{CurrentUser, Rejection, Revocations, bearer::bearer_token};
use arc_swap::ArcSwap;
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    revocation::Presented,
    rotation,
    scope::ScopeSet,
    time::{Clock, UnixMillis},
};
use counterfoil_jwt::{KeySet, Policy, Verified, verify_borrowed};
use counterfoil_wire::AccessClaims;
use http::HeaderMap;
use std::sync::Arc;

/// Verifies access tokens. Cheap to clone: all clones are the same guard.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    policy: Policy,
    keys: ArcSwap<KeySet>,
    revocations: Arc<Revocations>,
    clock: Arc<dyn Clock>,
}

impl Guard {
    /// A guard with these rules, keys and revocations. It answers 503 until `revocations` has been loaded.
    pub fn new(policy: Policy, keys: KeySet, revocations: Arc<Revocations>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { policy, keys: ArcSwap::from_pointee(keys), revocations, clock }))
    }

    /// Takes a new key set; requests on their way keep the old one.
    pub fn replace_keys(&self, keys: KeySet) {
        self.0.keys.store(Arc::new(keys));
    }

    /// Who sends these headers.
    ///
    /// # Errors
    /// [`Rejection`]: no token, a token that is not good, or not ready yet.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<CurrentUser, Rejection> {
        self.authenticate_token(bearer_token(headers)?)
    }

    /// Whose access token this is.
    ///
    /// # Errors
    /// [`Rejection`]: the token is not good, or not ready yet.
    pub fn authenticate_token(&self, token: &str) -> Result<CurrentUser, Rejection> {
        let inner = &*self.0;
        if !inner.revocations.is_loaded() {
            return Err(Rejection::NotReady);
        }
        let mut buffer = Vec::with_capacity(CLAIMS_BYTES_USUAL);
        let verified = self.verify(token, &inner.policy, &mut buffer)?;
        let claims = verified.claims();
        let user = read_claims(claims)?;
        let presented = Presented {
            session: Some(user.session),
            account: Some(user.account),
            generation: user.generation,
            token: Some(user.token),
            issuer: &claims.iss,
            kid: verified.header().key_id(),
            issued_at: UnixMillis::from_seconds(i64::try_from(claims.iat).unwrap_or(i64::MAX)),
        };
        if inner.revocations.refusal(&presented).is_some() {
            return Err(Rejection::Revoked);
        }
        Ok(user)
    }

    /// Whose access token this is or was: an ended one is taken as well. For telling which session a request is about,
    /// never for letting it in.
    ///
    /// # Errors
    /// [`Rejection`]: the token was never good.
    pub fn recognize_token(&self, token: &str) -> Result<CurrentUser, Rejection> {
        let mut buffer = Vec::with_capacity(CLAIMS_BYTES_USUAL);
        read_claims(self.verify(token, &self.0.policy.clone().ignore_times(), &mut buffer)?.claims())
    }

    fn verify<'b>(
        &self,
        token: &str,
        policy: &Policy,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Verified<AccessClaims<'b>>, Rejection> {
        // The mistake that everybody makes once deserves a plain word.
        if token.starts_with(rotation::TOKEN_PREFIX) {
            let detail = "this is a refresh token: trade it for an access token and send that one".to_owned();
            return Err(Rejection::Refused { code: "refresh_token_presented", detail });
        }
        let now_unix_seconds = u64::try_from(self.0.clock.now().as_seconds()).unwrap_or(0);
        verify_borrowed(token, &**self.0.keys.load(), policy, now_unix_seconds, buffer)
            .map_err(|error| Rejection::Refused { code: error.code(), detail: error.to_string() })
    }
}

/// Claims of this server are some 400 bytes; more grow the buffer.
const CLAIMS_BYTES_USUAL: usize = 512;

fn read_claims(claims: &AccessClaims<'_>) -> Result<CurrentUser, Rejection> {
    let detail = "the token's claims are not of this server's making";
    to_user(claims).ok_or_else(|| Rejection::Refused { code: "claims_not_ours", detail: detail.to_owned() })
}

fn to_user(claims: &AccessClaims<'_>) -> Option<CurrentUser> {
    let seconds = |seconds: u64| i64::try_from(seconds).ok().map(UnixMillis::from_seconds);
    Some(CurrentUser {
        account: claims.sub.parse::<AccountId>().ok()?,
        session: claims.sid.parse::<SessionId>().ok()?,
        token: claims.jti.parse::<TokenId>().ok()?,
        generation: AccountGeneration::from_raw(claims.generation),
        client_id: claims.client_id.as_ref().to_owned(),
        scope: claims.scope.parse::<ScopeSet>().ok()?,
        authenticated_at: seconds(claims.auth_time)?,
        methods: claims.amr.iter().map(|method| method.as_ref().to_owned()).collect(),
        expires_at: seconds(claims.exp)?,
    })
}
