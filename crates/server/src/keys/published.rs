//! The public keys as they are served.

use super::KeyError;
use aws_lc_rs::digest;
use axum::{body::Bytes, http::HeaderValue};
use base64_simd::URL_SAFE_NO_PAD;
use counterfoil_jwt::PublicJwkSet;

/// A JWK Set as text, with the tag by which a copy of it is recognized. Cheap to clone.
#[derive(Clone)]
pub struct PublishedKeys {
    body: Bytes,
    entity_tag: HeaderValue,
}

impl PublishedKeys {
    pub(super) fn new(keys: &PublicJwkSet) -> Result<Self, KeyError> {
        let unreadable = || KeyError::Unreadable("JWK Set".to_owned());
        let body = serde_json::to_vec(keys).map_err(|_| unreadable())?;
        let digest = digest::digest(&digest::SHA256, &body);
        let tag = URL_SAFE_NO_PAD.encode_to_string(digest.as_ref().first_chunk::<16>().copied().unwrap_or_default());
        let entity_tag = HeaderValue::try_from(format!("\"{tag}\"")).map_err(|_| unreadable())?;
        Ok(Self { body: body.into(), entity_tag })
    }

    /// The JWK Set.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// A strong validator (RFC 9110 §8.8.3).
    pub const fn entity_tag(&self) -> &HeaderValue {
        &self.entity_tag
    }
}
