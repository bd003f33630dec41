//! Who may do what with an account, demanded by the type that a handler takes.

use crate::app::App;
use axum::{extract::FromRequestParts, http::request::Parts};
use counterfoil_domain::policy::SessionPolicy;
use counterfoil_guard::{CurrentUser, Rejection};

/// The scope that lets one read and manage one's own account.
pub(super) const ACCOUNT_SCOPE: &str = "account";

/// How recent a sign-in must be for what nobody may do from a browser left open.
const RECENT_SIGN_IN_SECONDS: u32 = 600;

/// Whoever may read the account: a signed-in person, or a program with a personal token.
pub(super) struct AccountReader(pub(super) CurrentUser);

/// A signed-in person who may manage the account. A program may not, whatever its scope: a leaked personal token must not
/// be able to make another, or to sign its owner out.
pub(super) struct Person(pub(super) CurrentUser);

/// A person who has signed in within the last minutes (ASVS 7.5.1).
pub(super) struct RecentPerson(pub(super) CurrentUser);

impl FromRequestParts<App> for AccountReader {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let user = CurrentUser::from_request_parts(parts, app).await?;
        user.require_scope(ACCOUNT_SCOPE)?;
        Ok(Self(user))
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        Self::of(CurrentUser::from_request_parts(parts, app).await?).map(Self)
    }
}

impl Person {
    /// The same for who is known already.
    ///
    /// # Errors
    /// [`Rejection::InsufficientScope`], [`Rejection::PersonOnly`].
    pub(super) fn of(user: CurrentUser) -> Result<CurrentUser, Rejection> {
        user.require_scope(ACCOUNT_SCOPE)?;
        Self::whatever_the_scope(user)
    }

    /// A person who need not be able to manage the account.
    ///
    /// # Errors
    /// [`Rejection::PersonOnly`].
    pub(super) fn whatever_the_scope(user: CurrentUser) -> Result<CurrentUser, Rejection> {
        if user.policy() == SessionPolicy::Personal { Err(Rejection::PersonOnly) } else { Ok(user) }
    }
}

impl FromRequestParts<App> for RecentPerson {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let Person(user) = Person::from_request_parts(parts, app).await?;
        Self::demand(&user, app)?;
        Ok(Self(user))
    }
}

impl RecentPerson {
    /// The same for who is known already.
    ///
    /// # Errors
    /// [`Rejection::SignInTooOld`].
    pub(super) fn demand(user: &CurrentUser, app: &App) -> Result<(), Rejection> {
        user.require_recent_sign_in(RECENT_SIGN_IN_SECONDS, app.now())
    }
}
