//! What a guard may ask of the server when what it holds in memory does not do. Most guards have nobody to ask; those that
//! follow a server over the network do (feature `follow`).

use crate::{LookupError, status::GuardStatus};
use serde_json::{Map, Value};
use std::{pin::Pin, time::Duration};

/// Something that takes its time.
pub(crate) type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the server says of a token (RFC 7662 §2.2); `None` if it is not active.
pub(crate) type Introspected = Option<Map<String, Value>>;

/// A server that can be asked.
pub(crate) trait Upstream: Send + Sync {
    /// A token names a key that nobody knows. Waits for a key set that was asked for after that, if one is to be had soon;
    /// whether one came. However many ask, the server sees one question in a while.
    fn load_unknown_key(&self) -> Waiting<'_, bool>;

    /// Asks about one token.
    fn introspect<'a>(&'a self, token: &'a str) -> Waiting<'a, Result<Introspected, LookupError>>;

    /// Some route accepts for so long without a proof.
    fn may_accept_for(&self, open_for: Duration);

    /// How things stand.
    fn status(&self) -> GuardStatus;

    /// Ends the following, and tells the server.
    fn shut_down(&self) -> Waiting<'_, ()>;
}
