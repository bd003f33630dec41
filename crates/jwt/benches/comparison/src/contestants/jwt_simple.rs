//! `jwt-simple`.

use crate::{
    material::{AUDIENCE, Claims, ISSUER, KEY_ID, Material, TYPE},
    race::Contestant,
};
use counterfoil_jwt::Algorithm;
use jwt_simple::{common::HeaderOptions, prelude::*};
use std::{collections::HashSet, hint::black_box, rc::Rc};

const NAME: &str = "jwt-simple";

/// What is not among the registered claims.
#[derive(Clone, Serialize, Deserialize)]
#[serde(crate = "serde")]
struct Custom {
    client_id: String,
    sid: String,
    scope: String,
}

fn options() -> VerificationOptions {
    VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([AUDIENCE.to_owned()])),
        required_signature_type: Some(TYPE.to_owned()),
        time_tolerance: Some(Duration::from_secs(0)),
        ..VerificationOptions::default()
    }
}

/// The options go in by value, so each verification copies them: that is how the library is used.
pub fn verify(material: Rc<Material>) -> anyhow::Result<Contestant> {
    let options = options();
    macro_rules! verifying_with {
        ($key:expr) => {{
            let key = $key;
            Contestant::new(NAME, move || {
                let token = black_box(&material.token);
                black_box(key.verify_token::<Custom>(token, Some(options.clone()))?);
                Ok(())
            })
        }};
    }
    let pem = material.public_pem.clone();
    Ok(match material.algorithm {
        Algorithm::Hs256 => verifying_with!(HS256Key::from_bytes(&material.secret)),
        Algorithm::Hs512 => verifying_with!(HS512Key::from_bytes(&material.secret)),
        Algorithm::Es256 => verifying_with!(ES256PublicKey::from_pem(&pem)?),
        Algorithm::EdDsa => verifying_with!(Ed25519PublicKey::from_pem(&pem)?),
        _ => verifying_with!(RS256PublicKey::from_pem(&pem)?),
    })
}

pub fn sign(material: &Material) -> anyhow::Result<Contestant> {
    let header = HeaderOptions { signature_type: Some(TYPE.to_owned()), ..HeaderOptions::default() };
    let claims = claims(&material.claims);
    macro_rules! signing_with {
        ($key:expr, $sign:ident) => {{
            let key = $key.with_key_id(KEY_ID);
            // Claims go in by value, too.
            Contestant::new(NAME, move || {
                black_box(key.$sign(black_box(&claims).clone(), &header)?);
                Ok(())
            })
        }};
    }
    let pem = &material.private_pem;
    Ok(match material.algorithm {
        Algorithm::Hs256 => signing_with!(HS256Key::from_bytes(&material.secret), authenticate_with_options),
        Algorithm::Hs512 => signing_with!(HS512Key::from_bytes(&material.secret), authenticate_with_options),
        Algorithm::Es256 => signing_with!(ES256KeyPair::from_pem(pem)?, sign_with_options),
        Algorithm::EdDsa => signing_with!(Ed25519KeyPair::from_pem(pem)?, sign_with_options),
        _ => signing_with!(RS256KeyPair::from_pem(pem)?, sign_with_options),
    })
}

fn claims(claims: &Claims) -> JWTClaims<Custom> {
    let custom = Custom { client_id: claims.client_id.clone(), sid: claims.sid.clone(), scope: claims.scope.clone() };
    let mut theirs = jwt_simple::prelude::Claims::with_custom_claims(custom, Duration::from_mins(30))
        .with_issuer(&claims.iss)
        .with_subject(&claims.sub)
        .with_audience(&claims.aud)
        .with_jwt_id(&claims.jti);
    theirs.expires_at = Some(UnixTimeStamp::from_secs(claims.exp));
    theirs.invalid_before = Some(UnixTimeStamp::from_secs(claims.nbf));
    theirs.issued_at = Some(UnixTimeStamp::from_secs(claims.iat));
    theirs
}
