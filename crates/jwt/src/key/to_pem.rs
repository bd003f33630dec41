//! Keys as PEM, for tools that do not read JWK.

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
use zeroize::Zeroizing;

use super::public::PublicMembers;
use super::signing::Secret;
use super::{SigningKey, VerifyingKey, decode_member};
use crate::algorithm::Family;
use crate::pem::{self, Label};
use crate::{Error, der};

/// What stands inside a PEM block with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicPem {
    /// `PUBLIC KEY`: `SubjectPublicKeyInfo` (RFC 7468 §13), which every kind of key has and every tool reads.
    SubjectPublicKeyInfo,
    /// `RSA PUBLIC KEY`: PKCS#1 (RFC 8017 §A.1.1), for RSA only.
    Pkcs1,
}

/// What stands inside a PEM block with a private key. None is encrypted: mind where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivatePem {
    /// `PRIVATE KEY`: PKCS#8 (RFC 7468 §10), which every kind of key has and every tool reads.
    Pkcs8,
    /// `RSA PRIVATE KEY`: PKCS#1 (RFC 8017 §A.1.2), for RSA only.
    Pkcs1,
    /// `EC PRIVATE KEY`: SEC 1 (RFC 5915), for EC only.
    Sec1,
}

const NO_PEM: Error = Error::KeyUnsupported("a secret has no PEM form");
const NOT_RSA: Error = Error::KeyUnsupported("PKCS#1 is for RSA keys");
const NOT_EC: Error = Error::KeyUnsupported("SEC 1 is for EC keys");

impl VerifyingKey {
    /// The public key as PEM. A secret has no PEM form.
    pub fn to_public_pem(&self, form: PublicPem) -> Result<String, Error> {
        let members = self.public_members().ok_or(NO_PEM)?;
        let key = match members {
            PublicMembers::Rsa { n, e } => der::write_rsa_public(&decode_member(n)?, &decode_member(e)?),
            PublicMembers::Ec { x, y, .. } => {
                super::ec::point(self.algorithm(), &decode_member(x)?, &decode_member(y)?)?
            }
            PublicMembers::Okp { x } => decode_member(x)?,
        };
        let (label, der) = match (form, self.algorithm().family()) {
            (PublicPem::SubjectPublicKeyInfo, family) => {
                let der = der::write_subject_public_key(kind(family), &key).ok_or(NO_PEM)?;
                (Label::SubjectPublicKeyInfo, der)
            }
            (PublicPem::Pkcs1, Family::RsaPkcs1 | Family::RsaPss) => (Label::Pkcs1Public, key),
            (PublicPem::Pkcs1, _) => return Err(NOT_RSA),
        };
        Ok(std::mem::take(&mut *pem::write(label, &der)))
    }
}

impl SigningKey {
    /// The whole key as PEM, not encrypted. The text is wiped when it goes. A secret has no PEM form.
    pub fn to_private_pem(&self, form: PrivatePem) -> Result<Zeroizing<String>, Error> {
        let failed = |_| Error::CryptoFailed;
        match (&self.secret, form) {
            (Secret::Hmac { .. }, _) => Err(NO_PEM),
            (Secret::Rsa { pair, .. }, PrivatePem::Pkcs8) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                Ok(pem::write(Label::Pkcs8, der.as_ref()))
            }
            (Secret::Rsa { pair, .. }, PrivatePem::Pkcs1) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                let (_, pkcs1) = der::private_key_info(der.as_ref()).ok_or(Error::CryptoFailed)?;
                Ok(pem::write(Label::Pkcs1Private, pkcs1))
            }
            (Secret::Ec(pair), PrivatePem::Pkcs8) => {
                Ok(pem::write(Label::Pkcs8, pair.to_pkcs8v1().map_err(failed)?.as_ref()))
            }
            (Secret::Ec(pair), PrivatePem::Sec1) => {
                let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().map_err(failed)?;
                Ok(pem::write(Label::Sec1, der.as_ref()))
            }
            (Secret::Ed25519(pair), PrivatePem::Pkcs8) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                Ok(pem::write(Label::Pkcs8, der.as_ref()))
            }
            (_, PrivatePem::Pkcs1) => Err(NOT_RSA),
            (_, PrivatePem::Sec1) => Err(NOT_EC),
        }
    }
}

fn kind(family: Family) -> der::Kind {
    match family {
        Family::RsaPkcs1 | Family::RsaPss => der::Kind::Rsa,
        Family::P256 => der::Kind::P256,
        Family::P384 => der::Kind::P384,
        Family::Ed25519 => der::Kind::Ed25519,
        Family::Hmac => der::Kind::Other,
    }
}
