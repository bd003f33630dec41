//! From token to verdict (RFC 7515 §5.2, RFC 7519 §7.2).
//!
//! The order is the point. Shape and size first; then the header against the policy, which costs no cryptography; then
//! the one key that may answer, and its signature; and only then is the payload decoded and believed. Any failure refuses
//! the whole token (RFC 7515 §5.2), and there is no result to look at but [`Verified`].

use std::ops::Deref;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::claims::{self, Dates, NumericDate};
use crate::error::Part;
use crate::header::{AdmittedHeader, Header};
use crate::key_set::Keys;
use crate::{Error, Policy, VerifyingKey, base64url};

/// Claims that passed every check. Only [`verify`] and [`verify_borrowed`] make one, so a function that takes a
/// `Verified<Claims>` cannot be called with claims that nobody checked.
#[derive(Debug, Clone)]
pub struct Verified<C> {
    claims: C,
    header: Header,
    dates: Dates,
}

impl<C> Verified<C> {
    /// The claims.
    pub fn claims(&self) -> &C {
        &self.claims
    }

    /// The header that they came under.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// `exp`: the token is refused from here on.
    pub fn expires_at(&self) -> Option<NumericDate> {
        self.dates.expires_at
    }

    /// `nbf`: the token is refused until here.
    pub fn not_before(&self) -> Option<NumericDate> {
        self.dates.not_before
    }

    /// `iat`: when the token was made. It is well-formed if present; how old a token may be is the caller's rule.
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.dates.issued_at
    }

    /// The claims by themselves, and with them the end of the proof.
    pub fn into_inner(self) -> C {
        self.claims
    }
}

impl<C> Deref for Verified<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.claims
    }
}

/// A payload under a good signature, about which nothing else is known. Only [`verify_signature`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedPayload {
    header: Header,
    bytes: Vec<u8>,
}

impl VerifiedPayload {
    /// The header that the payload came under.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The signed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signed bytes by themselves.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Verifies a token and reads its claims.
///
/// Header, signature, `exp`, `nbf`, `iss`, `aud` and the types of all registered claims are checked against the policy
/// whatever `C` holds; `C` then only says what the caller wants to have of the rest.
pub fn verify<C: DeserializeOwned>(
    token: &str,
    keys: &impl Keys,
    policy: &Policy,
    now_unix_seconds: u64,
) -> Result<Verified<C>, Error> {
    let (header, payload) = verify_parts(token, keys, policy)?;
    // Owned claims keep nothing of the decoded text, so a payload of the usual size needs no heap for it.
    let (mut small, mut large) = (base64url::room::<SMALL_PAYLOAD_BYTES>(), Vec::new());
    let decoded = base64url::decode_small(payload, &mut small, &mut large).map_err(|_| not_canonical_payload())?;
    read_claims(header, decoded, policy, now_unix_seconds)
}

/// The same, for claims that borrow their text: it is decoded into `buffer`, which can serve token after token.
pub fn verify_borrowed<'b, C: Deserialize<'b>>(
    token: &str,
    keys: &impl Keys,
    policy: &Policy,
    now_unix_seconds: u64,
    buffer: &'b mut Vec<u8>,
) -> Result<Verified<C>, Error> {
    let (header, payload) = verify_parts(token, keys, policy)?;
    base64url::decode_into(payload, buffer).map_err(|_| not_canonical_payload())?;
    read_claims(header, buffer, policy, now_unix_seconds)
}

/// The same, and reads the header into a type of the caller's, for members of its own.
///
/// ```
/// use counterfoil_jwt::{Algorithm, Policy, Signer, SigningKey, verify_with_header};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Tenant {
///     tenant: String,
/// }
///
/// # fn main() -> Result<(), counterfoil_jwt::Error> {
/// let key = SigningKey::generate(Algorithm::EdDsa)?;
/// let token = Signer::new(&key).headers(&Tenant { tenant: "a".into() })?.sign_json(r#"{"exp":20}"#)?;
/// let policy = Policy::new(Algorithm::EdDsa);
/// let (header, claims) =
///     verify_with_header::<Tenant, serde_json::Value>(&token, key.verifying_key(), &policy, 10)?;
/// assert_eq!((header.tenant.as_str(), &claims["exp"]), ("a", &20.into()));
/// # Ok(()) }
/// ```
pub fn verify_with_header<H: DeserializeOwned, C: DeserializeOwned>(
    token: &str,
    keys: &impl Keys,
    policy: &Policy,
    now_unix_seconds: u64,
) -> Result<(H, Verified<C>), Error> {
    let verified = verify(token, keys, policy, now_unix_seconds)?;
    // The header was found sound on the way; it is only decoded again.
    let header_json =
        base64url::decode(split(token)?.header).map_err(|_| Error::Base64UrlNotCanonical(Part::Header))?;
    let header = serde_json::from_slice(&header_json).map_err(|_| Error::HeaderDoesNotFit)?;
    Ok((header, verified))
}

#[inline]
fn read_claims<'b, C: Deserialize<'b>>(
    header: Found<'_>,
    payload: &'b [u8],
    policy: &Policy,
    now_unix_seconds: u64,
) -> Result<Verified<C>, Error> {
    let claims_json = std::str::from_utf8(payload).map_err(|_| Error::NotUtf8(Part::Payload))?;
    let (claims, dates) = claims::read(claims_json, policy, now_unix_seconds)?;
    Ok(Verified { claims, header: header.into_header(), dates })
}

fn not_canonical_payload() -> Error {
    Error::Base64UrlNotCanonical(Part::Payload)
}

/// Verifies header and signature only, for a JWS that is not a JWT. The policy's rules about claims do not apply.
pub fn verify_signature(token: &str, keys: &impl Keys, policy: &Policy) -> Result<VerifiedPayload, Error> {
    let (header, payload) = verify_parts(token, keys, policy)?;
    let bytes = base64url::decode(payload).map_err(|_| not_canonical_payload())?;
    Ok(VerifiedPayload { header: header.into_header(), bytes })
}

/// Decoded headers up to here, which is all that honest signers make, stay off the heap.
const SMALL_HEADER_BYTES: usize = 192;
/// The same for payloads.
const SMALL_PAYLOAD_BYTES: usize = 768;
/// The same for signatures: every algorithm but RSA with more than 2048 bits.
const SMALL_SIGNATURE_BYTES: usize = 256;
/// The longest signature there can be: RSA with 8192 bits.
const SIGNATURE_BYTES_MAX: usize = 1024;

/// A header under a good signature. Small, since it is handed on before anything is made of it.
enum Found<'k> {
    Remembered(&'k Header),
    Read(Box<Header>),
}

impl Found<'_> {
    #[inline]
    fn into_header(self) -> Header {
        match self {
            Self::Remembered(header) => header.clone(),
            Self::Read(header) => *header,
        }
    }
}

/// Everything up to and including the signature; hands back the payload, still encoded.
#[inline]
fn verify_parts<'k, 't>(token: &'t str, keys: &'k impl Keys, policy: &Policy) -> Result<(Found<'k>, &'t str), Error> {
    if token.len() > policy.max_token_bytes {
        return Err(Error::TooLarge { what: "token", limit_bytes: policy.max_token_bytes });
    }
    let parts = split(token)?;
    if parts.header.len() > policy.max_header_bytes {
        return Err(Error::TooLarge { what: "header", limit_bytes: policy.max_header_bytes });
    }

    if let Some(remembered) = keys.remembered_header(parts.header) {
        remembered.read.hold_against(policy)?;
        let key = keys.select(remembered.read.algorithm, remembered.read.key_id.as_deref())?;
        check_signature(key, &parts)?;
        return Ok((Found::Remembered(&remembered.header), parts.payload));
    }
    let header = verify_with_unknown_header(&parts, keys, policy)?;
    Ok((Found::Read(Box::new(header)), parts.payload))
}

/// Header and signature, the long way: reads the header too.
#[inline(never)]
fn verify_with_unknown_header(parts: &CompactParts<'_>, keys: &impl Keys, policy: &Policy) -> Result<Header, Error> {
    let (mut small, mut large) = (base64url::room::<SMALL_HEADER_BYTES>(), Vec::new());
    let header_json = base64url::decode_small(parts.header, &mut small, &mut large)
        .map_err(|_| Error::Base64UrlNotCanonical(Part::Header))?;
    let header = AdmittedHeader::parse(header_json, policy)?;
    let key = keys.select(header.algorithm, header.key_id.as_deref())?;
    check_signature(key, parts)?;
    // Only now: what a stranger wrote is not worth remembering.
    key.remembered_header.remember(parts.header, header_json, &header);
    Ok(header.to_header())
}

#[inline]
fn check_signature(key: &VerifyingKey, parts: &CompactParts<'_>) -> Result<(), Error> {
    if parts.signature.len() > base64url::encoded_len(SIGNATURE_BYTES_MAX) {
        return Err(Error::SignatureInvalid);
    }
    let (mut small, mut large) = (base64url::room::<SMALL_SIGNATURE_BYTES>(), Vec::new());
    let signature = base64url::decode_small(parts.signature, &mut small, &mut large)
        .map_err(|_| Error::Base64UrlNotCanonical(Part::Signature))?;
    key.verify(parts.signing_input.as_bytes(), signature)
}

pub(crate) struct CompactParts<'t> {
    pub(crate) header: &'t str,
    pub(crate) payload: &'t str,
    pub(crate) signature: &'t str,
    /// Header, dot and payload as sent: what is signed (RFC 7515 §5.1 step 5).
    pub(crate) signing_input: &'t str,
}

/// Three parts and nothing else (RFC 7515 §7.1); five are a JWE, told apart before anything is decoded (RFC 7516 §9).
#[inline]
pub(crate) fn split(token: &str) -> Result<CompactParts<'_>, Error> {
    let mut dots = memchr::memchr_iter(b'.', token.as_bytes());
    if let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next())
        && let (Some(signing_input), Some(signature)) = (token.get(..second), token.get(second + 1..))
        && let (Some(header), Some(payload)) = (token.get(..first), token.get(first + 1..second))
    {
        return Ok(CompactParts { header, payload, signature, signing_input });
    }
    Err(not_three_parts(token))
}

#[cold]
fn not_three_parts(token: &str) -> Error {
    let dots = token.bytes().filter(|byte| *byte == b'.').count();
    if dots == 4 && !token.starts_with('{') { Error::EncryptedToken } else { Error::NotACompactJws }
}
