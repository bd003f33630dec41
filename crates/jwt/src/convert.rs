//! One key from one document into another: JWK and PEM, whole or only its public half.

use zeroize::Zeroizing;

use crate::{Algorithm, Error, PrivatePem, PublicPem, SigningKey, VerifyingKey};

/// What a key can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFormat {
    /// A JWK with the private members.
    PrivateJwk,
    /// A JWK with the public members only.
    PublicJwk,
    /// A PEM block with the private key, not encrypted.
    PrivatePem(PrivatePem),
    /// A PEM block with the public key.
    PublicPem(PublicPem),
}

/// Reads one JWK or PEM, with all checks of loading a key, and writes it in another format. The text is wiped when it goes.
///
/// PEM knows neither `kid` nor `alg`, so they are lost on the way there. On the way back EC and Ed25519 keys get their
/// `alg` from the curve; an RSA key gets the `algorithm` that the caller names, or none.
///
/// ```
/// use counterfoil_jwt::{Algorithm, KeyFormat, PublicPem, SigningKey, convert_key};
///
/// # fn main() -> Result<(), counterfoil_jwt::Error> {
/// let jwk = SigningKey::generate(Algorithm::EdDsa)?.to_private_jwk()?;
/// let pem = convert_key(&jwk, KeyFormat::PublicPem(PublicPem::SubjectPublicKeyInfo), None)?;
/// assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
/// # Ok(()) }
/// ```
pub fn convert_key(document: &str, to: KeyFormat, algorithm: Option<Algorithm>) -> Result<Zeroizing<String>, Error> {
    match convert(document, to, algorithm, true) {
        // The numbers of an RSA key are the same for all six algorithms; this one is only a vehicle, and is not named.
        Err(Error::KeyAlgorithmMissing) => convert(document, to, Some(Algorithm::Rs256), false),
        converted => converted,
    }
}

fn convert(
    document: &str,
    to: KeyFormat,
    algorithm: Option<Algorithm>,
    names_algorithm: bool,
) -> Result<Zeroizing<String>, Error> {
    let is_json = document.trim_start().starts_with('{');
    let signing =
        || if is_json { SigningKey::from_jwk(document, algorithm) } else { SigningKey::from_pem(document, algorithm) };
    let verifying = || {
        if is_json { VerifyingKey::from_jwk(document, algorithm) } else { VerifyingKey::from_pem(document, algorithm) }
    };
    match to {
        KeyFormat::PrivateJwk => signing()?.write_private_jwk(names_algorithm),
        KeyFormat::PrivatePem(form) => signing()?.to_private_pem(form),
        KeyFormat::PublicPem(form) => verifying()?.to_public_pem(form).map(Zeroizing::new),
        KeyFormat::PublicJwk => {
            let mut jwk = verifying()?.public_jwk().ok_or(Error::KeyUnsupported("a secret has no public half"))?;
            if !names_algorithm {
                jwk = jwk.without_algorithm();
            }
            serde_json::to_string(&jwk).map(Zeroizing::new).map_err(|_| Error::CryptoFailed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PKCS8: KeyFormat = KeyFormat::PrivatePem(PrivatePem::Pkcs8);
    const SPKI: KeyFormat = KeyFormat::PublicPem(PublicPem::SubjectPublicKeyInfo);

    #[test]
    fn there_and_back_again() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256, Algorithm::Ps512] {
            let key = SigningKey::generate(algorithm).unwrap();
            let jwk = key.to_private_jwk().unwrap();
            let (without_id, _) = jwk.split_once(",\"kid\"").unwrap();
            let pem = convert_key(&jwk, PKCS8, None).unwrap();
            let back = convert_key(&pem, KeyFormat::PrivateJwk, Some(algorithm)).unwrap();
            assert_eq!(*back, format!("{without_id}}}"));
            let public = convert_key(&pem, SPKI, None).unwrap();
            let back = convert_key(&public, KeyFormat::PublicJwk, Some(algorithm)).unwrap();
            assert_eq!(VerifyingKey::from_jwk(&back, None).unwrap().thumbprint(), key.verifying_key().thumbprint());
        }
    }

    #[test]
    fn an_rsa_key_gets_no_algorithm_that_nobody_named() {
        let pem = SigningKey::generate(Algorithm::Rs256).unwrap().to_private_pem(PrivatePem::Pkcs1).unwrap();
        for format in [KeyFormat::PrivateJwk, KeyFormat::PublicJwk] {
            assert!(!convert_key(&pem, format, None).unwrap().contains("\"alg\""));
            assert!(convert_key(&pem, format, Some(Algorithm::Ps384)).unwrap().contains("\"alg\":\"PS384\""));
        }
    }

    #[test]
    fn what_is_not_there_is_not_made_up() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let public = serde_json::to_string(&key.public_jwk()).unwrap();
        let secret = SigningKey::generate(Algorithm::Hs256).unwrap().to_private_jwk().unwrap();
        for (document, format, code) in [
            (public.as_str(), PKCS8, "private_key_missing"),
            (&public, KeyFormat::PrivateJwk, "private_key_missing"),
            (&public, KeyFormat::PublicPem(PublicPem::Pkcs1), "key_unsupported"),
            (&secret, SPKI, "key_unsupported"),
            (&secret, PKCS8, "key_unsupported"),
            (&secret, KeyFormat::PublicJwk, "key_unsupported"),
            ("{}", SPKI, "key_malformed"),
            ("", SPKI, "key_malformed"),
        ] {
            assert_eq!(convert_key(document, format, None).unwrap_err().code(), code, "{format:?}");
        }
    }
}
