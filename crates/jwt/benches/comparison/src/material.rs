//! Keys, claims and tokens that every contestant gets alike.

use anyhow::Context;
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use counterfoil_jwt::{Algorithm, KeyId, Policy, Signer, SigningKey};
use serde::{Deserialize, Serialize};
use std::{
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

pub const ISSUER: &str = "https://auth.example.com";
pub const AUDIENCE: &str = "https://api.example.com";
pub const TYPE: &str = "at+jwt";
pub const KEY_ID: &str = "2026-11-a";

pub const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Hs256, Algorithm::Hs512, Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];

/// What a token of a service says: the registered claims, a session and a scope.
#[derive(Clone, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: u64,
    pub nbf: u64,
    pub iat: u64,
    pub jti: String,
    pub client_id: String,
    pub sid: String,
    pub scope: String,
}

/// The same, borrowed from the decoded token.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read into, as a service would; what is in them is not looked at here")]
pub struct BorrowedClaims<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: &'a str,
    pub exp: u64,
    pub nbf: u64,
    pub iat: u64,
    pub jti: &'a str,
    pub client_id: &'a str,
    pub sid: &'a str,
    pub scope: &'a str,
}

/// One algorithm's key in every form that somebody asks for, and a token under it.
pub struct Material {
    pub algorithm: Algorithm,
    pub claims: Claims,
    pub token: String,
    pub key: SigningKey,
    /// HMAC only.
    pub secret: Vec<u8>,
    /// PKCS#8, not HMAC.
    pub private_der: Vec<u8>,
    /// As the primitive takes it: a point, 32 bytes, or PKCS#1.
    pub public_raw: Vec<u8>,
    pub private_pem: String,
    pub public_pem: String,
}

impl Material {
    pub fn new(algorithm: Algorithm) -> anyhow::Result<Rc<Self>> {
        let named = |key: SigningKey| anyhow::Ok(key.with_key_id(KeyId::new(KEY_ID)?));
        let claims = Claims {
            iss: ISSUER.into(),
            sub: "0193a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b".into(),
            aud: AUDIENCE.into(),
            exp: now_unix_seconds() + 1800,
            nbf: now_unix_seconds() - 5,
            iat: now_unix_seconds() - 5,
            jti: "0193a1b2-c3d4-7e5f-9a6b-000000000001".into(),
            client_id: "web".into(),
            sid: "0193a1b2-c3d4-7e5f-9a6b-7c8d9e0f1a2b".into(),
            scope: "profile orders:read orders:write".into(),
        };
        let (key, secret, private_der, public_raw, public_der) = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs512 => {
                let mut secret = vec![0; if algorithm == Algorithm::Hs256 { 32 } else { 64 }];
                aws_lc_rs::rand::fill(&mut secret)?;
                (SigningKey::from_secret(&secret, algorithm)?, secret, vec![], vec![], vec![])
            }
            _ => {
                let (private, public_raw, public_der) = generate(algorithm)?;
                let private_pem = to_pem("PRIVATE KEY", &private);
                (SigningKey::from_pem(&private_pem, Some(algorithm))?, vec![], private, public_raw, public_der)
            }
        };
        let key = named(key)?;
        let token = Signer::new(&key).token_type(TYPE).sign(&claims)?;
        let private_pem = to_pem("PRIVATE KEY", &private_der);
        let public_pem = to_pem("PUBLIC KEY", &public_der);
        Ok(Rc::new(Self { algorithm, claims, token, key, secret, private_der, public_raw, private_pem, public_pem }))
    }

    /// What is signed, and the signature, decoded.
    pub fn signed_parts(&self) -> anyhow::Result<(String, Vec<u8>)> {
        let (input, signature) = self.token.rsplit_once('.').context("a token has dots")?;
        Ok((input.to_owned(), URL_SAFE_NO_PAD.decode(signature)?))
    }
}

pub fn policy(algorithm: Algorithm) -> Policy {
    Policy::new(algorithm).issuer(ISSUER).audience(AUDIENCE).token_type(TYPE)
}

pub fn now_unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn generate(algorithm: Algorithm) -> anyhow::Result<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let spki = |key: &dyn AsDer<PublicKeyX509Der<'static>>| anyhow::Ok(key.as_der()?.as_ref().to_vec());
    Ok(match algorithm {
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
            (pair.to_pkcs8v1()?.as_ref().to_vec(), pair.public_key().as_ref().to_vec(), spki(pair.public_key())?)
        }
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate()?;
            (pair.to_pkcs8v1()?.as_ref().to_vec(), pair.public_key().as_ref().to_vec(), spki(pair.public_key())?)
        }
        _ => {
            let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048)?;
            let private: Pkcs8V1Der<'static> = pair.as_der()?;
            (private.as_ref().to_vec(), pair.public_key().as_ref().to_vec(), spki(pair.public_key())?)
        }
    })
}

fn to_pem(label: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(label, der))
}
