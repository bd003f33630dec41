//! From a verified token's claims to who is asking.

use crate::{
    Rejection,
    current_user::VerifiedUser,
    verified_cache::{VerifiedToken, freshness::GoodAt},
};
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, SessionId, TokenId},
    policy::SessionPolicy,
    scope::ScopeSet,
    time::UnixMillis,
};
use counterfoil_jwt::Verified;
use counterfoil_wire::AccessClaims;
use serde_json::Map;
use std::{
    borrow::Cow,
    sync::{OnceLock, atomic::AtomicBool},
};

/// The token and what it says. `changes` is how often the revocations had changed before they are asked about it.
///
/// # Errors
/// [`Rejection::Refused`] `claims_not_ours`: the signature is good, and the claims are no access token of this server's.
pub(crate) fn to_token(
    token: &str,
    key_generation: u64,
    verified: &Verified<AccessClaims<'_>>,
    changes: u64,
) -> Result<VerifiedToken, Rejection> {
    let claims = verified.claims();
    let detail = "the token's claims are not of this server's making";
    let not_ours = || Rejection::Refused { code: "claims_not_ours", detail: detail.to_owned() };
    Ok(VerifiedToken {
        is_to_be_looked_up_again: false,
        token: token.as_bytes().into(),
        key_generation,
        expires_at: verified.expires_at(),
        not_before: verified.not_before(),
        issuer: Some(claims.iss.as_ref().into()),
        key_id: verified.header().key_id().map(Into::into),
        issued_at: UnixMillis::from_seconds(i64::try_from(claims.iat).unwrap_or(i64::MAX)),
        not_revoked_at: GoodAt::new(changes),
        recently_used: AtomicBool::new(false),
        user: to_user(claims).ok_or_else(not_ours)?,
    })
}

fn owned(texts: &[Cow<'_, str>]) -> Box<[String]> {
    texts.iter().map(|text| text.as_ref().to_owned()).collect()
}

fn to_user(claims: &AccessClaims<'_>) -> Option<VerifiedUser> {
    let is_signed = |policy: &SessionPolicy| policy.has_signed_token();
    let seconds = |seconds: u64| i64::try_from(seconds).ok().map(UnixMillis::from_seconds);
    Some(VerifiedUser {
        policy: claims.policy.as_deref().map_or(Ok(SessionPolicy::Refresh), str::parse).ok().filter(is_signed)?,
        account: claims.sub.parse::<AccountId>().ok()?,
        session: claims.sid.parse::<SessionId>().ok()?,
        token: claims.jti.parse::<TokenId>().ok()?,
        generation: AccountGeneration::from_raw(claims.generation),
        client_id: claims.client_id.as_ref().into(),
        scope: claims.scope.parse::<ScopeSet>().ok()?,
        authenticated_at: seconds(claims.auth_time)?,
        methods: owned(&claims.amr),
        roles: owned(&claims.roles),
        expires_at: seconds(claims.exp)?,
        custom_claims: Map::new(),
        identity_headers: OnceLock::new(),
    })
}
