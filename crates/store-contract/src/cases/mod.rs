//! The cases of the suite, by topic. [`store_contract!`](crate::store_contract) names them all.

pub mod account_changes;
pub mod accounts;
pub mod clients;
pub mod cutoff;
pub mod feed;
pub mod keys;
pub mod revocation;
pub mod secrets;
pub mod sessions;
pub mod upkeep;
