//! Contestants that take turns.
//!
//! The machine's speed changes while a benchmark runs: a neighbour wakes up, a clock is turned down. So nothing is measured
//! after something else, but everything in turns of a millisecond or two, in an order that changes each round. Figures are
//! medians over rounds, and ratios are medians of the ratios within a round.

use std::time::{Duration, Instant};

/// How long one turn is to take.
const TURN: Duration = Duration::from_micros(1500);

/// Somebody who can do a thing so many times and tell how long it took.
pub struct Contestant {
    pub name: &'static str,
    run: Box<dyn FnMut(u64) -> anyhow::Result<Duration>>,
}

impl Contestant {
    /// Does `thing` again and again in this process. A contestant that fails ends the benchmark: a library that refuses
    /// quickly must not look fast.
    pub fn new(name: &'static str, mut thing: impl FnMut() -> anyhow::Result<()> + 'static) -> Self {
        Self::measuring_itself(name, move |times| {
            let started = Instant::now();
            for _ in 0..times {
                thing()?;
            }
            Ok(started.elapsed())
        })
    }

    /// Measures by itself.
    pub fn measuring_itself(name: &'static str, run: impl FnMut(u64) -> anyhow::Result<Duration> + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// Does it so many times.
    pub fn measure(&mut self, times: u64) -> anyhow::Result<Duration> {
        (self.run)(times)
    }

    /// How often it fits into a turn.
    fn times_in_a_turn(&mut self) -> anyhow::Result<u64> {
        let mut times = 1;
        loop {
            let took = self.measure(times)?;
            if took >= TURN / 4 {
                let fit = u128::from(times) * TURN.as_nanos() / took.as_nanos();
                return Ok(u64::try_from(fit)?.max(1));
            }
            times *= 2;
        }
    }
}

/// What came of one contestant.
#[derive(serde::Serialize)]
pub struct Outcome {
    pub name: &'static str,
    /// Nanoseconds for doing it once: the median over rounds.
    pub median_ns: f64,
    /// Of the rounds, the one a twentieth from the fast end and the one a twentieth from the slow end.
    pub p05_ns: f64,
    pub p95_ns: f64,
    /// How many times as long as the first contestant in the same round: the median.
    pub ratio: f64,
    /// How much longer than the first contestant in the same round, in nanoseconds: the median.
    pub difference_ns: f64,
}

/// Lets them take turns for so many rounds. The first is the one that the others are compared with.
pub fn run(mut contestants: Vec<Contestant>, rounds: usize) -> anyhow::Result<Vec<Outcome>> {
    let times: Vec<u64> = contestants.iter_mut().map(Contestant::times_in_a_turn).collect::<anyhow::Result<_>>()?;
    let count = contestants.len();
    let mut per_round = vec![Vec::with_capacity(rounds); count];
    // Some allocators and libraries take their time to settle: the first rounds do not count.
    let unmeasured = rounds / 4;
    for round in 0..unmeasured + rounds {
        for place in 0..count {
            // Every other round goes backwards, each starts one further.
            let place = if round % 2 == 0 { place } else { count - 1 - place };
            let who = (place + round / 2) % count;
            let took = contestants[who].measure(times[who])?;
            if round >= unmeasured {
                per_round[who].push(nanoseconds(took) / to_f64(times[who]));
            }
        }
    }
    let first = per_round[0].clone();
    let against_first = |own: &[f64], compare: fn(f64, f64) -> f64| {
        quantile(own.iter().zip(&first).map(|(own, first)| compare(*own, *first)).collect(), 0.5)
    };
    Ok(contestants
        .iter()
        .zip(&per_round)
        .map(|(contestant, own)| Outcome {
            name: contestant.name,
            median_ns: quantile(own.clone(), 0.5),
            p05_ns: quantile(own.clone(), 0.05),
            p95_ns: quantile(own.clone(), 0.95),
            ratio: against_first(own, |own, first| own / first),
            difference_ns: against_first(own, |own, first| own - first),
        })
        .collect())
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

#[expect(clippy::cast_precision_loss, reason = "counts of repetitions are far below 2^53")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}
