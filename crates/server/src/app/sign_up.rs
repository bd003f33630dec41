//! Making an account over the network, and opening its first session if asked.

use super::{App, AppError, IssuedCookie, NewPerson, RequestOrigin, SignInOptions, present};
use counterfoil_domain::session::open;
use counterfoil_wire::SignedUp;

/// A new account, and what its session brings if one was asked for.
pub struct SignedUpAccount {
    /// The body.
    pub reply: SignedUp,
    /// The cookies.
    pub cookies: Vec<IssuedCookie>,
}

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
        let options = sign_in.map(|options| options.check(settings, origin)).transpose()?;
        let checked = person.check(settings.password_rules)?;
        let held = match &options {
            Some(options) => self.held_session(&options.held_before).await?,
            None => None,
        };
        // Whatever the browser held was another account's.
        let opening = options.map(|options| options.opening(None, &*self.0.parts.entropy));
        let request = opening.as_ref().map(|opening| opening.request(&[], &settings.scope_grants)).transpose()?;
        let created = checked.create(
            self.store(),
            &self.0.parts.hasher,
            origin.ip,
            || self.occasion(origin),
            |account, occasion| request.map(|request| open(request, account, &settings.lifetimes, occasion)),
        );
        let (account, session) = created.await?;
        let Some((session, opening)) = session.zip(opening) else {
            let reply = SignedUp::Account { account: present::account_body(&account) };
            return Ok(SignedUpAccount { reply, cookies: Vec::new() });
        };
        self.end_of_somebody_else(held, account.id, origin).await?;
        let transport = opening.transport;
        let issued = self.issue(&session, &account, &session.scope, &opening.into_fresh(&session), transport)?;
        Ok(SignedUpAccount { reply: SignedUp::WithSession(Box::new(issued.reply)), cookies: issued.cookies })
    }
}
