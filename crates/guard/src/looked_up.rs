//! Credentials that say nothing by themselves, and tokens that are only good while their session is found alive.

use crate::{
    CurrentUser, FoundSession, Guard, Rejection, SessionLookup,
    current_user::VerifiedUser,
    introspected,
    verified_cache::{VerifiedToken, freshness::GoodAt},
};
use counterfoil_domain::{
    account::AccountGeneration,
    id::{AccountId, TokenId},
    opaque::{OpaqueSecret, SecretKind},
    policy::{PERSONAL_TOKEN_REMEMBERED_FOR, SessionPolicy},
    time::UnixMillis,
};
use counterfoil_jwt::NumericDate;
use std::sync::{Arc, OnceLock, atomic::AtomicBool};

impl Guard {
    /// Who holds this session cookie: one look-up.
    pub(crate) async fn by_session_cookie(&self, presented: &[u8]) -> Result<CurrentUser, Rejection> {
        let text = std::str::from_utf8(presented).unwrap_or_default();
        let secret = OpaqueSecret::parse(SecretKind::SessionId, text).map_err(|_| Rejection::session_ended())?;
        let found = self.lookup()?.by_secret(secret.digest()).await?;
        let found =
            found.filter(|found| found.policy == SessionPolicy::Session).ok_or_else(Rejection::session_ended)?;
        Ok(CurrentUser::counted(Arc::new(self.entry(String::new(), found, UnixMillis::NEVER, 0))))
    }

    /// Whose personal token this is: a look-up, and none for some minutes after it.
    pub(crate) async fn by_personal_token(&self, text: &str) -> Result<CurrentUser, Rejection> {
        let kind = SecretKind::PersonalToken;
        let secret = OpaqueSecret::parse(kind, text).map_err(|_| Rejection::personal_token_mistyped())?;
        if !self.can_find_personal_tokens() {
            return Err(Rejection::lookup_needed());
        }
        if !self.0.revocations.is_loaded() {
            return Err(Rejection::NotReady);
        }
        // Counted before it is looked up: what is revoked in between is found in the feed at the next request.
        let changes = self.0.revocations.changes().count();
        let found = match (&self.0.lookup, &self.0.upstream) {
            (Some(lookup), _) => lookup.by_secret(secret.digest()).await?,
            (None, Some(upstream)) => {
                upstream.introspect(text).await?.and_then(|claims| introspected::session(&claims))
            }
            (None, None) => None,
        };
        let found = found.filter(|found| found.policy == SessionPolicy::Personal);
        let found = found.ok_or_else(Rejection::personal_token_refused)?;
        let remembered_until = self.now().plus(PERSONAL_TOKEN_REMEMBERED_FOR);
        let entry = Arc::new(self.entry(text.to_owned(), found, remembered_until, changes));
        // It is good, whether or not it can be remembered.
        self.remember(&entry);
        Ok(CurrentUser::counted(entry))
    }

    /// Lets in whom a good token names, if its session is found alive: one look-up. A guard without a store asks the server
    /// about the token.
    pub(crate) async fn while_session_lives(&self, user: CurrentUser, token: &[u8]) -> Result<CurrentUser, Rejection> {
        if let (None, Some(upstream)) = (&self.0.lookup, &self.0.upstream) {
            let is_active = upstream.introspect(std::str::from_utf8(token).unwrap_or_default()).await?.is_some();
            return if is_active { Ok(user) } else { Err(Rejection::session_ended()) };
        }
        let found = self.lookup()?.by_id(user.session()).await?;
        let is_its_own = |found: &FoundSession| found.policy == user.policy() && found.account == user.account();
        if found.as_ref().is_some_and(is_its_own) { Ok(user) } else { Err(Rejection::session_ended()) }
    }

    fn can_find_personal_tokens(&self) -> bool {
        self.0.lookup.is_some() || self.0.upstream.is_some()
    }

    fn lookup(&self) -> Result<&dyn SessionLookup, Rejection> {
        self.0.lookup.as_deref().ok_or_else(Rejection::lookup_needed)
    }

    fn entry(&self, token: String, found: FoundSession, remembered_until: UnixMillis, changes: u64) -> VerifiedToken {
        let numeric_date = |at: UnixMillis| NumericDate::from_unix_seconds(u64::try_from(at.as_seconds()).unwrap_or(0));
        let token_id = TokenId::from_bytes(*found.session.as_bytes());
        VerifiedToken {
            is_to_be_looked_up_again: true,
            token: token.into_bytes().into(),
            key_generation: self.key_generation(),
            expires_at: Some(numeric_date(found.ends_at.min(remembered_until))),
            // A clock that goes back makes "for some minutes" no longer.
            not_before: Some(numeric_date(self.now())),
            issuer: None,
            key_id: None,
            issued_at: found.created_at,
            not_revoked_at: GoodAt::new(changes),
            recently_used: AtomicBool::new(false),
            user: VerifiedUser {
                policy: found.policy,
                account: found.account,
                session: found.session,
                token: token_id,
                generation: found.generation,
                client_id: found.client_id.into(),
                scope: found.scope,
                authenticated_at: found.authenticated_at,
                methods: found.methods.into(),
                roles: found.roles.into(),
                custom_claims: found.custom_claims,
                expires_at: found.ends_at,
                identity_headers: OnceLock::new(),
            },
        }
    }
}

impl VerifiedToken {
    /// Whose generation the revocations are asked about. A personal token does not care for it: whatever ends one names it.
    pub(crate) fn subject(&self) -> (Option<AccountId>, AccountGeneration) {
        let is_personal = self.user.policy == SessionPolicy::Personal;
        ((!is_personal).then_some(self.user.account), self.user.generation)
    }
}
