//! RSA keys (RFC 7518 §3.3, §3.5, §6.3), for PKCS#1 v1.5 and PSS signatures.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, ParsedPublicKey, RsaEncoding, RsaParameters, RsaPublicKeyComponents};

use super::public::PublicMembers;
use crate::algorithm::Algorithm;
use crate::jwk::Jwk;
use crate::{Error, base64url, der};

/// RFC 7518 §3.3 asks for 2048 bits or more; beyond 8192 a verification costs more than a stranger should be able to ask.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Real exponents fit in 17 bits. A long one only makes verification slow.
const EXPONENT_BYTES_MAX: usize = 4;

/// Checks a public key's numbers (big-endian, no leading zeros) and prepares it for one algorithm.
pub(super) fn public(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Result<(ParsedPublicKey, PublicMembers), Error> {
    check_numbers(n, e)?;
    let parsed = RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(parameters(algorithm)?)
        .map_err(|_| Error::KeyInvalid("the RSA numbers do not make a key"))?;
    Ok((parsed, PublicMembers::Rsa { n: base64url::encode(n), e: base64url::encode(e) }))
}

/// The public half of a pair.
pub(super) fn public_of(algorithm: Algorithm, pair: &KeyPair) -> Result<(ParsedPublicKey, PublicMembers), Error> {
    let key = der::rsa_public(pair.public_key().as_ref()).ok_or(Error::CryptoFailed)?;
    public(algorithm, key.n, key.e)
}

fn check_numbers(n: &[u8], e: &[u8]) -> Result<(), Error> {
    let (Some(n_first), Some(n_last), Some(e_first), Some(e_last)) = (n.first(), n.last(), e.first(), e.last()) else {
        return Err(Error::KeyMalformed("an RSA number is empty"));
    };
    // RFC 7518 §6.3.1.1: no extra zero byte in front, though some libraries write one.
    if *n_first == 0 || *e_first == 0 {
        return Err(Error::KeyMalformed("an RSA number has a leading zero byte"));
    }
    let modulus_bits = n.len() * 8 - n_first.leading_zeros() as usize;
    if modulus_bits < *MODULUS_BITS.start() {
        return Err(Error::KeyTooWeak("the RSA modulus is shorter than 2048 bits"));
    }
    if modulus_bits > *MODULUS_BITS.end() {
        return Err(Error::KeyUnsupported("the RSA modulus is longer than 8192 bits"));
    }
    if n_last % 2 == 0 {
        return Err(Error::KeyInvalid("the RSA modulus is even"));
    }
    // With e = 1 a signature is the padded message itself: anybody can write one.
    if e_last % 2 == 0 || e == [1] {
        return Err(Error::KeyTooWeak("the RSA exponent is 1 or even"));
    }
    if e.len() > EXPONENT_BYTES_MAX {
        return Err(Error::KeyUnsupported("the RSA exponent is longer than 32 bits"));
    }
    Ok(())
}

/// Makes a pair: 2048 bits with SHA-256, 3072 with the longer hashes, which are chosen by those who want more.
pub(super) fn generate(algorithm: Algorithm) -> Result<KeyPair, Error> {
    let size = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => KeySize::Rsa2048,
        _ => KeySize::Rsa3072,
    };
    KeyPair::generate(size).map_err(|_| Error::CryptoFailed)
}

/// The private members of a JWK (RFC 7518 §6.3.2), in the order of the RFC.
pub(super) const PRIVATE_MEMBERS: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// The private numbers, in the order of [`PRIVATE_MEMBERS`].
pub(super) fn private_numbers(pair: &KeyPair) -> Result<der::RsaPrivate, Error> {
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Error::CryptoFailed)?;
    // `Pkcs8V1Der` wipes its bytes when it goes.
    let (_, pkcs1) = der::private_key_info(pkcs8.as_ref()).ok_or(Error::CryptoFailed)?;
    der::rsa_private(pkcs1).ok_or(Error::CryptoFailed)
}

/// A pair from a JWK. All its numbers must be there and fit each other: the library checks them all.
pub(super) fn from_jwk(jwk: &Jwk<'_>) -> Result<KeyPair, Error> {
    if jwk.has_other_primes() {
        return Err(Error::KeyUnsupported("an RSA key of more than two primes"));
    }
    let public_key = RsaPublicKeyComponents { n: jwk.public("n")?, e: jwk.public("e")? };
    check_numbers(&public_key.n, &public_key.e)?;
    // RFC 7518 §6.3.2 lets a key bring `d` alone; the library wants the rest, and nearly all keys have it.
    let beside_d = |name| match jwk.private(name) {
        Err(Error::PrivateKeyMissing) => Err(Error::KeyUnsupported("an RSA private key without its prime factors")),
        number => number,
    };
    KeyPair::from_components(&KeyPairComponents {
        public_key,
        d: jwk.private("d")?,
        p: beside_d("p")?,
        q: beside_d("q")?,
        dP: beside_d("dp")?,
        dQ: beside_d("dq")?,
        qInv: beside_d("qi")?,
    })
    .map_err(|_| Error::KeyInvalid("the RSA numbers contradict each other"))
}

/// A pair from PKCS#8.
pub(super) fn from_pkcs8(der: &[u8]) -> Result<KeyPair, Error> {
    KeyPair::from_pkcs8(der).map_err(|_| Error::KeyInvalid("not a usable RSA private key of 2048 to 8192 bits"))
}

/// A pair from PKCS#1.
pub(super) fn from_pkcs1(der: &[u8]) -> Result<KeyPair, Error> {
    KeyPair::from_der(der).map_err(|_| Error::KeyInvalid("not a usable RSA private key of 2048 to 8192 bits"))
}

/// Padding and hash for signing. PSS takes a salt as long as the hash (RFC 7518 §3.5).
pub(super) fn encoding(algorithm: Algorithm) -> Result<&'static dyn RsaEncoding, Error> {
    Ok(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        _ => return Err(Error::KeyNotForThisUse("an RSA key needs an RSA algorithm")),
    })
}

fn parameters(algorithm: Algorithm) -> Result<&'static RsaParameters, Error> {
    Ok(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return Err(Error::KeyNotForThisUse("an RSA key needs an RSA algorithm")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(n: &[u8], e: &[u8]) -> &'static str {
        public(Algorithm::Rs256, n, e).err().map_or("accepted", |error| error.code())
    }

    #[test]
    fn weak_and_misspelt_numbers_are_refused() {
        let good = [0xc5_u8; 256];
        let with = |first: u8, last: u8, length: usize| {
            let mut n = vec![0xc5; length];
            n[0] = first;
            n[length - 1] = last;
            n
        };
        assert_eq!(refusal(&good, &[1, 0, 1]), "accepted");
        assert_eq!(refusal(&good, &[3]), "accepted");
        assert_eq!(refusal(&with(0x80, 1, 256), &[3]), "accepted");
        for (n, e, code) in [
            (with(0x7f, 1, 256), [3].as_slice(), "key_too_weak"),
            (with(0xff, 1, 255), &[3], "key_too_weak"),
            (with(0xff, 1, 128), &[3], "key_too_weak"),
            (with(0x01, 1, 1025), &[3], "key_unsupported"),
            (with(0xff, 2, 256), &[3], "key_invalid"),
            (with(0x00, 1, 257), &[3], "key_malformed"),
            (with(0xff, 1, 256), &[1], "key_too_weak"),
            (with(0xff, 1, 256), &[4], "key_too_weak"),
            (with(0xff, 1, 256), &[0], "key_malformed"),
            (with(0xff, 1, 256), &[0, 3], "key_malformed"),
            (with(0xff, 1, 256), &[1, 0, 0, 0, 1], "key_unsupported"),
            (with(0xff, 1, 256), &[], "key_malformed"),
        ] {
            assert_eq!(refusal(&n, e), code, "n of {} bytes, e {e:?}", n.len());
        }
    }
}
