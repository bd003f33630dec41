//! What the options say about signing keys.

use super::{Config, ConfigError};
use counterfoil_domain::key::KeyTerms;
use counterfoil_jwt::Algorithm;
use std::time::Duration;

/// Keys that change more often than this would pile up faster than their tokens end.
const ROTATE_AFTER_MIN: Duration = Duration::from_hours(1);
/// In an emergency, this is how long those go on with a key that was given up who only read the published set.
const JWKS_MAX_AGE_MAX: Duration = Duration::from_hours(24);

impl Config {
    /// The terms that the rules about keys work with. `longest_token_lifetime` is how long entries of the feed are kept.
    pub fn key_terms(&self, longest_token_lifetime: Duration) -> KeyTerms {
        let signing = &self.signing;
        KeyTerms {
            jwks_max_age: signing.jwks_max_age.get(),
            token_lifetime: self.lifetimes().longest_signed_token_lifetime(),
            longest_token_lifetime,
            // A secret from a file is in others' hands as well: they have to be given the next one first.
            rotate_after: signing.rotate_after.get().filter(|_| signing.secret_file.is_none()),
        }
    }

    pub(super) fn check_signing(&self) -> Result<(), ConfigError> {
        let refuse = |option, problem: &str| Err(ConfigError::of_option(option, problem));
        let signing = &self.signing;
        if signing.algorithm.parse::<Algorithm>().is_err() {
            let known: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
            return refuse("signing.algorithm", &format!("expected one of {}", known.join(", ")));
        }
        if signing.rotate_after.get().is_some_and(|after| after < ROTATE_AFTER_MIN) {
            return refuse("signing.rotate_after", "expected 1h or more, or \"never\"");
        }
        let max_age = signing.jwks_max_age.get();
        if max_age < Duration::from_secs(1) || max_age > JWKS_MAX_AGE_MAX {
            return refuse("signing.jwks_max_age", "expected 1s to 1d: a key that leaked is believed for as long");
        }
        Ok(())
    }
}
