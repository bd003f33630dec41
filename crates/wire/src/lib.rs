//! What goes over the wire between Counterfoil's server, guard and clients, named once.
//!
//! Plain values with serde: no rules, no I/O. Times are RFC 3339 in JSON bodies and `NumericDate` (seconds) in tokens.

mod account;
mod claims;
mod feed;
mod introspection;
mod personal_token;
mod problem;
mod session;
mod timestamp;
mod token;

pub use account::AccountBody;
pub use claims::{ACCESS_TOKEN_TYPE, AccessClaims};
pub use feed::{
    FeedBody, FeedEntryBody, FeedHeadBody, FeedStateBody, MIN_SEQ_HEADER, Receipt, SNAPSHOT_CONTENT_TYPE,
    SnapshotBegin, SnapshotEnd, SnapshotEntry, VerifierBody,
};
pub use introspection::Introspection;
pub use personal_token::{NewPersonalTokenBody, PersonalTokenBody, PersonalTokenList};
pub use problem::{OauthError, PROBLEM_CONTENT_TYPE, Problem};
pub use session::{FeedPlace, SessionBody, SessionList, SignedOut};
pub use timestamp::Timestamp;
pub use token::{OauthTokenReply, SignedUp, TokenReply};
