//! Signing in with e-mail address and password: one read, one hash, one write.

use super::{
    App, AppError, RequestOrigin,
    issue::Issued,
    opening::{Opening, SignInOptions},
};
use crate::hashing::Asker;
use counterfoil_domain::{
    account::Account,
    email::Email,
    event::Occasion,
    id::AccountId,
    password::NormalizedPassword,
    secret::PasswordText,
    session::{Ruling, Session, SessionView, sign_in},
};
use std::sync::Arc;

/// Stands in the log where no account has the address that was tried.
const NOBODY: AccountId = AccountId::from_bytes([0; 16]);

/// What a person signs in with.
pub struct SignInInput {
    /// The address.
    pub email: String,
    /// The password.
    pub password: PasswordText,
    /// How the session is to be opened.
    pub options: SignInOptions,
}

impl App {
    /// Signs a person in.
    ///
    /// An unknown address, a wrong password and a disabled account are one refusal, after the same work (ASVS 6.3.8).
    ///
    /// # Errors
    /// [`AppError`]: options that are not offered; wrong credentials; the store or the hashing threads are not
    /// available.
    pub async fn sign_in(&self, input: SignInInput, origin: &RequestOrigin) -> Result<Issued, AppError> {
        let options = input.options.check(self.settings(), origin)?;
        // Too long to be anybody's password: refused before the store is asked, since the look-up's time would show
        // through where no hash hides it.
        let password = NormalizedPassword::for_sign_in(&input.password).ok_or(AppError::InvalidCredentials)?;
        // A text that is no address belongs to nobody: same answer, same work.
        let email = input.email.parse::<Email>();
        let found = match &email {
            Ok(email) => self.store().account_by_email(email).await?,
            Err(_) => None,
        };
        let tried = email.map_or(input.email, |email| email.canonical());
        let asker = Asker { ip: origin.ip, account: &tried };
        let (account, hash) = found.map_or((None, None), |found| (Some(found.account), found.password_hash));
        let matches = self.0.parts.hasher.verify(password, hash, &asker).await?;
        let known = account.as_ref().map(|account| account.id);
        let Some(account) = account.filter(|account| matches && account.disabled_at.is_none()) else {
            // The address that was tried may be a mistyped password: only a known account is named. The line has one
            // shape for both, so that writing it takes as long.
            let (account, ip) = (known.unwrap_or(NOBODY), origin.ip.map(tracing::field::display));
            tracing::info!(%account, ip, "sign-in refused");
            return Err(AppError::InvalidCredentials);
        };

        // Before a session is opened that nobody could be given a token for.
        self.settings().custom_claims.of(&account)?;
        let held = self.held_session(&options.held_before).await?;
        let opening = options.opening(held.map(|held| held.id), &*self.0.parts.entropy);
        let (opened, account) = self.open_session(&account, opening.clone(), origin).await?;
        self.end_of_somebody_else(held, account.id, origin).await?;
        let transport = opening.transport;
        self.issue(&opened, &account, &opened.scope, &opening.into_fresh(&opened), transport)
    }

    /// Opens the session beside the others of its account. What may be granted is decided in the store's atomic step, by
    /// the roles that the account has then.
    async fn open_session(
        &self,
        account: &Account,
        opening: Opening,
        origin: &RequestOrigin,
    ) -> Result<(Session, Account), AppError> {
        let (terms, entropy, ip) = (self.settings().open_terms(), Arc::clone(&self.0.parts.entropy), origin.ip);
        let (grants, checked_when_changed_at) = (self.settings().scope_grants.clone(), account.password_changed_at);
        let decided = self.store().decide_account(account.id, move |view, now| {
            let roles = view.map_or(&[][..], |view| &view.account.roles);
            match opening.request(roles, &grants) {
                Ok(request) => {
                    let ruling = sign_in(
                        view,
                        checked_when_changed_at,
                        request,
                        &terms,
                        &Occasion { now, ip, entropy: &*entropy },
                    );
                    Ruling { changes: ruling.changes, outcome: Ok(ruling.outcome) }
                }
                Err(refused) => Ruling::unchanged(Err(refused)),
            }
        });
        let (opened, committed) = decided.await?;
        self.apply_committed(&committed);
        let Some(SessionView { session, account }) = opened? else { return Err(AppError::InvalidCredentials) };
        let (policy, displaced) = (session.policy, committed.entries.len());
        tracing::info!(account = %account.id, session = %session.id, %policy, displaced, "signed in");
        Ok((session, account))
    }
}
