//! Sessions as the API shows them.

use crate::{Receipt, Timestamp};
use serde::{Deserialize, Serialize};

/// One session, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionBody {
    /// The session's id: the `sid` of its tokens.
    #[cfg_attr(feature = "openapi", schema(example = "01980b4e-7c1d-7c3a-9f7e-0242ac120002"))]
    pub id: String,
    /// How the client carries it.
    #[cfg_attr(feature = "openapi", schema(example = "refresh"))]
    pub policy: String,
    /// The name given to the device at sign-in, or one made from the user agent.
    #[cfg_attr(feature = "openapi", schema(example = "Chrome on Windows"))]
    pub device_name: Option<String>,
    /// The program that signed in, as it named itself.
    pub user_agent: Option<String>,
    /// Where the session was last seen from.
    #[cfg_attr(feature = "openapi", schema(example = "192.0.2.1"))]
    pub ip: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, as its policy counts it.
    pub last_seen_at: Timestamp,
    /// It ends when not used until then.
    pub idle_until: Timestamp,
    /// It ends then in any case.
    pub absolute_until: Timestamp,
    /// Whether it is the session that asks.
    pub current: bool,
}

/// The living sessions of an account, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<SessionBody>,
}

/// A place in the revocation feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedPlace {
    /// The life of the store.
    pub epoch: i64,
    /// Counts the entries.
    pub seq: i64,
}

/// What a sign-out did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedOut {
    /// How many sessions were ended.
    pub revoked: usize,
    /// Where the feed stood when they were: a verifier that has applied this place refuses them.
    pub feed: FeedPlace,
    /// Who had heard of it when this was answered, where that was waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}
