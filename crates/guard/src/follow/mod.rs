//! Following a server over the network (feature `follow`).
//!
//! | file | what it is about |
//! |---|---|
//! | `builder.rs` | how a guard is set up |
//! | `following.rs` | the tasks, and what a guard may ask of its server |
//! | `task.rs`, `poll.rs`, `snapshot.rs`, `entries.rs` | the feed: the way through its states, its questions, its answers |
//! | `keys.rs`, `cache_control.rs` | the key set |
//! | `introspection.rs` | asking about one token |
//! | `discovery.rs`, `http.rs`, `error.rs`, `backoff.rs` | finding and calling the server, and what goes wrong |
//! | `subject_guard.rs`, `subject.rs` | issuers without a feed |
//! | `clock.rs`, `machine.rs` | the server's clock on the machine's |
//! | `shared.rs`, `telemetry.rs`, `name.rs` | what all of them have, what they tell, what the process is called |

mod backoff;
mod builder;
mod cache_control;
mod clock;
mod discovery;
mod entries;
mod error;
mod following;
mod http;
mod introspection;
mod keys;
mod machine;
mod name;
mod poll;
mod shared;
mod snapshot;
mod subject;
mod subject_guard;
mod task;
mod telemetry;

pub use builder::Follow;
pub use error::FollowError;
pub use subject::Subject;
pub use subject_guard::{FollowKeys, SubjectGuard};
