//! The server's own keys: where they are kept and what they make.
//!
//! Every key is stored sealed under the master key, a file beside the store that no store ever sees: a stolen database
//! signs nothing. [`KeyRing`] is what the running server works with.

mod bootstrap;
mod master;
mod ring;

pub use bootstrap::{KeyError, check_secret_file, open_key_ring};
pub use master::{MASTER_KEY_FILE, MasterKey, MasterKeyError};
pub use ring::KeyRing;
