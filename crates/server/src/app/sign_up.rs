//! Making an account, and opening its first session if asked.

use super::{App, AppError, RequestOrigin, SignInOptions, present};
use counterfoil_domain::{
    account::{Account, parse_name},
    email::Email,
    event::EventKind,
    password::NormalizedPassword,
    rotation::RefreshToken,
    secret::PasswordText,
    session::open,
    store::{CreatedAccount, NewAccount},
};
use counterfoil_wire::SignedUp;

/// What an account is made from.
pub struct SignUpInput {
    /// The address by which the person will sign in.
    pub email: String,
    /// The password.
    pub password: PasswordText,
    /// What the person calls themselves.
    pub name: Option<String>,
    /// Set to open a session at once.
    pub sign_in: Option<SignInOptions>,
}

/// A new account, and its tokens if a session was asked for.
pub type SignedUpAccount = SignedUp;

impl App {
    /// Makes an account. Everything is checked before the password is hashed, and one write stores it all.
    ///
    /// # Errors
    /// [`AppError`]: an e-mail address, name, or password that is not taken; the address is another account's; the
    /// store or the hashing threads are not available.
    pub async fn sign_up(&self, input: SignUpInput, origin: &RequestOrigin) -> Result<SignedUpAccount, AppError> {
        let email: Email = input.email.parse()?;
        let name = input.name.as_deref().map(parse_name).transpose();
        let name = name.map_err(|source| AppError::InvalidName { field: "name", source })?;
        let request = input.sign_in.map(|options| options.validate(origin)).transpose()?;
        let password = NormalizedPassword::for_new_account(&input.password, &email, self.settings().password_rules)?;
        let hash = self.0.parts.hasher.hash(password).await?;

        let occasion = self.occasion(origin);
        let account = Account::new(email, name, occasion.now, occasion.entropy);
        let mut events = vec![occasion.event(EventKind::AccountCreated, account.id, None)];
        let session = request.map(|request| {
            let (session, event) = open(request, &account, &self.settings().lifetimes, &occasion);
            events.push(event);
            session
        });
        let new = NewAccount { account: account.clone(), password_hash: Some(hash), session: session.clone(), events };
        if self.store().create_account(new).await? == CreatedAccount::EmailTaken {
            return Err(AppError::EmailTaken);
        }
        tracing::info!(account = %account.id, "account created");
        let Some(session) = session else {
            return Ok(SignedUp::Account { account: present::account_body(&account) });
        };
        let refresh_token = RefreshToken { session: session.id, serial: session.rotation.child };
        let reply = self.token_reply(&session, &account, refresh_token, &session.scope)?;
        Ok(SignedUp::WithSession(Box::new(reply)))
    }
}
