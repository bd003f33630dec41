//! The default store: one SQLite file, one thread that writes with group commit, a few that read beside it.
//!
//! What it promises:
//!
//! - **Durable before answered.** A call is answered after its transaction is on the disk (`synchronous = FULL`): it
//!   survives `kill -9` and a power cut. Calls that come at the same time share one transaction, so 64 callers cost one
//!   wait for the disk and not 64 ([`writer`](self), [`SqliteStatistics`]).
//! - **Atomic.** A rule sees and changes its rows in one transaction, with its feed entries and audit lines. A rule that
//!   fails or panics leaves nothing, and does not spoil the calls that share its transaction.
//! - **Never into the void.** A data file that is deleted or replaced while the server runs is noticed before anything is
//!   acknowledged; what is still readable is saved beside it, and calls fail until the file is back.
//! - **Bounded.** Queues, batches, caches and waits have limits ([`SqliteOptions`]); beyond them the answer is
//!   [`Overloaded`](counterfoil_domain::store::StoreError::Overloaded), at once.
//!
//! Another process (an operator's command) may open the same file and write while the server runs.
//!
//! Why it is built like this: `docs/decisions/0003-sqlite-store.md`.

mod accounts;
mod changes;
mod clients;
mod cutoff;
mod events;
mod fault;
mod feed;
mod heartbeat;
mod identity;
mod job;
mod keys;
mod lifetime;
mod migrations;
mod open;
mod prune;
mod readers;
mod rescue;
mod rows;
mod sessions;
mod statistics;
mod store;
mod work;
mod writer;

pub use open::{OpenError, SqliteOptions};
pub use statistics::SqliteStatistics;
pub use store::SqliteStore;
