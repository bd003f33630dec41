//! `josekit`, on OpenSSL.

use crate::{
    material::{AUDIENCE, Claims, ISSUER, KEY_ID, Material, TYPE},
    race::Contestant,
};
use anyhow::{bail, ensure};
use counterfoil_jwt::Algorithm;
use josekit::{
    jws::{ES256, EdDSA, HS256, HS512, JwsHeader, JwsSigner, JwsVerifier, RS256},
    jwt::{self, JwtPayload, JwtPayloadValidator},
};
use serde_json::Value;
use std::{hint::black_box, rc::Rc, time::SystemTime};

const NAME: &str = "josekit";

pub fn verify(material: Rc<Material>) -> anyhow::Result<Contestant> {
    let pem = &material.public_pem;
    let verifier: Box<dyn JwsVerifier> = match material.algorithm {
        Algorithm::Hs256 => Box::new(HS256.verifier_from_bytes(&material.secret)?),
        Algorithm::Hs512 => Box::new(HS512.verifier_from_bytes(&material.secret)?),
        Algorithm::Es256 => Box::new(ES256.verifier_from_pem(pem)?),
        Algorithm::EdDsa => Box::new(EdDSA.verifier_from_pem(pem)?),
        _ => Box::new(RS256.verifier_from_pem(pem)?),
    };
    let mut validator = JwtPayloadValidator::new();
    validator.set_issuer(ISSUER);
    validator.set_audience(AUDIENCE);
    Ok(Contestant::new(NAME, move || {
        let (payload, header) = jwt::decode_with_verifier(black_box(&material.token), &*verifier)?;
        ensure!(header.token_type() == Some(TYPE), "wrong type");
        validator.set_base_time(SystemTime::now());
        validator.validate(&payload)?;
        // It hands out a map; a service wants its struct.
        let claims: Claims = serde_json::from_value(Value::Object(payload.into()))?;
        black_box(claims);
        Ok(())
    }))
}

pub fn sign(material: Rc<Material>) -> anyhow::Result<Contestant> {
    let pem = &material.private_pem;
    let signer: Box<dyn JwsSigner> = match material.algorithm {
        Algorithm::Hs256 => Box::new(HS256.signer_from_bytes(&material.secret)?),
        Algorithm::Hs512 => Box::new(HS512.signer_from_bytes(&material.secret)?),
        Algorithm::Es256 => Box::new(ES256.signer_from_pem(pem)?),
        Algorithm::EdDsa => Box::new(EdDSA.signer_from_pem(pem)?),
        _ => Box::new(RS256.signer_from_pem(pem)?),
    };
    let mut header = JwsHeader::new();
    header.set_token_type(TYPE);
    header.set_key_id(KEY_ID);
    Ok(Contestant::new(NAME, move || {
        let Value::Object(claims) = serde_json::to_value(black_box(&material.claims))? else { bail!("no object") };
        black_box(jwt::encode_with_signer(&JwtPayload::from_map(claims)?, &header, &*signer)?);
        Ok(())
    }))
}
