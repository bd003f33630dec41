//! The claims of an access token (RFC 9068 §2.2, with a session id and a generation of our own).

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The `typ` of every access token (RFC 9068 §2.1): no other kind of JWT can be taken for one.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The claims that the server issues and a guard reads. Unknown members are ignored: operators add their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims<'a> {
    /// Who issued the token.
    #[serde(borrow)]
    pub iss: Cow<'a, str>,
    /// Whom it speaks about: an account's id.
    #[serde(borrow)]
    pub sub: Cow<'a, str>,
    /// For whom it is meant. Guards check it on the raw token, where it may also be an array.
    #[serde(borrow)]
    pub aud: Cow<'a, str>,
    /// When it ends, in seconds since the epoch.
    pub exp: u64,
    /// When it was minted, in seconds since the epoch.
    pub iat: u64,
    /// Before when it is not good, in seconds since the epoch.
    pub nbf: u64,
    /// The token's own id.
    #[serde(borrow)]
    pub jti: Cow<'a, str>,
    /// The OAuth client it was issued to.
    #[serde(borrow)]
    pub client_id: Cow<'a, str>,
    /// What it may do, separated by spaces.
    #[serde(borrow)]
    pub scope: Cow<'a, str>,
    /// The session it belongs to.
    #[serde(borrow)]
    pub sid: Cow<'a, str>,
    /// The account's generation when it was minted; a raised generation ends it.
    #[serde(rename = "gen")]
    pub generation: i64,
    /// When the person last proved who they are, in seconds since the epoch.
    pub auth_time: u64,
    /// How (RFC 8176): `pwd` for a password.
    #[serde(borrow)]
    pub amr: Vec<Cow<'a, str>>,
    /// The session's policy, where it is not `refresh`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Cow<'a, str>>,
    /// The account's roles, if it has any (RFC 9068 §2.2.3.1).
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Cow<'a, str>>,
}
