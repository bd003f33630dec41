//! The signature algorithms (RFC 7518 §3, RFC 8037, RFC 9864), and sets of them.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A signature algorithm. `none` is not among them, so no key, policy or token can name it (RFC 8725 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518 §3.2).
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes (RFC 7518 §3.5).
    Ps256,
    /// RSASSA-PSS with SHA-384 and a salt of 48 bytes.
    Ps384,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes.
    Ps512,
    /// ECDSA on P-256 with SHA-256, signature r‖s of 64 bytes (RFC 7518 §3.4).
    Es256,
    /// ECDSA on P-384 with SHA-384, signature r‖s of 96 bytes.
    Es384,
    /// Ed25519 (RFC 8037 §3.1). Keys may also call it `Ed25519` (RFC 9864 §2.2); tokens may if the policy says so.
    EdDsa,
}

/// What kind of key an algorithm works with: the part of an algorithm that a key cannot choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Hmac,
    RsaPkcs1,
    RsaPss,
    P256,
    P384,
    Ed25519,
}

impl Algorithm {
    /// Every algorithm, in the order of RFC 7518 §3.1.
    pub const ALL: [Self; 12] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Es256,
        Self::Es384,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::EdDsa,
    ];

    /// The value of `alg` in headers and keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Whether signer and verifier hold the same secret, so that whoever verifies can also sign.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// Looks a header's `alg` up. Names are compared exactly: `hs256` and `NONE` are nobody's (RFC 7515 §4.1.1).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }

    /// Looks a key's `alg` up. On a key the newer name `Ed25519` says the same, since `crv` says it anyway.
    pub(crate) fn from_key_name(name: &str) -> Option<Self> {
        if name == ED25519_NAME { Some(Self::EdDsa) } else { Self::from_name(name) }
    }

    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => Family::Hmac,
            Self::Rs256 | Self::Rs384 | Self::Rs512 => Family::RsaPkcs1,
            Self::Ps256 | Self::Ps384 | Self::Ps512 => Family::RsaPss,
            Self::Es256 => Family::P256,
            Self::Es384 => Family::P384,
            Self::EdDsa => Family::Ed25519,
        }
    }
}

/// The fully-specified name of Ed25519 signatures (RFC 9864 §2.2).
pub(crate) const ED25519_NAME: &str = "Ed25519";

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// Parses a name from configuration; `Ed25519` is taken as another name of `EdDSA`.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::from_key_name(name).ok_or(Error::AlgorithmUnknown)
    }
}

/// A set of algorithms: what a policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlgorithmSet {
    bits: u16,
}

impl AlgorithmSet {
    /// The set of nothing: a policy that allows nothing refuses everything.
    pub const EMPTY: Self = Self { bits: 0 };

    /// This set with one more algorithm.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self { bits: self.bits | 1 << (algorithm as u16) }
    }

    /// Whether the algorithm is in the set.
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.bits & 1 << (algorithm as u16) != 0
    }

    /// The members, in the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl From<Algorithm> for AlgorithmSet {
    fn from(algorithm: Algorithm) -> Self {
        Self::EMPTY.with(algorithm)
    }
}

impl<const N: usize> From<[Algorithm; N]> for AlgorithmSet {
    fn from(algorithms: [Algorithm; N]) -> Self {
        algorithms.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_and_no_other_case_does() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(Algorithm::from_name(&algorithm.name().to_lowercase()), None);
            assert_eq!(Algorithm::from_name(&format!("{algorithm} ")), None);
        }
        for none in ["none", "None", "NONE", "nOnE", "", "none ", "\0none"] {
            assert_eq!(none.parse::<Algorithm>(), Err(Error::AlgorithmUnknown));
        }
    }

    #[test]
    fn the_newer_name_is_for_keys_and_configuration() {
        assert_eq!(Algorithm::from_name("Ed25519"), None);
        assert_eq!(Algorithm::from_key_name("Ed25519"), Some(Algorithm::EdDsa));
        assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        for one in Algorithm::ALL {
            let set = AlgorithmSet::from(one);
            assert!(Algorithm::ALL.iter().all(|other| set.contains(*other) == (*other == one)));
        }
        assert_eq!(AlgorithmSet::from(Algorithm::ALL).iter().count(), 12);
    }
}
