//! The server's own keys: where they are kept and what they make.
//!
//! Every key is stored sealed under the master key, a file beside the store that no store ever sees: a stolen database
//! signs nothing. [`KeyRing`] is what the running server works with at one moment, [`ServerKeys`] holds the one of now. When a
//! key begins and ends is for the rules of `domain::key` to say.

mod bootstrap;
mod error;
mod make;
mod master;
mod published;
mod ring;
mod secret_file;
mod server_keys;

pub use bootstrap::open_keys;
pub use error::KeyError;
pub use make::{make_signing_key, seal_signing_key};
pub use master::{MASTER_KEY_FILE, MasterKey, MasterKeyError};
pub use published::PublishedKeys;
pub use ring::KeyRing;
pub use secret_file::check_secret_file;
pub use server_keys::ServerKeys;
