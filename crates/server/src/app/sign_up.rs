//! Making an account over the network, and opening its first session if asked.

use super::{App, AppError, NewPerson, RequestOrigin, SignInOptions, present};
use counterfoil_domain::{rotation::RefreshToken, session::open};
use counterfoil_wire::SignedUp;

/// A new account, and its tokens if a session was asked for.
pub type SignedUpAccount = SignedUp;

impl App {
    /// Makes an account, and opens its first session if `sign_in` is set.
    ///
    /// # Errors
    /// [`AppError`]: an e-mail address, name, or password that is not taken; the address is another account's; the
    /// store or the hashing threads are not available.
    pub async fn sign_up(
        &self,
        person: NewPerson,
        sign_in: Option<SignInOptions>,
        origin: &RequestOrigin,
    ) -> Result<SignedUpAccount, AppError> {
        let settings = self.settings();
        let request = sign_in.map(|options| options.validate(origin)).transpose()?;
        let checked = person.check(settings.password_rules)?;
        let created = checked.create(
            self.store(),
            &self.0.parts.hasher,
            origin.ip,
            || self.occasion(origin),
            |account, occasion| request.map(|request| open(request, account, &settings.lifetimes, occasion)),
        );
        let (account, session) = created.await?;
        let Some(session) = session else {
            return Ok(SignedUp::Account { account: present::account_body(&account) });
        };
        let refresh_token = RefreshToken { session: session.id, serial: session.rotation.child };
        let reply = self.token_reply(&session, &account, refresh_token, &session.scope)?;
        Ok(SignedUp::WithSession(Box::new(reply)))
    }
}
