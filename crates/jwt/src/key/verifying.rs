//! Keys that verify.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

use super::public::{PublicJwk, PublicMembers};
use super::{KeyId, SigningKey, ec, ed25519, rsa};
use crate::algorithm::Algorithm;
use crate::jwk::{Jwk, Purpose};
use crate::pem::{self, Label};
use crate::remembered_header::RememberedHeader;
use crate::{Error, base64url, der};

/// A key that verifies signatures of one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<KeyId>,
    pub(super) check: Check,
    /// The header of this key's tokens.
    pub(crate) remembered_header: RememberedHeader,
}

/// What verifies. Both kinds are parsed once, at load.
#[derive(Clone)]
pub(super) enum Check {
    /// The same secret that signs.
    Secret(Box<hmac::Key>),
    /// A public key, and its numbers for publishing.
    Public(Box<(ParsedPublicKey, PublicMembers)>),
}

impl VerifyingKey {
    /// Reads one JWK (RFC 7517 §4), strictly: unknown members are ignored, anything wrong in a known one is refused.
    ///
    /// The key's own `alg` decides; `algorithm` is for keys without one, and must not contradict it. EC and Ed25519 keys
    /// need neither, since their curve says it. Private members, if there are any, are left unread.
    pub fn from_jwk(json: &str, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        Self::from_parsed_jwk(&Jwk::parse(json)?, algorithm)
    }

    /// Reads one JWK as [`VerifyingKey::from_jwk`] does, and takes also the secrets that the JOSE standards print as
    /// examples (RFC 7515 §A.1, RFC 7520 §3.5).
    ///
    /// This is for holding an implementation against the standards' own tokens. A key loaded here may be everybody's: what
    /// it verifies proves nothing about who signed.
    pub fn from_jwk_or_standard_example(json: &str, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        let jwk = Jwk::parse(json)?;
        match Self::from_parsed_jwk(&jwk, algorithm) {
            Err(Error::KeyWellKnown) => {
                let (algorithm, key_id) = (jwk.algorithm_for(Purpose::Verify, algorithm)?, jwk.key_id()?);
                let secret = super::hmac::key_or_example(algorithm, &jwk.private("k")?)?;
                Ok(Self::secret(algorithm, key_id, secret))
            }
            loaded => loaded,
        }
    }

    pub(crate) fn from_parsed_jwk(jwk: &Jwk<'_>, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        let algorithm = jwk.algorithm_for(Purpose::Verify, algorithm)?;
        let key_id = jwk.key_id()?;
        match jwk.kty()? {
            "oct" => {
                let secret = jwk.private("k")?;
                Ok(Self::secret(algorithm, key_id, super::hmac::key(algorithm, &secret)?))
            }
            "RSA" => Ok(Self::public(algorithm, key_id, rsa::public(algorithm, &jwk.public("n")?, &jwk.public("e")?)?)),
            "EC" => {
                let point = ec::point(algorithm, &jwk.public("x")?, &jwk.public("y")?)?;
                Ok(Self::public(algorithm, key_id, ec::public(algorithm, &point)?))
            }
            _ => Ok(Self::public(algorithm, key_id, ed25519::public(&jwk.public("x")?)?)),
        }
    }

    /// Reads one PEM block: a `SubjectPublicKeyInfo`, a PKCS#1 public key, or a private key, whose public half is taken.
    ///
    /// RSA keys fit several algorithms, so for them the caller has to say which.
    pub fn from_pem(pem: &str, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        let (label, der) = pem::parse(pem)?;
        match label {
            Label::SubjectPublicKeyInfo => {
                let (kind, key) = der::subject_public_key(&der)
                    .ok_or(Error::KeyMalformed("the PEM block is not a SubjectPublicKeyInfo"))?;
                Self::from_public_der(kind, key, algorithm)
            }
            Label::Pkcs1Public => Self::from_public_der(der::Kind::Rsa, &der, algorithm),
            Label::Pkcs8 | Label::Pkcs1Private | Label::Sec1 => {
                Ok(SigningKey::from_private_der(label, &der, algorithm)?.into_verifying_key())
            }
        }
    }

    fn from_public_der(kind: der::Kind, key: &[u8], algorithm: Option<Algorithm>) -> Result<Self, Error> {
        let algorithm = super::signing::algorithm_of_kind(kind, algorithm)?;
        let public = match kind {
            der::Kind::Rsa => {
                let numbers =
                    der::rsa_public(key).ok_or(Error::KeyMalformed("the PEM block is not an RSA public key"))?;
                rsa::public(algorithm, numbers.n, numbers.e)?
            }
            der::Kind::Ed25519 => ed25519::public(key)?,
            _ => ec::public(algorithm, key)?,
        };
        Ok(Self::public(algorithm, None, public))
    }

    pub(super) fn public(
        algorithm: Algorithm,
        key_id: Option<KeyId>,
        public: (ParsedPublicKey, PublicMembers),
    ) -> Self {
        Self::new(algorithm, key_id, Check::Public(Box::new(public)))
    }

    pub(super) fn secret(algorithm: Algorithm, key_id: Option<KeyId>, secret: hmac::Key) -> Self {
        Self::new(algorithm, key_id, Check::Secret(Box::new(secret)))
    }

    fn new(algorithm: Algorithm, key_id: Option<KeyId>, check: Check) -> Self {
        Self { algorithm, key_id, check, remembered_header: RememberedHeader::default() }
    }

    /// The one algorithm that this key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's name, if it has one.
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// This key under another name.
    #[must_use]
    pub fn with_key_id(mut self, key_id: KeyId) -> Self {
        self.key_id = Some(key_id);
        self.remembered_header = RememberedHeader::default();
        self
    }

    /// The key as a public document, or `None` for a symmetric key: it has no public half.
    pub fn public_jwk(&self) -> Option<PublicJwk> {
        let members = self.public_members()?.clone();
        Some(PublicJwk::new(members, self.algorithm, self.key_id.as_ref().map(KeyId::as_str)))
    }

    /// The RFC 7638 thumbprint, or `None` for a symmetric key, whose thumbprint would say something about the secret
    /// (RFC 7638 §7).
    pub fn thumbprint(&self) -> Option<String> {
        self.public_members().map(PublicMembers::thumbprint)
    }

    pub(super) fn public_members(&self) -> Option<&PublicMembers> {
        match &self.check {
            Check::Secret(_) => None,
            Check::Public(public) => Some(&public.1),
        }
    }

    /// Whether the bytes are this key's signature of the message.
    ///
    /// Widths, ranges (r and s from 1 to n − 1, S below L) and constant time are the library's work.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        match &self.check {
            Check::Secret(key) => hmac::verify(key, message, signature),
            Check::Public(public) => public.0.verify_sig(message, signature),
        }
        .map_err(|_| Error::SignatureInvalid)
    }
}

impl fmt::Debug for VerifyingKey {
    /// Names the key and shows nothing of it: the key may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The bytes of a JWK member.
pub(crate) fn decode_member(text: &str) -> Result<Vec<u8>, Error> {
    base64url::decode(text).map_err(|_| Error::KeyMalformed("a member is not base64url in its canonical spelling"))
}
