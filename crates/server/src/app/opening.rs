//! How a session is to be opened: what was asked for, checked, and joined with what the account may have.

use super::{
    AppError, HeldBefore, RequestOrigin, Settings,
    issue::{Fresh, Transport},
};
use crate::config::SignInPolicies;
use counterfoil_domain::{
    account::parse_name,
    entropy::Entropy,
    id::SessionId,
    opaque::{OpaqueSecret, SecretKind},
    policy::SessionPolicy,
    rotation::RefreshToken,
    scope::{ScopeGrants, ScopeNotAllowed, ScopeSet},
    session::{Device, OpenSession, Session, USER_AGENT_BYTES_MAX},
};

/// The OAuth client that sessions opened by this API belong to.
pub(super) const FIRST_PARTY_CLIENT: &str = "counterfoil";

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

fn not_allowed(policies: &SignInPolicies) -> AppError {
    let allowed: Vec<_> = policies.allowed.iter().map(|policy| format!("`{policy}`")).collect();
    AppError::PolicyNotAllowed { allowed: allowed.join(", ") }
}

/// The longest beginning of `text` that is at most `bytes_max` long and ends between characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}
