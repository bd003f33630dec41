//! ECDSA keys on P-256 and P-384 (RFC 7518 §3.4, §6.2).

use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair as _, ParsedPublicKey,
};
use zeroize::Zeroizing;

use super::public::PublicMembers;
use crate::algorithm::Algorithm;
use crate::{Error, base64url};

/// What differs between the curves.
struct Curve {
    name: &'static str,
    coordinate_bytes: usize,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
}

/// The fixed-width formats are r‖s as JOSE wants it, not the ASN.1 of X.509 (RFC 7518 §3.4).
static P256: Curve = Curve {
    name: "P-256",
    coordinate_bytes: 32,
    signing: &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    verification: &signature::ECDSA_P256_SHA256_FIXED,
};
static P384: Curve = Curve {
    name: "P-384",
    coordinate_bytes: 48,
    signing: &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
    verification: &signature::ECDSA_P384_SHA384_FIXED,
};

fn curve(algorithm: Algorithm) -> Result<&'static Curve, Error> {
    match algorithm {
        Algorithm::Es256 => Ok(&P256),
        Algorithm::Es384 => Ok(&P384),
        _ => Err(Error::KeyNotForThisUse("an EC key needs the algorithm of its curve")),
    }
}

/// Joins the coordinates of a JWK into an uncompressed point (SEC 1 §2.3.3), each at its full width (RFC 7518 §6.2.1.2).
pub(super) fn point(algorithm: Algorithm, x: &[u8], y: &[u8]) -> Result<Vec<u8>, Error> {
    let curve = curve(algorithm)?;
    if x.len() != curve.coordinate_bytes || y.len() != curve.coordinate_bytes {
        return Err(Error::KeyMalformed("an EC coordinate does not have the full width of its curve"));
    }
    Ok([&[UNCOMPRESSED], x, y].concat())
}

/// First byte of a point that gives both coordinates.
const UNCOMPRESSED: u8 = 4;

/// Checks that an uncompressed point is on the curve, and prepares it. (RFC 8725 §3.4; the library multiplies out.)
pub(super) fn public(algorithm: Algorithm, point: &[u8]) -> Result<(ParsedPublicKey, PublicMembers), Error> {
    let curve = curve(algorithm)?;
    let (x, y) = match point.split_first() {
        Some((&UNCOMPRESSED, both)) if both.len() == 2 * curve.coordinate_bytes => {
            both.split_at(curve.coordinate_bytes)
        }
        _ => return Err(Error::KeyUnsupported("an EC point that is not in uncompressed form")),
    };
    let members = PublicMembers::Ec { crv: curve.name, x: base64url::encode(x), y: base64url::encode(y) };
    let parsed = ParsedPublicKey::new(curve.verification, point)
        .map_err(|_| Error::KeyInvalid("the point is not on the curve"))?;
    Ok((parsed, members))
}

/// The public half of a pair.
pub(super) fn public_of(algorithm: Algorithm, pair: &EcdsaKeyPair) -> Result<(ParsedPublicKey, PublicMembers), Error> {
    public(algorithm, pair.public_key().as_ref())
}

pub(super) fn generate(algorithm: Algorithm) -> Result<EcdsaKeyPair, Error> {
    EcdsaKeyPair::generate(curve(algorithm)?.signing).map_err(|_| Error::CryptoFailed)
}

/// A pair from the members of a JWK; that they belong together is checked.
pub(super) fn from_parts(algorithm: Algorithm, d: &[u8], point: &[u8]) -> Result<EcdsaKeyPair, Error> {
    let curve = curve(algorithm)?;
    // RFC 7518 §6.2.2.1: full width, like the coordinates.
    if d.len() != curve.coordinate_bytes {
        return Err(Error::KeyMalformed("the EC private number does not have the full width of its curve"));
    }
    EcdsaKeyPair::from_private_key_and_public_key(curve.signing, d, point)
        .map_err(|_| Error::KeyInvalid("the EC private number does not belong to the point"))
}

/// A pair from PKCS#8 or SEC 1.
pub(super) fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<EcdsaKeyPair, Error> {
    EcdsaKeyPair::from_private_key_der(curve(algorithm)?.signing, der)
        .map_err(|_| Error::KeyInvalid("not a usable EC private key of this curve"))
}

/// The private number, at full width.
pub(super) fn private_number(pair: &EcdsaKeyPair) -> Result<Zeroizing<Vec<u8>>, Error> {
    let number: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(|_| Error::CryptoFailed)?;
    Ok(Zeroizing::new(number.as_ref().to_vec()))
}
