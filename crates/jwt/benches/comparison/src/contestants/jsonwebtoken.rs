//! `jsonwebtoken`, with whichever backend this process has installed.

use crate::{
    material::{AUDIENCE, Claims, ISSUER, KEY_ID, Material, TYPE},
    race::Contestant,
};
use anyhow::{anyhow, ensure};
use counterfoil_jwt::Algorithm as Ours;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto};
use std::{hint::black_box, rc::Rc};

/// Chooses the backend, once a process.
pub fn install(rust_crypto: bool) -> anyhow::Result<()> {
    let provider = if rust_crypto { &crypto::rust_crypto::DEFAULT_PROVIDER } else { &crypto::aws_lc::DEFAULT_PROVIDER };
    provider.install_default().map_err(|_| anyhow!("a backend was installed before"))
}

fn algorithm(ours: Ours) -> Algorithm {
    match ours {
        Ours::Hs256 => Algorithm::HS256,
        Ours::Hs512 => Algorithm::HS512,
        Ours::Es256 => Algorithm::ES256,
        Ours::EdDsa => Algorithm::EdDSA,
        _ => Algorithm::RS256,
    }
}

pub fn verify(name: &'static str, material: Rc<Material>) -> anyhow::Result<Contestant> {
    let pem = material.public_pem.as_bytes();
    let key = match material.algorithm {
        Ours::Hs256 | Ours::Hs512 => DecodingKey::from_secret(&material.secret),
        Ours::Es256 => DecodingKey::from_ec_pem(pem)?,
        Ours::EdDsa => DecodingKey::from_ed_pem(pem)?,
        _ => DecodingKey::from_rsa_pem(pem)?,
    };
    let mut validation = Validation::new(algorithm(material.algorithm));
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
    validation.validate_nbf = true;
    validation.leeway = 0;
    Ok(Contestant::new(name, move || {
        let verified = jsonwebtoken::decode::<Claims>(black_box(&material.token), &key, &validation)?;
        // It has no rule for `typ`.
        ensure!(verified.header.typ.as_deref() == Some(TYPE), "wrong type");
        black_box(verified);
        Ok(())
    }))
}

pub fn sign(name: &'static str, material: Rc<Material>) -> anyhow::Result<Contestant> {
    let pem = material.private_pem.as_bytes();
    let key = match material.algorithm {
        Ours::Hs256 | Ours::Hs512 => EncodingKey::from_secret(&material.secret),
        Ours::Es256 => EncodingKey::from_ec_pem(pem)?,
        Ours::EdDsa => EncodingKey::from_ed_pem(pem)?,
        _ => EncodingKey::from_rsa_pem(pem)?,
    };
    let mut header = Header::new(algorithm(material.algorithm));
    header.typ = Some(TYPE.into());
    header.kid = Some(KEY_ID.into());
    Ok(Contestant::new(name, move || {
        black_box(jsonwebtoken::encode(&header, black_box(&material.claims), &key)?);
        Ok(())
    }))
}
