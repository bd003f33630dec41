//! Signing in with e-mail address and password: one read, one hash, one write.

use super::{App, AppError, RequestOrigin};
use crate::hashing::Asker;
use counterfoil_domain::{
    account::parse_name,
    email::Email,
    event::Occasion,
    id::AccountId,
    password::NormalizedPassword,
    policy::SessionPolicy,
    rotation::RefreshToken,
    scope::ScopeSet,
    secret::PasswordText,
    session::{Device, OpenSession, SessionView, USER_AGENT_BYTES_MAX, open_another},
};
use counterfoil_wire::TokenReply;
use std::sync::Arc;

/// The OAuth client that sessions opened by this API belong to.
pub(super) const FIRST_PARTY_CLIENT: &str = "counterfoil";
/// What a sign-in grants: reading and managing one's own account.
const SIGN_IN_SCOPE: &str = "account";
/// The one transport there is: tokens in the answer's body.
const TRANSPORT_BODY: &str = "body";

/// Stands in the log where no account has the address that was tried.
const NOBODY: AccountId = AccountId::from_bytes([0; 16]);

/// How a session is to be opened.
#[derive(Clone, Debug, Default)]
pub struct SignInOptions {
    /// The session policy; `refresh` if nothing is said.
    pub policy: Option<String>,
    /// How tokens travel; `body` if nothing is said.
    pub transport: Option<String>,
    /// What the person calls the device.
    pub device_name: Option<String>,
}

impl SignInOptions {
    /// Checks the options and joins them with what the request says of itself.
    pub(super) fn validate(self, origin: &RequestOrigin) -> Result<OpenSession, AppError> {
        let policy = self.policy.map_or(Ok(SessionPolicy::default()), |policy| policy.parse());
        let policy = policy.map_err(|_| AppError::PolicyNotAllowed)?;
        if self.transport.is_some_and(|transport| transport != TRANSPORT_BODY) {
            return Err(AppError::TransportNotAllowed);
        }
        let name = self.device_name.as_deref().map(parse_name).transpose();
        let name = name.map_err(|source| AppError::InvalidName { field: "device_name", source })?;
        let user_agent = origin.user_agent.as_deref().map(|text| cut(text, USER_AGENT_BYTES_MAX).to_owned());
        Ok(OpenSession {
            policy,
            client_id: FIRST_PARTY_CLIENT.to_owned(),
            scope: SIGN_IN_SCOPE.parse::<ScopeSet>()?,
            device: Device { name, user_agent, ip: origin.ip },
        })
    }
}

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
    pub async fn sign_in(&self, input: SignInInput, origin: &RequestOrigin) -> Result<TokenReply, AppError> {
        let request = input.options.validate(origin)?;
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

        let (terms, entropy, ip) = (self.settings().open_terms(), Arc::clone(&self.0.parts.entropy), origin.ip);
        let decided = self.store().decide_account(account.id, move |view, now| {
            open_another(view, request.clone(), &terms, &Occasion { now, ip, entropy: &*entropy })
        });
        let (opened, committed) = decided.await?;
        self.apply_committed(&committed);
        let Some(SessionView { session, account }) = opened else { return Err(AppError::InvalidCredentials) };
        let displaced = committed.entries.len();
        tracing::info!(account = %account.id, session = %session.id, displaced, "signed in");
        let refresh_token = RefreshToken { session: session.id, serial: session.rotation.child };
        self.token_reply(&session, &account, refresh_token, &session.scope)
    }
}

/// The longest beginning of `text` that is at most `bytes_max` long and ends between characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}
