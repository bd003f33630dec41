//! The life of the keys that sign access tokens, as pure rules.
//!
//! upcoming → active → retiring → retired, and never back. A key is published, and known to be, before it signs; and it stays
//! published until its last token has ended. So keys change while everybody goes on working: no verifier ever meets a token
//! whose key it cannot know.
//!
//! - [`announce`] publishes the next key, [`advance`] does what time has made due, [`give_up`] is for when a key has leaked, and
//!   [`adopt`] is what a server does at its start, when the configuration asks for another key than there is.
//! - A store runs each of them over all keys in one transaction ([`Store::update_keys`](crate::store::Store::update_keys)), so
//!   that of several processes one announces and one activates.
//!
//! What is decided here in words: `docs/keys.md`.

mod adopt;
mod advance;
mod announce;
mod changes;
mod give_up;
mod stored;
#[cfg(test)]
mod tests;

pub use adopt::{Adopted, WantedKey, adopt};
pub use advance::{Advanced, Look, activates_at, advance};
pub use announce::{Announced, announce, rotation_is_due};
pub use changes::{KeyChanges, KeyRuling, KeyTerms, KeysView};
pub use give_up::give_up;
pub use stored::{KeyState, KeyUse, StoredKey};
