//! The revocation feed as it travels: `GET /v1/feed` and `GET /v1/feed/snapshot`.
//!
//! Times are milliseconds since the Unix epoch and not RFC 3339: a snapshot may have a million of them.

use crate::FeedPlace;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The content type of a snapshot: JSON values, one a line.
pub const SNAPSHOT_CONTENT_TYPE: &str = "application/x-ndjson";

/// A request may name a place in this header, `epoch.seq`: a verifier that has not applied it waits a moment, and then
/// answers 503 rather than from older knowledge.
pub const MIN_SEQ_HEADER: &str = "counterfoil-min-seq";

/// The newest place of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedHeadBody {
    /// The life of the store.
    pub epoch: i64,
    /// Counts the entries.
    pub seq: i64,
    /// A hash over every entry up to there, in hexadecimal: the same place with another chain is another history.
    pub chain: String,
}

/// One entry of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedEntryBody {
    /// The life of the store in which it was written.
    pub epoch: i64,
    /// Its place: one more than that of the entry before.
    pub seq: i64,
    /// Its own id, the same after a failover.
    pub id: String,
    /// When it was written.
    pub at_ms: i64,
    /// What is revoked: `session`, `subject`, `issuer`, `token`; or `keys`, which says that the key set has changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: Cow<'static, str>,
    /// A session's id (`sid`), an account's id (`sub`), an issuer or a `kid`, a token's id (`jti`); empty for `keys`.
    pub key: String,
    /// `subject`: tokens with a lower `gen` are refused. `issuer`: tokens minted at or before this instant, in
    /// milliseconds, are refused. `keys`: the version of the key set. Else 0.
    pub arg: i64,
    /// From this instant on (milliseconds) it can matter to no token any more.
    pub drop_at: i64,
    /// The chain up to and with this entry, in hexadecimal.
    pub chain: String,
}

/// What a poll is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedBody {
    /// Where the feed stands.
    pub head: FeedHeadBody,
    /// What comes after the place asked for, oldest first. If the last is not the head there is more: ask again at once.
    pub entries: Vec<FeedEntryBody>,
    /// Why entries cannot be given from the place asked for: load a snapshot. Absent when they can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub resync: Option<Cow<'static, str>>,
    /// The server's clock.
    pub now_ms: i64,
    /// How long the server held the question before it read its feed.
    pub held_ms: u64,
    /// How old what it read was: the time since this server last read the primary's feed.
    pub age_ms: u64,
}

/// The first line of a snapshot. The entries follow, one a line, and a [`SnapshotEnd`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotBegin {
    /// Where the feed stood: every living entry up to there follows, and perhaps some newer ones.
    pub head: FeedHeadBody,
    /// The server's clock.
    pub now_ms: i64,
    /// How old what was read is.
    pub age_ms: u64,
}

/// A line of a snapshot: an entry without its chain, which has holes where entries were dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotEntry<'a> {
    /// As in [`FeedEntryBody`].
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// As in [`FeedEntryBody`].
    pub at_ms: i64,
    /// As in [`FeedEntryBody`].
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// As in [`FeedEntryBody`].
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// As in [`FeedEntryBody`].
    pub arg: i64,
    /// As in [`FeedEntryBody`].
    pub drop_at: i64,
}

/// The last line of a snapshot. One without it was cut off, and is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotEnd {
    /// How many entries there were.
    pub entries: u64,
}

/// What every verifier has answered to a sign-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// How many verifiers could still accept a token of the session.
    pub verifiers: usize,
    /// How many of them have applied the sign-out.
    pub confirmed: usize,
    /// How long the slowest of those took, in milliseconds; absent when none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowest_ms: Option<u64>,
    /// The names of the others.
    pub missing: Vec<String>,
}

/// One verifier, as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifierBody {
    /// The client whose credentials it presents; absent where none are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What it calls itself.
    pub name: String,
    /// How far it has applied the feed.
    pub applied: FeedPlace,
    /// How many entries it is behind.
    pub behind: i64,
    /// When it was last heard of, in milliseconds ago.
    pub heard_ms_ago: u64,
    /// How long it may go on accepting tokens without hearing from the server, in milliseconds.
    pub accepts_for_ms: u64,
}

/// The state of the feed and of those who follow it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedStateBody {
    /// Where the feed stands.
    pub head: FeedHeadBody,
    /// How old this server's knowledge of it is, in milliseconds.
    pub age_ms: u64,
    /// How many entries can still matter to a token.
    pub live_entries: usize,
    /// Everyone who could still accept a token without having been heard of.
    pub verifiers: Vec<VerifierBody>,
}
