//! Personal tokens as the API shows them.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A personal token without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonalTokenBody {
    /// Its id.
    #[cfg_attr(feature = "openapi", schema(example = "01980b4e-7c1d-7c3a-9f7e-0242ac120002"))]
    pub id: String,
    /// What its owner calls it.
    #[cfg_attr(feature = "openapi", schema(example = "nightly backup"))]
    pub name: String,
    /// What it may do, separated by spaces.
    #[cfg_attr(feature = "openapi", schema(example = "account"))]
    pub scope: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; null if it never does.
    pub expires_at: Option<Timestamp>,
    /// Whether it never ends: worth a second look in a list.
    pub never_expires: bool,
    /// When it was last used, to five minutes; null if it never was.
    pub last_used_at: Option<Timestamp>,
}

/// A personal token that was just made. It does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPersonalTokenBody {
    /// The secret. It is shown this once: send it as `Authorization: Bearer cfp_…`.
    #[cfg_attr(feature = "openapi", schema(example = "cfp_…"))]
    pub token: String,
    /// What is known of it from now on.
    #[serde(flatten)]
    pub personal_token: PersonalTokenBody,
}

/// The personal tokens of an account that have not ended, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonalTokenList {
    /// The tokens.
    pub personal_tokens: Vec<PersonalTokenBody>,
}
