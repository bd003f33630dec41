//! What the options say about sessions, in the types that the rules work with.

use super::{Config, ConfigError};
use crate::app::CustomClaims;
use counterfoil_domain::{
    policy::{Lifetimes, Limits, SessionPolicy},
    scope::{ScopeGrants, ScopeSet},
    session::SEEN_AGAIN_AFTER,
};

/// The policies that one can sign in with.
pub(super) fn sign_in_policies() -> impl Iterator<Item = SessionPolicy> {
    SessionPolicy::ALL.into_iter().filter(|policy| policy.is_for_sign_in())
}

/// Which policies a sign-in may have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignInPolicies {
    /// The one that it has when it names none.
    pub default: SessionPolicy,
    /// Those that it may name.
    pub allowed: Vec<SessionPolicy>,
}

impl Config {
    /// The lifetimes that the rules work with.
    pub fn lifetimes(&self) -> Lifetimes {
        let limits = |idle: &super::HumanDuration, absolute: &super::HumanDuration| Limits {
            idle_lifetime: idle.get(),
            absolute_lifetime: absolute.get(),
        };
        Lifetimes {
            access_token_lifetime: self.access_token.lifetime.get(),
            session: limits(&self.cookie_session.idle_lifetime, &self.cookie_session.absolute_lifetime),
            tracked_lifetime: self.tracked.lifetime.get(),
            sliding: limits(&self.sliding.lifetime, &self.sliding.absolute_lifetime),
            refresh: limits(&self.refresh.idle_lifetime, &self.refresh.absolute_lifetime),
        }
    }

    /// The policies of sign-ins.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`]: one is unknown, or the default is not among those that are allowed.
    pub fn sign_in_policies(&self) -> Result<SignInPolicies, ConfigError> {
        let known = sign_in_policies().map(SessionPolicy::as_str).collect::<Vec<_>>().join(", ");
        let parse = |option, text: &String| {
            let policy = text.parse().ok().filter(|policy: &SessionPolicy| policy.is_for_sign_in());
            policy.ok_or_else(|| ConfigError::of_option(option, &format!("`{text}` is none: expected one of {known}")))
        };
        let default = parse("session.policy", &self.session.policy)?;
        let allowed = self.session.policies.iter().map(|policy| parse("session.policies", policy));
        let allowed = allowed.collect::<Result<Vec<_>, _>>()?;
        if !allowed.contains(&default) {
            return Err(ConfigError::of_option("session.policy", "it must be among session.policies"));
        }
        Ok(SignInPolicies { default, allowed })
    }

    /// What may be granted to whom.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`] when something is no scope.
    pub fn scope_grants(&self) -> Result<ScopeGrants, ConfigError> {
        let parse = |option, scopes: &[String]| {
            let set = scopes.iter().all(|scope| !scope.is_empty() && !scope.contains(' '));
            let set = set.then(|| scopes.join(" ").parse::<ScopeSet>().ok()).flatten();
            let problem = "expected a list of scopes, each printable ASCII without spaces, quotes or backslashes";
            set.ok_or_else(|| ConfigError::of_option(option, problem))
        };
        let by_role = self.scope.by_role.iter();
        let by_role = by_role.map(|(role, scopes)| Ok((role.clone(), parse("scope.by_role", scopes)?)));
        Ok(ScopeGrants {
            everybody: parse("scope.everybody", &self.scope.everybody)?,
            by_role: by_role.collect::<Result<_, ConfigError>>()?,
        })
    }

    /// Claims of the operator's own.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`] when a name is reserved, or all of them are too large.
    pub fn custom_claims(&self) -> Result<CustomClaims, ConfigError> {
        let fixed = self.claims.fixed.iter().map(|(name, value)| (name.clone(), value.clone()));
        CustomClaims::new(fixed.collect(), self.claims.from_attributes.clone())
            .map_err(|(option, problem)| ConfigError::of_option(option, &problem))
    }

    /// Checks what is said of sessions.
    pub(super) fn check_sessions(&self) -> Result<(), ConfigError> {
        let refuse = |option, problem: &str| Err(ConfigError::of_option(option, problem));
        self.sign_in_policies()?;
        self.scope_grants()?;
        self.custom_claims()?;
        let lifetimes = self.lifetimes();
        for (option, lifetime) in [
            ("access_token.lifetime", lifetimes.access_token_lifetime),
            ("tracked.lifetime", lifetimes.tracked_lifetime),
            ("sliding.lifetime", lifetimes.sliding.idle_lifetime),
        ] {
            if lifetime.as_secs() == 0 {
                return refuse(option, "expected at least 1s");
            }
        }
        if lifetimes.refresh.idle_lifetime < lifetimes.access_token_lifetime {
            return refuse("refresh.idle_lifetime", "shorter than access_token.lifetime: nobody could stay signed in");
        }
        if lifetimes.session.idle_lifetime < 2 * SEEN_AGAIN_AFTER {
            return refuse("cookie_session.idle_lifetime", "expected at least 2m: use is written down once a minute");
        }
        for (option, limits) in [
            ("cookie_session.absolute_lifetime", lifetimes.session),
            ("sliding.absolute_lifetime", lifetimes.sliding),
            ("refresh.absolute_lifetime", lifetimes.refresh),
        ] {
            if limits.absolute_lifetime < limits.idle_lifetime {
                return refuse(option, "shorter than the lifetime without use: it would never be reached");
            }
        }
        Ok(())
    }
}
