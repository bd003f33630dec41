//! Accounts as the API shows them.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// An account, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountBody {
    /// The account's id: the `sub` of its tokens.
    #[cfg_attr(feature = "openapi", schema(example = "01980b4e-7c1d-7c3a-9f7e-0242ac120002"))]
    pub id: String,
    /// The address by which the person signs in.
    #[cfg_attr(feature = "openapi", schema(example = "minsu@example.com"))]
    pub email: String,
    /// What the person calls themselves.
    pub name: Option<String>,
    /// Whether the person has shown that the address is theirs.
    pub email_verified: bool,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Roles that the operator gave.
    pub roles: Vec<String>,
}
