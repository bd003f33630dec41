//! Errors as programs read them: RFC 9457 for the API, OAuth's own JSON for OAuth's endpoints.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The content type of a [`Problem`] (RFC 9457 §3).
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// Why a request of the API was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: `code` tells the kinds apart.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "about:blank"))]
    pub kind: Cow<'static, str>,
    /// The status in words.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "Unprocessable Content"))]
    pub title: Cow<'static, str>,
    /// The status of the answer.
    #[cfg_attr(feature = "openapi", schema(example = 422))]
    pub status: u16,
    /// What was wrong and what to do, for a person.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub detail: Cow<'static, str>,
    /// What was wrong, for a program: stable.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "password_too_short"))]
    pub code: Cow<'static, str>,
}

/// Why a request of an OAuth endpoint was refused (RFC 6749 §5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OauthError {
    /// One of the RFC's codes.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "invalid_grant"))]
    pub error: Cow<'static, str>,
    /// What was wrong, in ASCII, for a person.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub error_description: Cow<'static, str>,
}
