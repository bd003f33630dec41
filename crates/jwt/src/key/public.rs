//! Public keys as documents: what a server publishes so that others can verify (RFC 7517).
//!
//! These types can hold public members only. A symmetric key has no public half, so it has no [`PublicJwk`], and a key
//! set made here cannot leak one.

use serde::Serialize;

use super::{SigningKey, VerifyingKey};
use crate::algorithm::Algorithm;
use crate::thumbprint;

/// The public numbers of a key, base64url as in a JWK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub(crate) enum PublicMembers {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Ec { crv: &'static str, x: String, y: String },
    #[serde(rename = "OKP", serialize_with = "serialize_okp")]
    Okp { x: String },
}

/// RFC 8037 §2: the curve is a member, though this crate knows only one.
fn serialize_okp<S: serde::Serializer>(x: &str, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeStruct as _;
    let mut members = serializer.serialize_struct("Okp", 2)?;
    members.serialize_field("crv", "Ed25519")?;
    members.serialize_field("x", x)?;
    members.end()
}

impl PublicMembers {
    /// RFC 7638 §3.
    pub(crate) fn thumbprint(&self) -> String {
        match self {
            Self::Rsa { n, e } => thumbprint::of_rsa(e, n),
            Self::Ec { crv, x, y } => thumbprint::of_ec(crv, x, y),
            Self::Okp { x } => thumbprint::of_okp("Ed25519", x),
        }
    }
}

/// A public key as a JSON document (RFC 7517 §4), ready to be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    #[serde(flatten)]
    members: PublicMembers,
    #[serde(rename = "use")]
    public_key_use: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<Box<str>>,
}

impl PublicJwk {
    pub(super) fn new(members: PublicMembers, algorithm: Algorithm, key_id: Option<&str>) -> Self {
        Self { members, public_key_use: "sig", alg: Some(algorithm.name()), kid: key_id.map(Into::into) }
    }

    /// The same key, saying nothing about its algorithm.
    pub(crate) fn without_algorithm(mut self) -> Self {
        self.alg = None;
        self
    }

    /// The RFC 7638 thumbprint.
    pub fn thumbprint(&self) -> String {
        self.members.thumbprint()
    }
}

/// A set of public keys as a JSON document (RFC 7517 §5): what stands at `/.well-known/jwks.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct PublicJwkSet {
    keys: Vec<PublicJwk>,
}

impl PublicJwkSet {
    /// Adds a key, unless it is symmetric: then there is nothing to publish, and false is returned.
    pub fn add(&mut self, key: &VerifyingKey) -> bool {
        let public = key.public_jwk();
        let is_public = public.is_some();
        self.keys.extend(public);
        is_public
    }

    /// The published keys.
    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }
}

impl<'k> FromIterator<&'k VerifyingKey> for PublicJwkSet {
    fn from_iter<I: IntoIterator<Item = &'k VerifyingKey>>(keys: I) -> Self {
        Self { keys: keys.into_iter().filter_map(VerifyingKey::public_jwk).collect() }
    }
}

impl<'k> FromIterator<&'k SigningKey> for PublicJwkSet {
    fn from_iter<I: IntoIterator<Item = &'k SigningKey>>(keys: I) -> Self {
        keys.into_iter().map(SigningKey::verifying_key).collect()
    }
}
