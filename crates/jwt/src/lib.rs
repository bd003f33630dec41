//! Signed tokens (JWS, JWT) and their keys (JWK): bytes in, verdict out.
//!
//! This crate has no clock, no network and no storage. It is given a token, keys, a policy and the time, and answers with
//! claims that can be trusted or with the reason why not.
//!
//! # A token in three parts
//!
//! A JSON Web Token is a short statement with a signature: "alice may use this API until noon, says the login server".
//! As sent, it is three pieces of base64url joined by dots, `header.payload.signature` (RFC 7515 §7.1), and it fits into
//! a URL or an HTTP header. Decoded, the first two are JSON:
//!
//! ```text
//! eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9  →  {"alg":"EdDSA","typ":"at+jwt"}
//! .
//! eyJzdWIiOiJhbGljZSIsImV4cCI6MTc1MDAwMTgwMH0  →  {"sub":"alice","exp":1750001800}
//! .
//! ctYAaF97…  →  64 bytes that only the holder of the key can make
//! ```
//!
//! - The **header** says how the token was signed (`alg`), what kind of token it is (`typ`), and by which key (`kid`).
//! - The **payload** is an object of **claims**.
//! - The **signature** covers the first two pieces exactly as they were sent. Change one character, and it no longer fits.
//!
//! Base64url is a spelling, not a lock: **anybody can read a token; only who holds the key can make one.**
//!
//! ```
//! use counterfoil_jwt::UnverifiedToken;
//!
//! let token = UnverifiedToken::decode(
//!     "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTc1MDAwMTgwMH0.AAAA",
//! )?;
//! assert_eq!(token.header_json(), r#"{"alg":"EdDSA","typ":"at+jwt"}"#);
//! assert_eq!(token.claims_json()?, r#"{"sub":"alice","exp":1750001800}"#);
//! // Nothing was verified: this signature is made up, and still the token can be read.
//! # Ok::<(), counterfoil_jwt::Error>(())
//! ```
//!
//! # The seven registered claims
//!
//! Seven claims mean the same everywhere (RFC 7519 §4.1). All are optional in the standard.
//!
//! | claim | says | this crate |
//! |---|---|---|
//! | `iss` | who signed | must be exactly the policy's issuer |
//! | `sub` | about whom | must be text |
//! | `aud` | for whom, one or several | must name the policy's audience |
//! | `exp` | until when | must be there; refused from that second on |
//! | `nbf` | from when | obeyed if there |
//! | `iat` | since when | must be a date |
//! | `jti` | which one: the token's own name | must be text |
//!
//! Times are seconds since 1970, fractions allowed. A verifier that checks the signature and forgets one of these accepts
//! a real token at the wrong door, so this crate checks them itself, whatever type you read the claims into.
//!
//! # What belongs into a payload
//!
//! What the receiver needs to decide, and that is still true when the token ends: who, for whom, until when, which scopes.
//! **Not** passwords, keys or anything secret, since everybody on the way can read it; not personal data beyond need, since
//! tokens end up in logs; not what changes, like a balance or a role that may be taken away, since nobody can call a token
//! back. Keep it small, too: it travels with every request.
//!
//! # Signing and verifying
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
mod remembered_header;
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
