//! JWK thumbprints (RFC 7638): a name for a key that anybody can compute, and that changes when the key does.

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use crate::json::{self, Value};
use crate::key::decode_member;
use crate::{Error, base64url, jwk};

/// The SHA-256 thumbprint of any JWK of type `RSA`, `EC`, `OKP` or `oct`, whether or not its curve is supported here.
///
/// Only the required members count, in the order of their names and without white space (RFC 7638 §3.2, RFC 8037 §2), so
/// a private key and its public half have the same thumbprint. That of an `oct` key says something about its secret:
/// keep it private (RFC 7638 §7).
pub fn jwk_thumbprint(jwk_json: &str) -> Result<String, Error> {
    let mut members = Vec::new();
    let mut wrong_type = false;
    json::walk_object(jwk_json, jwk::MAX_DEPTH, |name, value| {
        let name = ["kty", "crv", "x", "y", "n", "e", "k"].into_iter().find(|known| *known == name);
        match (name, value) {
            (Some(name), Value::String(text)) => members.push((name, text)),
            (Some(_), _) => wrong_type = true,
            (None, _) => {}
        }
    })
    .map_err(jwk::malformed)?;
    if wrong_type {
        return Err(Error::KeyMalformed("a member has the wrong JSON type"));
    }
    let text = |name: &str| {
        let found = members.iter().find(|(member, _)| *member == name);
        found.map(|(_, text)| text.as_ref()).ok_or(Error::KeyMalformed("a required member is missing"))
    };
    let number = |name: &str| {
        text(name).and_then(|text| decode_member(text).map(|bytes| drop(Zeroizing::new(bytes))).map(|()| text))
    };
    // A curve's name goes into the digest as JSON text; a name that needs escaping is no curve's.
    let crv = || match text("crv")? {
        crv if crv.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => Ok(crv),
        _ => Err(Error::KeyUnsupported("a curve of that name")),
    };
    match text("kty")? {
        "RSA" => Ok(of_rsa(number("e")?, number("n")?)),
        "EC" => Ok(of_ec(crv()?, number("x")?, number("y")?)),
        "OKP" => Ok(of_okp(crv()?, number("x")?)),
        "oct" => Ok(digest(&Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, number("k")?)))),
        _ => Err(Error::KeyUnsupported("an unknown `kty`")),
    }
}

pub(crate) fn of_rsa(e: &str, n: &str) -> String {
    digest(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#))
}

pub(crate) fn of_ec(crv: &str, x: &str, y: &str) -> String {
    digest(&format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#))
}

pub(crate) fn of_okp(crv: &str, x: &str) -> String {
    digest(&format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#))
}

fn digest(canonical: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
}
