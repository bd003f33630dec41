//! Every refusal, each with a stable code for machines and a sentence for people.
//!
//! The sentences name what was wrong and where, and never repeat what stood there: errors end up in logs, and a token or
//! a secret must not follow them (RFC 8725 §3.10 treats even `kid` as hostile text). Which of the refusals to show to
//! whom is the caller's business; towards a stranger all of the first two groups are one `invalid_token` (RFC 6750 §3.1).

use std::fmt;

/// Which of the three parts of a token: the first two are JSON, all three are base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The protected header.
    Header,
    /// The payload: the claims, in a JWT.
    Payload,
    /// The signature.
    Signature,
}

/// A claim with a meaning fixed by RFC 7519 §4.1, which this crate checks whatever type the caller reads claims into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisteredClaim {
    /// `iss`, who signed.
    Issuer,
    /// `sub`, whom the token speaks about.
    Subject,
    /// `aud`, for whom it is.
    Audience,
    /// `exp`, the end.
    ExpiresAt,
    /// `nbf`, the beginning.
    NotBefore,
    /// `iat`, when it was signed.
    IssuedAt,
    /// `jti`, its own identifier.
    TokenId,
}

/// Why a token, a key or a call was refused.
///
/// The enum is closed on purpose: a caller can match every case, and a new one is a breaking change that the compiler
/// announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    // The token cannot be read: the fault of whoever sent it.
    /// Not three base64url parts joined by dots (RFC 7515 §7.1). JSON serializations are no JWT (RFC 7519 §1).
    #[error("a signed token has three parts joined by dots")]
    NotACompactJws,
    /// Five parts: an encrypted token (RFC 7516 §7.1), which this crate does not read.
    #[error("the token has five parts: it is encrypted, and only signed tokens are read here")]
    EncryptedToken,
    /// The token, or one of its parts, is longer than the policy's limit.
    #[error("the {what} is longer than the limit of {limit_bytes} bytes")]
    TooLarge {
        /// What is too long.
        what: &'static str,
        /// The limit that was passed.
        limit_bytes: usize,
    },
    /// The JSON nests deeper than the policy's limit.
    #[error("the {part} nests deeper than {limit_levels} levels")]
    TooDeep {
        /// Which part nests too deep.
        part: Part,
        /// The limit that was passed.
        limit_levels: usize,
    },
    /// Padding, white space, a foreign character, a wrong length or non-zero unused bits (RFC 7515 §2, RFC 4648 §3.5).
    #[error("the {0} is not base64url in its canonical spelling, without padding or white space")]
    Base64UrlNotCanonical(Part),
    /// The bytes are not UTF-8 (RFC 7519 §7.2).
    #[error("the {0} is not UTF-8")]
    NotUtf8(Part),
    /// The header is not one JSON object and nothing else (RFC 7515 §4).
    #[error("the header is not one JSON object")]
    HeaderNotJsonObject,
    /// The payload is not one JSON object and nothing else (RFC 7519 §7.2).
    #[error("the claims are not one JSON object")]
    ClaimsNotJsonObject,
    /// A member name stands twice in one object, at any depth (RFC 7515 §4, RFC 7519 §4).
    #[error("the {0} has an object with the same member name twice")]
    DuplicateMember(Part),

    // The token is readable, and refused.
    /// The header has no `alg` (RFC 7515 §4.1.1).
    #[error("the header has no `alg`")]
    AlgorithmMissing,
    /// `alg` is `none`, in whatever spelling: the token is not signed (RFC 8725 §3.2).
    #[error("the header says that the token is not signed")]
    AlgorithmNone,
    /// `alg` is not one of those the policy allows (RFC 8725 §3.1).
    #[error("the algorithm that the header names is not among those allowed")]
    AlgorithmNotAllowed,
    /// The header's algorithm is allowed, but the key is for another one (RFC 8725 §3.1).
    #[error("the key is for another algorithm than the header names")]
    KeyAlgorithmMismatch,
    /// No key answers to the header's `kid`; or there is no `kid`, and more than one key could be meant.
    #[error("no key answers to the header's key id, or none can be chosen without one")]
    UnknownKey,
    /// A header member that this crate reads has the wrong JSON type.
    #[error("the header member `{0}` has the wrong JSON type")]
    HeaderMemberWrongType(&'static str),
    /// `crit` lists an extension. None is understood, so no token with one can be accepted (RFC 7515 §4.1.11).
    #[error("the header names critical extensions that are not understood")]
    CriticalHeaderUnsupported,
    /// `crit` is empty, is not a list of names, or names what must not stand in it (RFC 7515 §4.1.11).
    #[error("the header's `crit` is ill-formed")]
    CriticalHeaderMalformed,
    /// `b64` is false, which is not for JWTs (RFC 7797 §7).
    #[error("the header says that the payload is not base64url-encoded")]
    UnencodedPayload,
    /// `typ` is missing or another than the policy asks for (RFC 8725 §3.11, RFC 9068 §4).
    #[error("the header's `typ` is not the type of token expected here")]
    TypeMismatch,
    /// The signature is not the key's over these bytes.
    #[error("the signature does not fit the key and the content")]
    SignatureInvalid,
    /// The policy asks for a claim that the token lacks.
    #[error("the claim `{0}` is missing")]
    ClaimMissing(RegisteredClaim),
    /// A registered claim has the wrong JSON type, or is a date that cannot be one (RFC 7519 §4.1).
    #[error("the claim `{0}` has the wrong JSON type or an impossible value")]
    ClaimWrongType(RegisteredClaim),
    /// The current time is on or after `exp` (RFC 7519 §4.1.4).
    #[error("the token expired {ago_seconds} s ago (claim `exp`)")]
    TokenExpired {
        /// How long ago, by the caller's clock and before leeway.
        ago_seconds: u64,
    },
    /// The current time is before `nbf` (RFC 7519 §4.1.5).
    #[error("the token is not valid for another {in_seconds} s (claim `nbf`)")]
    TokenNotYetValid {
        /// How long until then, by the caller's clock and before leeway.
        in_seconds: u64,
    },
    /// `iss` is another than the policy's (RFC 9068 §4).
    #[error("the claim `iss` is not the issuer expected here")]
    IssuerMismatch,
    /// `aud` does not name the verifier (RFC 7519 §4.1.3).
    #[error("the claim `aud` does not name this audience")]
    AudienceMismatch,
    /// The token is good, but its claims do not fit the type that the caller reads them into.
    #[error("the claims do not fit the type they are read into")]
    ClaimsDoNotFit,
    /// The token is good, but its header does not fit the type that the caller reads it into.
    #[error("the header does not fit the type it is read into")]
    HeaderDoesNotFit,

    // A key is refused when it is loaded: the fault of the configuration, or of the key set's publisher.
    /// Not a JWK, JWK Set or PEM; the text says what is missing or wrong.
    #[error("the key cannot be read: {0}")]
    KeyMalformed(&'static str),
    /// Well-formed, but of a kind that is not supported here.
    #[error("the key is of a kind not supported here: {0}")]
    KeyUnsupported(&'static str),
    /// Too short, or with an exponent that makes signatures worthless (RFC 7518 §3.2, §3.3, §3.5).
    #[error("the key is too weak: {0}")]
    KeyTooWeak(&'static str),
    /// A secret from a tutorial or a default configuration, or one that repeats itself (RFC 8725 §3.5); or a private key
    /// that a standard prints.
    #[error("the key is well known or trivial: others can sign with it too; generate one instead")]
    KeyWellKnown,
    /// The numbers do not make a key: a point off the curve, parts that contradict each other (RFC 8725 §3.4).
    #[error("the key is not valid: {0}")]
    KeyInvalid(&'static str),
    /// The key's `use`, `key_ops` or `alg` say that it is for something else (RFC 7517 §4.2–§4.4).
    #[error("the key is not meant for this: {0}")]
    KeyNotForThisUse(&'static str),
    /// The key fits several algorithms, and neither it nor the caller says which one it is for.
    #[error("neither the key nor the caller says which algorithm the key is for")]
    KeyAlgorithmMissing,
    /// A public key where a private one is needed.
    #[error("the key has no private part")]
    PrivateKeyMissing,
    /// A public key, or the text of a key, where an HMAC secret is needed (RFC 8725 §2.1).
    #[error("a key document cannot serve as an HMAC secret")]
    KeyDocumentAsSecret,

    // The caller asked for what cannot be done.
    /// No such algorithm is supported.
    #[error("no such algorithm is supported")]
    AlgorithmUnknown,
    /// The claims did not serialize to JSON.
    #[error("the claims cannot be written as JSON")]
    ClaimsNotSerializable,
    /// An extra header member that is set by the crate or would weaken the token.
    #[error("this header member cannot be set by hand")]
    HeaderMemberReserved,
    /// The same issuer was configured twice.
    #[error("an issuer of this name is configured already")]
    IssuerRepeated,
    /// The cryptographic library failed to sign or to make a key.
    #[error("the cryptographic library could not do it")]
    CryptoFailed,
}

impl Error {
    /// The stable name of this refusal, for machines. Codes are never renamed; texts may be reworded.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotACompactJws => "not_a_compact_jws",
            Self::EncryptedToken => "encrypted_token",
            Self::TooLarge { .. } => "too_large",
            Self::TooDeep { .. } => "too_deep",
            Self::Base64UrlNotCanonical(_) => "base64url_not_canonical",
            Self::NotUtf8(_) => "not_utf8",
            Self::HeaderNotJsonObject => "header_not_json_object",
            Self::ClaimsNotJsonObject => "claims_not_json_object",
            Self::DuplicateMember(_) => "duplicate_member",
            Self::AlgorithmMissing => "algorithm_missing",
            Self::AlgorithmNone => "algorithm_none",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::KeyAlgorithmMismatch => "key_algorithm_mismatch",
            Self::UnknownKey => "unknown_key",
            Self::HeaderMemberWrongType(_) => "header_member_wrong_type",
            Self::CriticalHeaderUnsupported => "critical_header_unsupported",
            Self::CriticalHeaderMalformed => "critical_header_malformed",
            Self::UnencodedPayload => "unencoded_payload",
            Self::TypeMismatch => "type_mismatch",
            Self::SignatureInvalid => "signature_invalid",
            Self::ClaimMissing(_) => "claim_missing",
            Self::ClaimWrongType(_) => "claim_wrong_type",
            Self::TokenExpired { .. } => "token_expired",
            Self::TokenNotYetValid { .. } => "token_not_yet_valid",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::AudienceMismatch => "audience_mismatch",
            Self::ClaimsDoNotFit => "claims_do_not_fit",
            Self::HeaderDoesNotFit => "header_does_not_fit",
            Self::KeyMalformed(_) => "key_malformed",
            Self::KeyUnsupported(_) => "key_unsupported",
            Self::KeyTooWeak(_) => "key_too_weak",
            Self::KeyWellKnown => "key_well_known",
            Self::KeyInvalid(_) => "key_invalid",
            Self::KeyNotForThisUse(_) => "key_not_for_this_use",
            Self::KeyAlgorithmMissing => "key_algorithm_missing",
            Self::PrivateKeyMissing => "private_key_missing",
            Self::KeyDocumentAsSecret => "key_document_as_secret",
            Self::AlgorithmUnknown => "algorithm_unknown",
            Self::ClaimsNotSerializable => "claims_not_serializable",
            Self::HeaderMemberReserved => "header_member_reserved",
            Self::IssuerRepeated => "issuer_repeated",
            Self::CryptoFailed => "crypto_failed",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

impl RegisteredClaim {
    /// Looks a claim's name up.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name.as_bytes() {
            b"iss" => Self::Issuer,
            b"sub" => Self::Subject,
            b"aud" => Self::Audience,
            b"exp" => Self::ExpiresAt,
            b"nbf" => Self::NotBefore,
            b"iat" => Self::IssuedAt,
            b"jti" => Self::TokenId,
            _ => return None,
        })
    }

    /// The claim's name in a token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "iss",
            Self::Subject => "sub",
            Self::Audience => "aud",
            Self::ExpiresAt => "exp",
            Self::NotBefore => "nbf",
            Self::IssuedAt => "iat",
            Self::TokenId => "jti",
        }
    }
}

impl fmt::Display for RegisteredClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
