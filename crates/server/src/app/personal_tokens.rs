//! Personal tokens: make one, list them, delete one or all.

use super::{App, AppError, EndedSessions, RequestOrigin, opening::FIRST_PARTY_CLIENT};
use counterfoil_domain::{
    account::parse_name,
    event::Occasion,
    id::{AccountId, SessionId},
    opaque::{OpaqueSecret, SecretKind},
    scope::ScopeSet,
    session::{
        EndOne, NewPersonalToken, PersonalTokenOutcome, Ruling, Session, create_personal_token, end_personal_tokens,
    },
    time::UnixMillis,
};
use counterfoil_guard::{CurrentUser, Rejection};
use std::sync::Arc;

/// A personal token as it was asked for.
pub struct NewPersonalTokenInput {
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: String,
    /// When it ends; `None` for never.
    pub expires_at: Option<UnixMillis>,
}

impl App {
    /// Makes a personal token for the signed-in person. It may do no more than the session that asks and the account's
    /// roles allow.
    ///
    /// # Errors
    /// [`AppError`]: a name, scope or end that is not taken; too many; the store is not available.
    pub async fn create_personal_token(
        &self,
        user: &CurrentUser,
        input: NewPersonalTokenInput,
        origin: &RequestOrigin,
    ) -> Result<(Session, OpaqueSecret), AppError> {
        let name = parse_name(&input.name).map_err(|source| AppError::InvalidName { field: "name", source })?;
        let scope = input.scope.parse::<ScopeSet>()?;
        if !scope.is_within(user.scope()) {
            return Err(AppError::ScopeNotAllowed);
        }
        if input.expires_at.is_some_and(|at| at <= self.0.parts.clock.now()) {
            return Err(AppError::ExpiryPast);
        }
        let secret = OpaqueSecret::generate(SecretKind::PersonalToken, &*self.0.parts.entropy);
        let new = NewPersonalToken {
            name,
            scope,
            ends_at: input.expires_at,
            client_id: FIRST_PARTY_CLIENT.to_owned(),
            secret: secret.digest(),
        };
        if !self.0.personal_token_brake.allows(user.account(), self.0.parts.clock.now()) {
            return Err(AppError::TooManyRequests);
        }
        let (entropy, ip, maker) = (Arc::clone(&self.0.parts.entropy), origin.ip, user.session());
        let grants = self.settings().scope_grants.clone();
        let decided = self.store().decide_account(user.account(), move |view, now| {
            let roles = view.map_or(&[][..], |view| &view.account.roles);
            if grants.grant(roles, Some(&new.scope)).is_err() {
                return Ruling::unchanged(Err(AppError::ScopeNotAllowed));
            }
            let occasion = Occasion { now, ip, entropy: &*entropy };
            let ruling = create_personal_token(view, new.clone(), maker, &occasion);
            Ruling { changes: ruling.changes, outcome: Ok(ruling.outcome) }
        });
        match decided.await?.0? {
            PersonalTokenOutcome::Created(token) => {
                tracing::info!(account = %token.account, token = %token.id, "personal token made");
                Ok((*token, secret))
            }
            PersonalTokenOutcome::TooMany => Err(AppError::TooManyPersonalTokens),
            PersonalTokenOutcome::NoSignIn => Err(Rejection::Revoked.into()),
        }
    }

    /// The personal tokens of an account that have not ended, newest first.
    ///
    /// # Errors
    /// The store is not available.
    pub async fn personal_tokens(&self, account: AccountId) -> Result<Vec<Session>, AppError> {
        let now = self.0.parts.clock.now();
        let mut tokens = self.store().sessions_of_account(account).await?;
        tokens.retain(|session| session.is_personal_token() && session.ends_at() > now);
        Ok(tokens)
    }

    /// Deletes one.
    ///
    /// # Errors
    /// [`AppError::PersonalTokenNotFound`] when the account has none with this id; the store is not available.
    pub async fn delete_personal_token(
        &self,
        account: AccountId,
        id: SessionId,
        origin: &RequestOrigin,
    ) -> Result<EndedSessions, AppError> {
        match self.end_session(id, EndOne::OwnerOfPersonalToken(account), origin).await {
            Err(AppError::SessionNotFound) => Err(AppError::PersonalTokenNotFound),
            other => other,
        }
    }

    /// Deletes every one of an account.
    ///
    /// # Errors
    /// The store is not available.
    pub async fn delete_personal_tokens(
        &self,
        account: AccountId,
        origin: &RequestOrigin,
    ) -> Result<EndedSessions, AppError> {
        let (entropy, ip, lifetime) =
            (Arc::clone(&self.0.parts.entropy), origin.ip, self.settings().longest_token_lifetime());
        let decided = self.store().decide_account(account, move |view, now| match view {
            Some(view) => end_personal_tokens(view, lifetime, &Occasion { now, ip, entropy: &*entropy }),
            None => Ruling::unchanged(0),
        });
        let (revoked, committed) = decided.await?;
        self.apply_committed(&committed);
        Ok(EndedSessions { revoked, feed: committed.feed.position })
    }
}
