//! The server from outside: over HTTP, started the same way as in production.
//!
//! A file for each topic. `harness/` starts servers (in this process with a clock that stands still, or the real binary)
//! and holds the client that the tests drive them with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole crate is a test: a panic is its report"
)]

mod account_changes;
mod answers;
mod bad_input;
mod bad_tokens;
mod clients;
mod clock_set;
mod connections;
mod cookies;
mod custom_claims;
mod data_file_lost;
mod data_folder;
mod denied;
mod feed;
mod flood;
mod harness;
mod introspect;
mod key_compromised;
mod key_life;
mod key_rotations;
mod main_flow;
mod metrics;
mod oauth_revoke;
mod oauth_token;
mod openapi;
mod other_process;
mod personal_tokens;
mod policies;
mod race;
mod receipt;
mod refresh;
mod refresh_along;
mod restart;
mod rewound;
mod scopes;
mod secrets_in_logs;
mod shutdown;
mod sign_out;
mod sliding;
mod store_calls;
mod store_failures;
