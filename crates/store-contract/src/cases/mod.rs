//! The cases of the suite, by topic. [`store_contract!`](crate::store_contract) names them all.

pub mod accounts;
pub mod feed;
pub mod revocation;
pub mod sessions;
pub mod upkeep;
