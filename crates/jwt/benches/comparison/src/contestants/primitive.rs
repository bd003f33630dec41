//! The bare primitives: bytes, a parsed key, a signature. No token library can be faster than its own primitive.

use crate::{material::Material, race::Contestant};
use anyhow::anyhow;
use counterfoil_jwt::Algorithm;
use std::hint::black_box;

const AWS: &str = "aws-lc-rs (bare primitive)";
const RING: &str = "ring (bare primitive)";

pub fn aws_lc_rs_verify(material: &Material) -> anyhow::Result<Contestant> {
    use aws_lc_rs::{hmac, signature};
    let (input, tag) = material.signed_parts()?;
    let algorithm: &'static dyn signature::VerificationAlgorithm = match material.algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::EdDsa => &signature::ED25519,
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        hash => {
            let hash = if hash == Algorithm::Hs256 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
            let key = hmac::Key::new(hash, &material.secret);
            return Ok(Contestant::new(AWS, move || {
                hmac::verify(&key, black_box(input.as_bytes()), black_box(&tag)).map_err(|_| anyhow!("refused"))
            }));
        }
    };
    let key = signature::ParsedPublicKey::new(algorithm, &material.public_raw)?;
    Ok(Contestant::new(AWS, move || {
        key.verify_sig(black_box(input.as_bytes()), black_box(&tag)).map_err(|_| anyhow!("refused"))
    }))
}

pub fn ring_verify(material: &Material) -> anyhow::Result<Contestant> {
    use ring::{hmac, signature};
    let (input, tag) = material.signed_parts()?;
    let algorithm: &'static dyn signature::VerificationAlgorithm = match material.algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::EdDsa => &signature::ED25519,
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        hash => {
            let hash = if hash == Algorithm::Hs256 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
            let key = hmac::Key::new(hash, &material.secret);
            return Ok(Contestant::new(RING, move || {
                hmac::verify(&key, black_box(input.as_bytes()), black_box(&tag)).map_err(|_| anyhow!("refused"))
            }));
        }
    };
    // ring keeps public keys as bytes and parses them at each verification.
    let key = signature::UnparsedPublicKey::new(algorithm, material.public_raw.clone());
    Ok(Contestant::new(RING, move || {
        key.verify(black_box(input.as_bytes()), black_box(&tag)).map_err(|_| anyhow!("refused"))
    }))
}

pub fn aws_lc_rs_sign(material: &Material) -> anyhow::Result<Contestant> {
    use aws_lc_rs::{hmac, rand::SystemRandom, signature};
    let (input, _) = material.signed_parts()?;
    let input = input.into_bytes();
    Ok(match material.algorithm {
        Algorithm::Es256 => {
            let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
            let (key, random) =
                (signature::EcdsaKeyPair::from_pkcs8(algorithm, &material.private_der)?, SystemRandom::new());
            Contestant::new(AWS, move || {
                black_box(key.sign(&random, black_box(&input)).map_err(|_| anyhow!("no signature"))?);
                Ok(())
            })
        }
        Algorithm::EdDsa => {
            let key = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&material.private_der)?;
            Contestant::new(AWS, move || {
                black_box(key.sign(black_box(&input)));
                Ok(())
            })
        }
        Algorithm::Rs256 => {
            let (key, random) = (signature::RsaKeyPair::from_pkcs8(&material.private_der)?, SystemRandom::new());
            let mut signature = vec![0; key.public_modulus_len()];
            Contestant::new(AWS, move || {
                key.sign(&signature::RSA_PKCS1_SHA256, &random, black_box(&input), &mut signature)
                    .map_err(|_| anyhow!("no signature"))
            })
        }
        hash => {
            let hash = if hash == Algorithm::Hs256 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
            let key = hmac::Key::new(hash, &material.secret);
            Contestant::new(AWS, move || {
                black_box(hmac::sign(&key, black_box(&input)));
                Ok(())
            })
        }
    })
}

pub fn ring_sign(material: &Material) -> anyhow::Result<Contestant> {
    use ring::{hmac, rand::SystemRandom, signature};
    let (input, _) = material.signed_parts()?;
    let input = input.into_bytes();
    let random = SystemRandom::new();
    Ok(match material.algorithm {
        Algorithm::Es256 => {
            let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
            let key = signature::EcdsaKeyPair::from_pkcs8(algorithm, &material.private_der, &random)
                .map_err(|error| anyhow!("{error}"))?;
            Contestant::new(RING, move || {
                black_box(key.sign(&random, black_box(&input)).map_err(|_| anyhow!("no signature"))?);
                Ok(())
            })
        }
        Algorithm::EdDsa => {
            let key = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&material.private_der)
                .map_err(|error| anyhow!("{error}"))?;
            Contestant::new(RING, move || {
                black_box(key.sign(black_box(&input)));
                Ok(())
            })
        }
        Algorithm::Rs256 => {
            let key = signature::RsaKeyPair::from_pkcs8(&material.private_der).map_err(|error| anyhow!("{error}"))?;
            let mut signature = vec![0; key.public().modulus_len()];
            Contestant::new(RING, move || {
                key.sign(&signature::RSA_PKCS1_SHA256, &random, black_box(&input), &mut signature)
                    .map_err(|_| anyhow!("no signature"))
            })
        }
        hash => {
            let hash = if hash == Algorithm::Hs256 { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
            let key = hmac::Key::new(hash, &material.secret);
            Contestant::new(RING, move || {
                black_box(hmac::sign(&key, black_box(&input)));
                Ok(())
            })
        }
    })
}
