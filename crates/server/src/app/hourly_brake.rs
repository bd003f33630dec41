//! How often an account may do what costs others something, in an hour.
//!
//! - **Making a personal token.** Each that is deleted again leaves an entry in every verifier's memory for half an hour, and
//!   making one costs no password hash. Without a bound, one signed-in person could fill the ledger, and everybody would
//!   have to refresh.
//! - **Changing the address.** Each tells whether somebody else has it, and costs no password hash as a sign-up does.

use counterfoil_domain::{id::AccountId, time::UnixMillis};
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};

/// More than anybody sets up by hand.
pub(super) const PERSONAL_TOKENS_PER_HOUR_MAX: u32 = 100;
/// Enough for whoever mistypes it.
pub(super) const EMAIL_CHANGES_PER_HOUR_MAX: u32 = 10;
const HOUR: Duration = Duration::from_hours(1);
/// The most accounts that are remembered, some 1 MB. When it is full the count begins anew for all.
const ACCOUNTS_MAX: usize = 20_000;

/// Counts in this process's memory: it holds off abuse, and what is right does not hang on it.
pub(super) struct HourlyBrake {
    per_hour_max: u32,
    accounts: Mutex<HashMap<AccountId, Made>>,
}

struct Made {
    since: UnixMillis,
    count: u32,
}

impl HourlyBrake {
    pub(super) fn new(per_hour_max: u32) -> Self {
        Self { per_hour_max, accounts: Mutex::default() }
    }

    /// Whether the account may do it once more, which is then counted.
    pub(super) fn allows(&self, account: AccountId, now: UnixMillis) -> bool {
        let mut accounts = self.accounts.lock();
        if accounts.len() >= ACCOUNTS_MAX && !accounts.contains_key(&account) {
            accounts.clear();
        }
        let made = accounts.entry(account).or_insert(Made { since: now, count: 0 });
        // A clock that went back begins anew as well: nobody is kept waiting for a time that was wrong.
        if now.since(made.since) >= HOUR || now < made.since {
            *made = Made { since: now, count: 0 };
        }
        made.count = made.count.saturating_add(1);
        made.count <= self.per_hour_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_an_hour_for_each_account() {
        let brake = HourlyBrake::new(3);
        let (one, other) = (AccountId::from_bytes([1; 16]), AccountId::from_bytes([2; 16]));
        let now = UnixMillis::from_seconds(1_800_000_000);
        assert!((0..3).all(|_| brake.allows(one, now)));
        assert!(!brake.allows(one, now) && brake.allows(other, now));
        assert!(!brake.allows(one, now.plus(HOUR).minus(Duration::from_millis(1))));
        assert!(brake.allows(one, now.plus(HOUR)));
        assert!(brake.allows(one, now), "the clock went back");
    }
}
