//! The keys a running server works with.

use counterfoil_domain::rotation::RefreshKeys;
use counterfoil_jwt::{Algorithm, KeySet, SigningKey};

/// The active signing key, every key whose tokens are still good, and the keys of refresh tokens.
pub struct KeyRing {
    pub(super) signing: SigningKey,
    pub(super) verifying: KeySet,
    pub(super) jwks: String,
    pub(super) refresh: RefreshKeys,
}

impl KeyRing {
    /// The key that signs new access tokens.
    pub const fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The keys whose access tokens are good.
    pub fn verifying(&self) -> KeySet {
        self.verifying.clone()
    }

    /// The algorithms of those keys.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.verifying.iter().map(counterfoil_jwt::VerifyingKey::algorithm).collect()
    }

    /// The public keys as a JWK Set (RFC 7517 §5). A shared secret is never in it.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The keys of refresh tokens.
    pub const fn refresh(&self) -> &RefreshKeys {
        &self.refresh
    }
}
