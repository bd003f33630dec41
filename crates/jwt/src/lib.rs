//! Signed tokens (JWS, JWT) and their keys (JWK): bytes in, verdict out.
//!
//! This crate has no clock, no network and no storage. It is given a token, keys, a policy and the time, and answers with
//! claims that can be trusted or with the reason why not.
//!
//! # A token in three parts
//!
//! A signed token is `header.payload.signature`, each part base64url (RFC 7515 §7.1). The **header** says how it was
//! signed, the **payload** of a JWT is a JSON object of **claims**, and the **signature** covers the first two parts as
//! they were sent. Anybody can read a token; only who holds the key can make one.
//!
//! Seven claims have a fixed meaning (RFC 7519 §4.1): `iss` who signed, `sub` about whom, `aud` for whom, `exp` until when,
//! `nbf` from when, `iat` since when, `jti` which one. A verifier that checks the signature and forgets one of them accepts
//! a real token at the wrong door, so this crate checks them itself, whatever type you read the claims into.
//!
//! ```
//! use counterfoil_jwt::{Algorithm, Error, Policy, SigningKey, sign, verify};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Claims {
//!     iss: String,
//!     aud: String,
//!     sub: String,
//!     exp: u64,
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let now = 1_750_000_000; // seconds since 1970, from your clock
//! let key = SigningKey::generate(Algorithm::EdDsa)?;
//!
//! let claims = Claims {
//!     iss: "https://login.example".into(),
//!     aud: "https://api.example".into(),
//!     sub: "alice".into(),
//!     exp: now + 1800,
//! };
//! let token = sign(&key, "at+jwt", &claims)?;
//!
//! // Elsewhere, with the public half only:
//! let policy = Policy::new(Algorithm::EdDsa)
//!     .issuer("https://login.example")
//!     .audience("https://api.example")
//!     .token_type("at+jwt");
//! let verified = verify::<Claims>(&token, key.verifying_key(), &policy, now)?;
//! assert_eq!(verified.sub, "alice");
//!
//! // Half an hour later the same token is refused, and says why.
//! let refusal = verify::<Claims>(&token, key.verifying_key(), &policy, now + 1800).unwrap_err();
//! assert_eq!(refusal.code(), "token_expired");
//! # Ok(())
//! # }
//! ```
//!
//! # Why `alg` is not the token's to choose
//!
//! The header names the algorithm, and the header comes from whoever sent the token. Libraries that did as it said
//! accepted `"alg": "none"` without any signature, or took a public RSA key, which everybody has, as the secret of an
//! HMAC. So here `alg` is only compared: with the [`Policy`], which lists what is allowed, and with the key, which is
//! bound to one [`Algorithm`] from the moment it is loaded. Nor does the token choose its key: `kid` picks among those you
//! configured, and a key that the token brings along is not looked at (RFC 8725 §3.1, §3.10).
//!
//! # Where to go on
//!
//! - [`verify()`] and [`Policy`]: what is checked, and how to relax it by name. [`verify_signature`] is for payloads that
//!   are not claims, [`verify_borrowed`] for claims that borrow.
//! - [`sign()`] and [`Signer`]: making tokens.
//! - [`SigningKey`], [`VerifyingKey`], [`KeySet`]: loading keys from JWK, JWK Set and PEM. [`PublicJwkSet`] is the document
//!   to publish.
//! - [`Error`]: every refusal with its stable code.
//! - [`UnverifiedToken`]: looking without believing.

#![expect(
    clippy::missing_errors_doc,
    reason = "there is one error type, and each of its variants says when it occurs; a list at every function would drift"
)]

mod algorithm;
mod base64url;
mod claims;
mod convert;
mod der;
mod error;
mod header;
mod issuers;
mod json;
mod jwk;
mod key;
mod key_set;
mod pem;
mod policy;
mod sign;
mod text;
mod thumbprint;
mod unverified;
mod verify;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use claims::NumericDate;
pub use convert::{KeyFormat, convert_key};
pub use error::{Error, Part, RegisteredClaim};
pub use header::Header;
pub use issuers::Issuers;
pub use key::{KeyId, PrivatePem, PublicJwk, PublicJwkSet, PublicPem, SigningKey, VerifyingKey};
pub use key_set::{KeySet, Keys, SkippedKey};
pub use policy::Policy;
pub use sign::{Signer, sign};
pub use thumbprint::jwk_thumbprint;
pub use unverified::UnverifiedToken;
pub use verify::{Verified, VerifiedPayload, verify, verify_borrowed, verify_signature, verify_with_header};
