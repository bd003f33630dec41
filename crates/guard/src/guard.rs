//! The guard itself: from a request's headers to who is asking.

use crate::{
    CurrentUser, Rejection, Revocations, bearer,
    current_user::VerifiedUser,
    keys::KeysInUse,
    verified_cache::{VerifiedCache, VerifiedToken, freshness::GoodAt},
};
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    rotation,
    scope::ScopeSet,
    time::{Clock, UnixMillis},
};
use counterfoil_jwt::{KeySet, Policy, Verified, verify_borrowed};
use counterfoil_wire::AccessClaims;
use http::HeaderMap;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Verifies access tokens. Cheap to clone: all clones are the same guard.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    policy: Policy,
    /// The same, for telling whose an ended token was.
    policy_without_times: Policy,
    keys: KeysInUse,
    revocations: Arc<Revocations>,
    clock: Arc<dyn Clock>,
    verified: VerifiedCache,
    verifications: AtomicU64,
}

impl Guard {
    /// How many verified tokens a guard remembers unless told otherwise. Each takes some 1.2 kB, and none more than 16.
    pub const VERIFIED_TOKENS_MAX: usize = 32_768;

    /// A guard with these rules, keys and revocations. It answers 503 until `revocations` has been loaded.
    pub fn new(policy: Policy, keys: KeySet, revocations: Arc<Revocations>, clock: Arc<dyn Clock>) -> Self {
        Self::with_verified_tokens_max(policy, keys, revocations, clock, Self::VERIFIED_TOKENS_MAX)
    }

    /// As [`Guard::new`], remembering about so many verified tokens: as many as are in use at a time is right. Tokens that
    /// are not remembered are verified at each request.
    pub fn with_verified_tokens_max(
        policy: Policy,
        keys: KeySet,
        revocations: Arc<Revocations>,
        clock: Arc<dyn Clock>,
        verified_tokens_max: usize,
    ) -> Self {
        Self(Arc::new(Inner {
            policy_without_times: policy.clone().ignore_times(),
            policy,
            keys: KeysInUse::new(keys),
            revocations,
            clock,
            verified: VerifiedCache::new(verified_tokens_max),
            verifications: AtomicU64::new(0),
        }))
    }

    /// Takes a new key set; requests on their way keep the old one.
    pub fn replace_keys(&self, keys: KeySet) {
        self.0.keys.replace(keys);
        self.0.verified.clear();
    }

    /// Who sends these headers.
    ///
    /// # Errors
    /// [`Rejection`]: no token, a token that is not good, or not ready yet.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<CurrentUser, Rejection> {
        let presented = bearer::presented(headers)?;
        match self.remembered(presented) {
            Some(verdict) => verdict,
            None => self.verify_and_remember(bearer::well_formed(presented)?),
        }
    }

    /// Whose access token this is.
    ///
    /// # Errors
    /// [`Rejection`]: the token is not good, or not ready yet.
    pub fn authenticate_token(&self, token: &str) -> Result<CurrentUser, Rejection> {
        self.remembered(token.as_bytes()).unwrap_or_else(|| self.verify_and_remember(token))
    }

    /// Whose access token this is or was: an ended one is taken as well. For telling which session a request is about,
    /// never for letting it in.
    ///
    /// # Errors
    /// [`Rejection`]: the token was never good.
    pub fn recognize_token(&self, token: &str) -> Result<CurrentUser, Rejection> {
        let inner = &*self.0;
        let (mut buffer, keys) = (Vec::with_capacity(CLAIMS_BYTES_USUAL), inner.keys.current());
        let verified = self.verify(token, &keys.set, &inner.policy_without_times, &mut buffer)?;
        Ok(CurrentUser::counted(Arc::new(to_token(token, keys.number, &verified, 0)?)))
    }

    /// How many tokens were verified in full, and not found among those verified before.
    pub fn verifications(&self) -> u64 {
        self.0.verifications.load(Ordering::Relaxed)
    }

    /// What is to be said of a token that was verified before with today's keys.
    fn remembered(&self, token: &[u8]) -> Option<Result<CurrentUser, Rejection>> {
        let inner = &*self.0;
        let known = inner.verified.find(token, inner.keys.generation())?;
        let times = inner.policy.validate_times(known.expires_at, known.not_before, self.now_unix_seconds());
        Some(times.map_err(refused).and_then(|()| {
            let not_revoked = known
                .is_still_good(inner.revocations.changes(), |presented| inner.revocations.refusal(presented).is_none());
            if not_revoked { Ok(CurrentUser::cached(known)) } else { Err(Rejection::Revoked) }
        }))
    }

    fn verify_and_remember(&self, token: &str) -> Result<CurrentUser, Rejection> {
        let inner = &*self.0;
        if !inner.revocations.is_loaded() {
            return Err(Rejection::NotReady);
        }
        let (mut buffer, keys) = (Vec::with_capacity(CLAIMS_BYTES_USUAL), inner.keys.current());
        let verified = self.verify(token, &keys.set, &inner.policy, &mut buffer)?;
        // Counted before it is looked up: what is revoked in between is looked up again.
        let changes = inner.revocations.changes().count();
        let entry = Arc::new(to_token(token, keys.number, &verified, changes)?);
        if inner.revocations.refusal(&entry.presented()).is_some() {
            return Err(Rejection::Revoked);
        }
        inner.verified.insert(Arc::clone(&entry), &inner.policy, self.now_unix_seconds());
        Ok(CurrentUser::counted(entry))
    }

    fn verify<'b>(
        &self,
        token: &str,
        keys: &KeySet,
        policy: &Policy,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Verified<AccessClaims<'b>>, Rejection> {
        // The mistake that everybody makes once deserves a plain word.
        if token.starts_with(rotation::TOKEN_PREFIX) {
            let detail = "this is a refresh token: trade it for an access token and send that one".to_owned();
            return Err(Rejection::Refused { code: "refresh_token_presented", detail });
        }
        self.0.verifications.fetch_add(1, Ordering::Relaxed);
        verify_borrowed(token, keys, policy, self.now_unix_seconds(), buffer).map_err(refused)
    }

    fn now_unix_seconds(&self) -> u64 {
        u64::try_from(self.0.clock.now().as_seconds()).unwrap_or(0)
    }
}

/// Claims of this server are some 400 bytes; more grow the buffer.
const CLAIMS_BYTES_USUAL: usize = 512;

fn refused(error: counterfoil_jwt::Error) -> Rejection {
    Rejection::Refused { code: error.code(), detail: error.to_string() }
}

fn to_token(
    token: &str,
    key_generation: u64,
    verified: &Verified<AccessClaims<'_>>,
    changes: u64,
) -> Result<VerifiedToken, Rejection> {
    let claims = verified.claims();
    let detail = "the token's claims are not of this server's making";
    let not_ours = || Rejection::Refused { code: "claims_not_ours", detail: detail.to_owned() };
    Ok(VerifiedToken {
        token: token.as_bytes().into(),
        key_generation,
        expires_at: verified.expires_at(),
        not_before: verified.not_before(),
        issuer: claims.iss.as_ref().into(),
        key_id: verified.header().key_id().map(Into::into),
        issued_at: UnixMillis::from_seconds(i64::try_from(claims.iat).unwrap_or(i64::MAX)),
        not_revoked_at: GoodAt::new(changes),
        recently_used: AtomicBool::new(false),
        user: to_user(claims).ok_or_else(not_ours)?,
    })
}

fn to_user(claims: &AccessClaims<'_>) -> Option<VerifiedUser> {
    let seconds = |seconds: u64| i64::try_from(seconds).ok().map(UnixMillis::from_seconds);
    Some(VerifiedUser {
        account: claims.sub.parse::<AccountId>().ok()?,
        session: claims.sid.parse::<SessionId>().ok()?,
        token: claims.jti.parse::<TokenId>().ok()?,
        generation: AccountGeneration::from_raw(claims.generation),
        client_id: claims.client_id.as_ref().into(),
        scope: claims.scope.parse::<ScopeSet>().ok()?,
        authenticated_at: seconds(claims.auth_time)?,
        methods: claims.amr.iter().map(|method| method.as_ref().to_owned()).collect(),
        expires_at: seconds(claims.exp)?,
        identity_headers: OnceLock::new(),
    })
}
