//! Signing in with e-mail address and password: one read, one hash, one write.

use super::{
    App, AppError, HeldBefore, RequestOrigin, Settings,
    issue::{Fresh, Issued, Transport},
};
use crate::{config::SignInPolicies, hashing::Asker};
use counterfoil_domain::{
    account::{Account, parse_name},
    email::Email,
    entropy::Entropy,
    event::Occasion,
    id::{AccountId, SessionId},
    opaque::{OpaqueSecret, SecretKind},
    password::NormalizedPassword,
    policy::SessionPolicy,
    rotation::RefreshToken,
    scope::{ScopeGrants, ScopeNotAllowed, ScopeSet},
    secret::PasswordText,
    session::{Device, OpenSession, Ruling, Session, SessionView, USER_AGENT_BYTES_MAX, sign_in},
};
use std::sync::Arc;

/// The OAuth client that sessions opened by this API belong to.
pub(super) const FIRST_PARTY_CLIENT: &str = "counterfoil";

/// Stands in the log where no account has the address that was tried.
const NOBODY: AccountId = AccountId::from_bytes([0; 16]);

/// How a session is to be opened.
#[derive(Default)]
pub struct SignInOptions {
    /// The session policy; the configured one if nothing is said.
    pub policy: Option<String>,
    /// How secrets travel; if nothing is said, `cookie` under the policy `session`, else `body`.
    pub transport: Option<String>,
    /// Whether the access token is to be in a cookie too: policy `refresh`, transport `cookie`.
    pub access_cookie: bool,
    /// What the person calls the device.
    pub device_name: Option<String>,
    /// The scope asked for; all that may be granted if nothing is said.
    pub scope: Option<String>,
    /// What the browser held before.
    pub held_before: HeldBefore,
}

/// The same by the rules: what is left can only fail because of others.
pub(super) struct CheckedOptions {
    policy: SessionPolicy,
    transport: Transport,
    device: Device,
    scope: Option<ScopeSet>,
    pub(super) held_before: HeldBefore,
}

/// A session to be opened, but for its scope, which depends on the account.
#[derive(Clone)]
pub(super) struct Opening {
    policy: SessionPolicy,
    device: Device,
    scope: Option<ScopeSet>,
    secret: Option<OpaqueSecret>,
    replaces: Option<SessionId>,
    pub(super) transport: Transport,
}

impl SignInOptions {
    /// Checks the options and joins them with what the request says of itself.
    pub(super) fn check(self, settings: &Settings, origin: &RequestOrigin) -> Result<CheckedOptions, AppError> {
        let policies = &settings.policies;
        let policy = self.policy.map_or(Ok(policies.default), |policy| policy.parse()).ok();
        let policy = policy.filter(|policy| policies.allowed.contains(policy)).ok_or_else(|| not_allowed(policies))?;
        let cookie = Transport::Cookie { with_access_token: self.access_cookie };
        let transport = match (self.transport.as_deref(), policy) {
            // An opaque id is for a cookie: whoever can keep a secret elsewhere has better ones.
            (None | Some("cookie"), SessionPolicy::Session) | (Some("cookie"), _) => cookie,
            (None | Some("body"), policy) if policy != SessionPolicy::Session => Transport::Body,
            _ => return Err(AppError::TransportNotAllowed),
        };
        if self.access_cookie && (policy != SessionPolicy::Refresh || transport == Transport::Body) {
            return Err(AppError::AccessCookieNotAllowed);
        }
        let name = self.device_name.as_deref().map(parse_name).transpose();
        let name = name.map_err(|source| AppError::InvalidName { field: "device_name", source })?;
        let user_agent = origin.user_agent.as_deref().map(|text| cut(text, USER_AGENT_BYTES_MAX).to_owned());
        let device = Device { name, user_agent, ip: origin.ip };
        let scope = self.scope.map(|scope| scope.parse::<ScopeSet>()).transpose()?;
        Ok(CheckedOptions { policy, transport, device, scope, held_before: self.held_before })
    }
}

impl CheckedOptions {
    /// The session to be opened, with a fresh secret where its policy has one.
    pub(super) fn opening(self, replaces: Option<SessionId>, entropy: &dyn Entropy) -> Opening {
        let secret = OpaqueSecret::generate(SecretKind::SessionId, entropy);
        Opening {
            secret: (self.policy == SessionPolicy::Session).then_some(secret),
            policy: self.policy,
            device: self.device,
            scope: self.scope,
            replaces,
            transport: self.transport,
        }
    }
}

impl Opening {
    /// What the rule is asked for, for an account with these roles.
    pub(super) fn request(&self, roles: &[String], grants: &ScopeGrants) -> Result<OpenSession, ScopeNotAllowed> {
        Ok(OpenSession {
            policy: self.policy,
            client_id: FIRST_PARTY_CLIENT.to_owned(),
            scope: grants.grant(roles, self.scope.as_ref())?,
            device: self.device.clone(),
            secret: self.secret.as_ref().map(OpaqueSecret::digest),
            replaces: self.replaces,
        })
    }

    /// What is handed out with the session that was opened.
    pub(super) fn into_fresh(self, session: &Session) -> Fresh {
        let is_refreshed = session.policy == SessionPolicy::Refresh;
        let refresh_token = RefreshToken { session: session.id, serial: session.rotation.child };
        Fresh { refresh_token: is_refreshed.then_some(refresh_token), secret: self.secret }
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

fn not_allowed(policies: &SignInPolicies) -> AppError {
    let allowed: Vec<_> = policies.allowed.iter().map(|policy| format!("`{policy}`")).collect();
    AppError::PolicyNotAllowed { allowed: allowed.join(", ") }
}

/// The longest beginning of `text` that is at most `bytes_max` long and ends between characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}
