//! Keys that sign.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaEncoding};
use zeroize::Zeroizing;

use super::public::PublicMembers;
use super::{KeyId, PublicJwk, VerifyingKey, ec, ed25519, rsa, well_known};
use crate::algorithm::{Algorithm, Family};
use crate::jwk::{Jwk, Purpose};
use crate::pem::{self, Label};
use crate::{Error, base64url, der};

/// A private key or a secret: it signs with one algorithm.
///
/// It cannot be printed or serialized by accident: there is no `Debug`, no `Display`, no `Serialize`. The ways out are
/// [`SigningKey::to_private_jwk`] and [`SigningKey::to_private_pem`], whose answers wipe themselves.
pub struct SigningKey {
    pub(super) secret: Secret,
    verifying: VerifyingKey,
}

pub(super) enum Secret {
    Hmac { key: Box<hmac::Key>, bytes: Zeroizing<Vec<u8>> },
    Rsa { pair: RsaKeyPair, encoding: &'static dyn RsaEncoding },
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a new key. Its id is its RFC 7638 thumbprint, or random for a secret.
    ///
    /// The randomness comes from the cryptographic library, not from the caller: a key from a seeded generator is a key
    /// that somebody else has too.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        let mut key = match algorithm.family() {
            Family::Hmac => {
                let mut secret = Zeroizing::new(vec![0; super::hmac::generated_len(algorithm)]);
                aws_lc_rs::rand::fill(&mut secret).map_err(|_| Error::CryptoFailed)?;
                Self::from_secret_bytes(algorithm, None, secret)?
            }
            Family::RsaPkcs1 | Family::RsaPss => Self::from_rsa(algorithm, None, rsa::generate(algorithm)?)?,
            Family::P256 | Family::P384 => Self::from_ec(algorithm, None, ec::generate(algorithm)?)?,
            Family::Ed25519 => Self::from_ed25519(algorithm, None, ed25519::generate()?)?,
        };
        key.verifying.key_id = Some(KeyId::new(match key.verifying.thumbprint() {
            Some(thumbprint) => thumbprint,
            None => random_id()?,
        })?);
        Ok(key)
    }

    /// Takes an HMAC secret: random bytes, at least as many as the hash puts out (RFC 7518 §3.2). Short, trivial and
    /// well-known secrets are refused, and so is any key document.
    pub fn from_secret(secret: &[u8], algorithm: Algorithm) -> Result<Self, Error> {
        Self::from_secret_bytes(algorithm, None, Zeroizing::new(secret.to_vec()))
    }

    /// Reads one private JWK (RFC 7517 §4), strictly. See [`VerifyingKey::from_jwk`] for `algorithm`.
    ///
    /// A key that a standard or a debugger prints is refused: everybody can sign with it.
    pub fn from_jwk(json: &str, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        well_known::refuse(Self::from_jwk_unrefused(json, algorithm)?)
    }

    /// The same, and key pairs that everybody has are let in. (Secrets are not.)
    pub(super) fn from_jwk_unrefused(json: &str, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        let jwk = Jwk::parse(json)?;
        let algorithm = jwk.algorithm_for(Purpose::Sign, algorithm)?;
        let key_id = jwk.key_id()?;
        match jwk.kty()? {
            "oct" => Self::from_secret_bytes(algorithm, key_id, jwk.private("k")?),
            "RSA" => Self::from_rsa(algorithm, key_id, rsa::from_jwk(&jwk)?),
            "EC" => {
                let point = ec::point(algorithm, &jwk.public("x")?, &jwk.public("y")?)?;
                Self::from_ec(algorithm, key_id, ec::from_parts(algorithm, &jwk.private("d")?, &point)?)
            }
            _ => {
                let x = jwk.public("x")?;
                Self::from_ed25519(algorithm, key_id, ed25519::from_parts(&jwk.private("d")?, &x)?)
            }
        }
    }

    /// Reads one PEM block with a private key: PKCS#8, PKCS#1 (RSA) or SEC 1 (EC), not encrypted.
    ///
    /// RSA keys fit several algorithms, so for them the caller has to say which. A key that a standard or a debugger prints
    /// is refused: everybody can sign with it.
    pub fn from_pem(pem: &str, algorithm: Option<Algorithm>) -> Result<Self, Error> {
        let (label, der) = pem::parse(pem)?;
        well_known::refuse(Self::from_private_der(label, &der, algorithm)?)
    }

    pub(super) fn from_private_der(label: Label, der: &[u8], algorithm: Option<Algorithm>) -> Result<Self, Error> {
        match label {
            Label::SubjectPublicKeyInfo | Label::Pkcs1Public => Err(Error::PrivateKeyMissing),
            Label::Pkcs1Private => {
                Self::from_rsa(algorithm_of_kind(der::Kind::Rsa, algorithm)?, None, rsa::from_pkcs1(der)?)
            }
            // The curve is an optional field deep inside; trying both is simpler than reading it, and as strict.
            Label::Sec1 => {
                let (kind, pair) = match ec::from_der(Algorithm::Es256, der) {
                    Ok(pair) => (der::Kind::P256, pair),
                    Err(_) => (der::Kind::P384, ec::from_der(Algorithm::Es384, der)?),
                };
                Self::from_ec(algorithm_of_kind(kind, algorithm)?, None, pair)
            }
            Label::Pkcs8 => {
                let (kind, _) =
                    der::private_key_info(der).ok_or(Error::KeyMalformed("the PEM block is not a PKCS#8 key"))?;
                let algorithm = algorithm_of_kind(kind, algorithm)?;
                match kind {
                    der::Kind::Rsa => Self::from_rsa(algorithm, None, rsa::from_pkcs8(der)?),
                    der::Kind::Ed25519 => Self::from_ed25519(algorithm, None, ed25519::from_pkcs8(der)?),
                    _ => Self::from_ec(algorithm, None, ec::from_der(algorithm, der)?),
                }
            }
        }
    }

    fn from_secret_bytes(
        algorithm: Algorithm,
        key_id: Option<KeyId>,
        bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Self, Error> {
        let key = Box::new(super::hmac::key(algorithm, &bytes)?);
        let verifying = VerifyingKey::secret(algorithm, key_id, (*key).clone());
        Ok(Self { secret: Secret::Hmac { key, bytes }, verifying })
    }

    fn from_rsa(algorithm: Algorithm, key_id: Option<KeyId>, pair: RsaKeyPair) -> Result<Self, Error> {
        let encoding = rsa::encoding(algorithm)?;
        let verifying = VerifyingKey::public(algorithm, key_id, rsa::public_of(algorithm, &pair)?);
        Ok(Self { secret: Secret::Rsa { pair, encoding }, verifying })
    }

    fn from_ec(algorithm: Algorithm, key_id: Option<KeyId>, pair: EcdsaKeyPair) -> Result<Self, Error> {
        let verifying = VerifyingKey::public(algorithm, key_id, ec::public_of(algorithm, &pair)?);
        Ok(Self { secret: Secret::Ec(pair), verifying })
    }

    fn from_ed25519(algorithm: Algorithm, key_id: Option<KeyId>, pair: Ed25519KeyPair) -> Result<Self, Error> {
        let verifying = VerifyingKey::public(algorithm, key_id, ed25519::public_of(&pair)?);
        Ok(Self { secret: Secret::Ed25519(pair), verifying })
    }

    /// The one algorithm that this key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// The key's name, if it has one.
    pub fn key_id(&self) -> Option<&KeyId> {
        self.verifying.key_id()
    }

    /// This key under another name.
    #[must_use]
    pub fn with_key_id(mut self, key_id: KeyId) -> Self {
        self.verifying.key_id = Some(key_id);
        self
    }

    /// The key that verifies what this one signs.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    pub(super) fn into_verifying_key(self) -> VerifyingKey {
        self.verifying
    }

    /// The public half as a document, or `None` for a secret, which has none.
    pub fn public_jwk(&self) -> Option<PublicJwk> {
        self.verifying.public_jwk()
    }

    /// The whole key as a JWK, for keeping it (encrypted). The text is wiped when it goes.
    pub fn to_private_jwk(&self) -> Result<Zeroizing<String>, Error> {
        self.write_private_jwk(true)
    }

    pub(crate) fn write_private_jwk(&self, names_algorithm: bool) -> Result<Zeroizing<String>, Error> {
        // Room for the largest key, so that growing does not leave copies behind that nobody wipes.
        let mut json = Zeroizing::new(String::with_capacity(16 * 1024));
        json.push_str("{\"kty\":\"");
        match (&self.secret, self.verifying.public_members()) {
            (Secret::Hmac { bytes, .. }, _) => {
                json.push_str("oct");
                private_member(&mut json, "k", bytes);
            }
            (Secret::Rsa { pair, .. }, Some(PublicMembers::Rsa { n, e })) => {
                json.push_str("RSA");
                member(&mut json, "n", n);
                member(&mut json, "e", e);
                let numbers = rsa::private_numbers(pair)?;
                for (name, number) in rsa::PRIVATE_MEMBERS.iter().zip(&numbers) {
                    private_member(&mut json, name, number);
                }
            }
            (Secret::Ec(pair), Some(PublicMembers::Ec { crv, x, y })) => {
                json.push_str("EC");
                member(&mut json, "crv", crv);
                member(&mut json, "x", x);
                member(&mut json, "y", y);
                private_member(&mut json, "d", &ec::private_number(pair)?);
            }
            (Secret::Ed25519(pair), Some(PublicMembers::Okp { x })) => {
                json.push_str("OKP");
                member(&mut json, "crv", "Ed25519");
                member(&mut json, "x", x);
                private_member(&mut json, "d", &ed25519::seed(pair)?);
            }
            _ => return Err(Error::CryptoFailed),
        }
        member(&mut json, "use", "sig");
        if names_algorithm {
            member(&mut json, "alg", self.algorithm().name());
        }
        json.push('"');
        if let Some(key_id) = self.key_id() {
            json.push_str(",\"kid\":");
            json.push_str(&serde_json::to_string(key_id).map_err(|_| Error::CryptoFailed)?);
        }
        json.push('}');
        Ok(json)
    }

    /// How long this key's signatures are.
    pub(crate) fn signature_bytes(&self) -> usize {
        match &self.secret {
            Secret::Hmac { .. } => super::hmac::generated_len(self.algorithm()),
            Secret::Rsa { pair, .. } => pair.public_modulus_len(),
            Secret::Ec(_) if self.algorithm() == Algorithm::Es384 => 96,
            Secret::Ec(_) | Secret::Ed25519(_) => 64,
        }
    }

    /// Signs the text, and appends a dot and the signature to it.
    pub(crate) fn sign_onto(&self, token: &mut String) -> Result<(), Error> {
        let append = |token: &mut String, signature: &[u8]| {
            token.push('.');
            base64url::encode_onto(token, signature);
        };
        let message = token.as_bytes();
        match &self.secret {
            Secret::Hmac { key, .. } => append(token, hmac::sign(key, message).as_ref()),
            Secret::Rsa { pair, encoding } => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| Error::CryptoFailed)?;
                append(token, &signature);
            }
            Secret::Ec(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| Error::CryptoFailed)?;
                append(token, signature.as_ref());
            }
            Secret::Ed25519(pair) => {
                let signature = pair.try_sign(message).map_err(|_| Error::CryptoFailed)?;
                append(token, signature.as_ref());
            }
        }
        Ok(())
    }
}

/// Which algorithm a key of this kind is for: the curve says it, or the caller must.
pub(super) fn algorithm_of_kind(kind: der::Kind, asked_for: Option<Algorithm>) -> Result<Algorithm, Error> {
    let fits = |algorithm: Algorithm| match kind {
        der::Kind::Rsa => matches!(algorithm.family(), Family::RsaPkcs1 | Family::RsaPss),
        der::Kind::P256 => algorithm.family() == Family::P256,
        der::Kind::P384 => algorithm.family() == Family::P384,
        der::Kind::Ed25519 => algorithm.family() == Family::Ed25519,
        der::Kind::Other => false,
    };
    match (kind, asked_for) {
        (der::Kind::Other, _) => Err(Error::KeyUnsupported("neither RSA, P-256, P-384 nor Ed25519")),
        (_, Some(algorithm)) if fits(algorithm) => Ok(algorithm),
        (_, Some(_)) => Err(Error::KeyNotForThisUse("the algorithm asked for needs another kind of key")),
        (der::Kind::Rsa, None) => Err(Error::KeyAlgorithmMissing),
        (der::Kind::P256, None) => Ok(Algorithm::Es256),
        (der::Kind::P384, None) => Ok(Algorithm::Es384),
        (der::Kind::Ed25519, None) => Ok(Algorithm::EdDsa),
    }
}

/// 128 random bits: enough never to meet again.
fn random_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::CryptoFailed)?;
    Ok(base64url::encode(&bytes))
}

/// Closes the string before it and opens its own.
fn member(json: &mut String, name: &str, text: &str) {
    json.push_str("\",\"");
    json.push_str(name);
    json.push_str("\":\"");
    json.push_str(text);
}

fn private_member(json: &mut String, name: &str, bytes: &[u8]) {
    member(json, name, "");
    base64url::encode_onto(json, bytes);
}
