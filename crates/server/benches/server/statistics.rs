//! Counts, medians and percentiles.

use std::time::Duration;

/// How long each answer took, in microseconds.
#[derive(Default, Clone)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    /// The time in milliseconds that `per_mille` of the answers did not exceed.
    pub(crate) fn percentile_ms(&mut self, per_mille: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let place = (last * per_mille).div_ceil(1000).min(last);
        if self.0.is_empty() {
            return f64::NAN;
        }
        let (_, value, _) = self.0.select_nth_unstable(place);
        f64::from(*value) / 1000.0
    }
}

/// The middle of the values; not a number if there are none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}

/// The smallest and the largest value.
pub(crate) fn span(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "nothing here is counted beyond 2^52")]
pub(crate) const fn number(count: u64) -> f64 {
    count as f64
}

/// So many a second.
pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
    number(count as u64) / time.as_secs_f64()
}
