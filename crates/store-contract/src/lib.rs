//! What every store of Counterfoil must do, as tests.
//!
//! - [`store_contract!`] makes one named `#[test]` per case of the suite for a store.
//! - [`MemoryStore`] is the model: one mutex around plain maps, simple enough to be right by looking at it. It passes the
//!   suite too, and serves wherever a test needs a store and no file.
//! - [`compare_with_model`] runs a random sequence of operations on a store and on the model side by side, and compares
//!   every answer and what is left in the end.
//!
//! A store's own tests then need only its own promises: durability, limits, what happens when its disk or server goes.
//!
//! ```
//! use counterfoil_domain::time::Clock;
//! use counterfoil_store_contract::{Fixture, MemoryStore};
//! use std::sync::Arc;
//!
//! async fn make(clock: Arc<dyn Clock>) -> Fixture {
//!     Fixture::new(Arc::new(MemoryStore::new(clock)))
//! }
//! counterfoil_store_contract::store_contract!(make);
//! # fn main() {}
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "this whole crate is a test: a panic is its report"
)]

mod bench;
pub mod cases;
mod comparison;
mod memory;
mod operations;
mod rules;

pub use bench::{Bench, Fixture, SeededEntropy, TestClock, run_case};
pub use comparison::{Comparison, compare_with_model};
pub use memory::MemoryStore;
pub use operations::{Operation, operations};
pub use rules::Rule;

/// Makes one `#[test]` for every case of the suite, in a module `store_contract`.
///
/// `$make` is an `async fn(Arc<dyn Clock>) -> Fixture` that gives an empty store which takes its time from that clock.
#[macro_export]
macro_rules! store_contract {
    ($make:path) => {
        $crate::store_contract! { @cases $make;
            accounts {
                a_new_account_is_found_by_id_and_by_any_spelling_of_its_address,
                an_address_has_one_account,
                of_concurrent_sign_ups_with_one_address_one_wins,
                a_new_account_comes_with_its_session_and_events,
                pages_follow_the_ids,
                an_account_is_read_with_its_password,
            }
            account_changes {
                an_update_writes_every_column_and_keeps_the_password,
                a_new_password_takes_the_place_of_the_old_one,
                a_password_without_its_account_is_refused_with_all_that_comes_with_it,
                an_address_that_another_account_has_is_refused_and_nothing_is_written,
                of_concurrent_changes_to_one_address_one_is_made,
                a_deleted_account_takes_its_sessions_along_and_leaves_its_traces,
                deleting_an_account_that_does_not_exist_is_refused_with_all_that_comes_with_it,
            }
            sessions {
                every_column_survives,
                a_session_needs_an_account,
                a_session_is_made_once,
                one_session_too_many_ends_the_one_not_used_for_the_longest,
                concurrent_sign_ins_keep_to_the_most,
                an_update_sees_the_account_and_the_clock_of_the_store,
                an_update_of_an_unknown_session_sees_nothing_and_makes_nothing,
                concurrent_updates_lose_nothing,
                only_living_sessions_are_listed_newest_first,
                pages_follow_the_ids,
                refreshes_run_by_the_rule_of_production,
                racing_refreshes_of_one_token_get_one_successor,
            }
            secrets {
                a_session_is_read_as_a_rule_is_shown_it,
                a_session_is_found_by_its_secret_even_when_it_is_over,
                a_secret_finds_one_session,
                a_renewed_secret_takes_the_place_of_the_old_one,
                use_is_noted_by_the_rule_of_production,
            }
            cutoff {
                the_cutoff_ends_every_session_from_up_to_then_and_no_other,
                a_session_added_with_an_earlier_time_is_ended_too,
                the_cutoff_only_rises,
                what_was_ended_before_stays_as_it_was,
                a_rule_writes_what_it_was_shown_of_a_session_that_the_cutoff_ended,
                raising_it_is_one_step,
            }
            revocation {
                a_revocation_is_in_the_feed_of_the_same_commit,
                ending_everything_is_one_entry_and_ends_every_session,
                ending_all_but_one_keeps_the_one,
                a_rule_that_panics_leaves_nothing,
                a_refused_change_leaves_nothing_of_the_whole,
                an_update_of_an_unknown_account_sees_nothing_and_makes_nothing,
            }
            clients {
                a_client_is_found_by_its_name,
                a_name_is_given_once,
                there_is_a_most_of_them,
                a_deleted_one_is_forgotten,
            }
            feed {
                a_new_epoch_goes_on_counting,
                of_concurrent_new_epochs_one_is_begun,
                a_new_epoch_is_one_step,
                places_are_dense_and_chained,
                concurrent_revocations_are_dense_and_chained,
                pages_begin_after_a_place,
                changing_nothing_writes_nothing,
            }
            keys {
                keys_are_written_over_and_come_oldest_first,
                every_column_of_a_key_survives,
                a_rule_sees_every_key_and_where_the_feed_stands,
                keys_are_written_with_their_entries_and_lines_or_not_at_all,
                of_concurrent_announcements_one_is_made,
                of_concurrent_looks_one_activates,
            }
            upkeep {
                events_come_newest_first,
                pruning_forgets_what_is_past_and_nothing_else,
                a_session_without_an_end_is_never_forgotten,
                a_working_store_says_so,
                the_longest_token_lifetime_only_rises,
            }
        }
    };
    (@cases $make:path; $($topic:ident { $($case:ident),+ $(,)? })+) => {
        #[cfg(test)]
        mod store_contract {
            use super::*;
            $(mod $topic {
                use super::*;
                $(
                    #[test]
                    fn $case() {
                        $crate::run_case($make, $crate::cases::$topic::$case);
                    }
                )+
            })+
        }
    };
}
