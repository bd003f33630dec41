//! How long to wait before asking again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
/// While a proof is still fresh enough there is something to save.
pub(crate) const CAP_WHILE_FRESH: Duration = Duration::from_secs(1);
/// After that a server that comes back should not be met by everybody at once.
pub(crate) const CAP_WHEN_STALE: Duration = Duration::from_secs(5);

/// What only a person mends is tried again all the same, for when it is mended.
pub(crate) const CAP_FOR_CONFIGURATION: Duration = Duration::from_secs(15);

/// Any time up to a bound that doubles with each failure: "full jitter". `random` is uniform over all values.
///
/// A thousand services that lost one server at the same moment come back spread out over the whole time; waiting the bound
/// and some jitter on top would keep them together.
pub(crate) fn delay(failures: u32, cap: Duration, random: u64) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    let bound = FIRST.saturating_mul(doubled).min(cap);
    let bound_us = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % bound_us.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_its_cap() {
        let longest = |failures, cap| (0..2_000_000).step_by(997).map(|random| delay(failures, cap, random)).max();
        for (failures, expected_ms) in [(1, 100), (2, 200), (4, 800), (5, 1_000), (40, 1_000), (u32::MAX, 1_000)] {
            let longest = longest(failures, CAP_WHILE_FRESH).unwrap();
            let expected = Duration::from_millis(expected_ms);
            assert!(longest <= expected && longest > expected.mul_f32(0.98), "{failures}: {longest:?}");
        }
        assert_eq!(delay(9, CAP_WHEN_STALE, 0), Duration::ZERO);
    }
}
