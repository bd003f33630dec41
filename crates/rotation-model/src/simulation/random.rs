//! Randomness that a seed repeats: `SplitMix64` (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators",
//! 2014). Good enough to choose delays with, and twenty lines.

/// A source of chance.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The source for one trace of a run: near seeds and near numbers give unrelated ones.
    pub(super) fn for_trace(seed: u64, trace: u64) -> Self {
        let mut mixed = Self(seed);
        let start = mixed.next() ^ trace.wrapping_mul(0xD1B5_4A32_D192_ED03);
        Self(Self(start).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Any number from `low` up to and including `high`. (The bias of the remainder is far below what is measured.)
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low).saturating_add(1).max(1);
        low.saturating_add_unsigned(self.next() % span)
    }

    /// True in `percent` of 100 cases.
    pub(super) fn percent(&mut self, percent: i64) -> bool {
        self.between(0, 99) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_bounds_are_kept() {
        let numbers = |seed, trace| {
            let mut random = Random::for_trace(seed, trace);
            (0..1000).map(|_| random.between(-3, 3)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1, 2), numbers(1, 2));
        assert_ne!(numbers(1, 2), numbers(1, 3));
        assert_ne!(numbers(1, 2), numbers(2, 2));
        assert!((-3..=3).all(|wanted| numbers(5, 5).contains(&wanted)));
        assert!(numbers(5, 5).iter().all(|number| (-3..=3).contains(number)));
    }
}
