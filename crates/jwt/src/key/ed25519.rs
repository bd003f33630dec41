//! Ed25519 keys (RFC 8037 §2, RFC 8032 §5.1).

use aws_lc_rs::encoding::{AsBigEndian, Curve25519SeedBin};
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use zeroize::Zeroizing;

use super::ed25519_point;
use super::public::PublicMembers;
use crate::{Error, base64url};

/// Checks a public key and prepares it.
pub(super) fn public(x: &[u8]) -> Result<(ParsedPublicKey, PublicMembers), Error> {
    let encoded: &[u8; 32] = x.try_into().map_err(|_| Error::KeyMalformed("an Ed25519 public key has 32 bytes"))?;
    // The library only notices at the first signature, and then says no more than "no".
    ed25519_point::check(encoded)?;
    let parsed = ParsedPublicKey::new(&signature::ED25519, x)
        .map_err(|_| Error::KeyInvalid("the bytes are not an Ed25519 public key"))?;
    Ok((parsed, PublicMembers::Okp { x: base64url::encode(x) }))
}

/// The public half of a pair.
pub(super) fn public_of(pair: &Ed25519KeyPair) -> Result<(ParsedPublicKey, PublicMembers), Error> {
    public(pair.public_key().as_ref())
}

pub(super) fn generate() -> Result<Ed25519KeyPair, Error> {
    Ed25519KeyPair::generate().map_err(|_| Error::CryptoFailed)
}

/// A pair from the members of a JWK; that they belong together is checked.
pub(super) fn from_parts(seed: &[u8], x: &[u8]) -> Result<Ed25519KeyPair, Error> {
    if seed.len() != 32 {
        return Err(Error::KeyMalformed("an Ed25519 private key has 32 bytes"));
    }
    Ed25519KeyPair::from_seed_and_public_key(seed, x)
        .map_err(|_| Error::KeyInvalid("the Ed25519 private key does not belong to the public one"))
}

/// A pair from PKCS#8 (RFC 8410 §7).
pub(super) fn from_pkcs8(der: &[u8]) -> Result<Ed25519KeyPair, Error> {
    Ed25519KeyPair::from_pkcs8(der).map_err(|_| Error::KeyInvalid("not a usable Ed25519 private key"))
}

/// The 32 secret bytes (RFC 8032 §5.1.5 calls them the private key).
pub(super) fn seed(pair: &Ed25519KeyPair) -> Result<Zeroizing<Vec<u8>>, Error> {
    let seed = pair.seed().map_err(|_| Error::CryptoFailed)?;
    let bytes: Curve25519SeedBin<'_> = seed.as_be_bytes().map_err(|_| Error::CryptoFailed)?;
    Ok(Zeroizing::new(bytes.as_ref().to_vec()))
}
