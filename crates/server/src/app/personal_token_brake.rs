//! How many personal tokens an account may make in an hour.
//!
//! Each that is deleted again leaves an entry in every verifier's memory for half an hour, and making one costs no password
//! hash. Without a bound, one signed-in person could fill the ledger, and everybody would have to refresh.

use counterfoil_domain::{id::AccountId, time::UnixMillis};
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};

/// More than anybody sets up by hand.
const TOKENS_PER_HOUR_MAX: u32 = 100;
const HOUR: Duration = Duration::from_hours(1);
/// The most accounts that are remembered, some 1 MB. When it is full the count begins anew for all.
const ACCOUNTS_MAX: usize = 20_000;

/// Counts in this process's memory: it holds off abuse, and what is right does not hang on it.
#[derive(Default)]
pub(super) struct PersonalTokenBrake(Mutex<HashMap<AccountId, Made>>);

struct Made {
    since: UnixMillis,
    count: u32,
}

impl PersonalTokenBrake {
    /// Whether the account may make one more, which is then counted.
    pub(super) fn allows(&self, account: AccountId, now: UnixMillis) -> bool {
        let mut accounts = self.0.lock();
        if accounts.len() >= ACCOUNTS_MAX && !accounts.contains_key(&account) {
            accounts.clear();
        }
        let made = accounts.entry(account).or_insert(Made { since: now, count: 0 });
        // A clock that went back begins anew as well: nobody is kept waiting for a time that was wrong.
        if now.since(made.since) >= HOUR || now < made.since {
            *made = Made { since: now, count: 0 };
        }
        made.count = made.count.saturating_add(1);
        made.count <= TOKENS_PER_HOUR_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_an_hour_for_each_account() {
        let brake = PersonalTokenBrake::default();
        let (one, other) = (AccountId::from_bytes([1; 16]), AccountId::from_bytes([2; 16]));
        let now = UnixMillis::from_seconds(1_800_000_000);
        assert!((0..TOKENS_PER_HOUR_MAX).all(|_| brake.allows(one, now)));
        assert!(!brake.allows(one, now) && brake.allows(other, now));
        assert!(!brake.allows(one, now.plus(HOUR).minus(Duration::from_millis(1))));
        assert!(brake.allows(one, now.plus(HOUR)));
        assert!(brake.allows(one, now), "the clock went back");
    }
}
