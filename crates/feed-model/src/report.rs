//! The figures as text: what `cargo run --release -p counterfoil-feed-model` prints.

use crate::{
    Production,
    model::{Limits, Scenario, search},
};
use std::{
    io::{IsTerminal, Write},
    time::Instant,
};

/// How far the searches go.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most steps.
    pub depth: usize,
    /// States after which a search begins no further level.
    pub states: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { depth: 500, states: 20_000_000 }
    }
}

/// Runs every scenario and writes down what came of it. Whether every property holds, and every fault beyond is found.
///
/// # Errors
/// Writing failed.
pub fn run(options: Options, out: &mut impl Write) -> std::io::Result<bool> {
    writeln!(out, "| scenario | states | steps | deepest | all there is | seconds | result |")?;
    writeln!(out, "|---|--:|--:|--:|---|--:|---|")?;
    let mut holds = true;
    for scenario in Scenario::all().into_iter().chain(Scenario::large()) {
        holds &= row(&scenario, options, false, out)?;
    }
    writeln!(out, "\nBeyond what is promised, where a fault must be found:\n")?;
    writeln!(out, "| scenario | states | steps | deepest | all there is | seconds | result |")?;
    writeln!(out, "|---|--:|--:|--:|---|--:|---|")?;
    for scenario in Scenario::beyond() {
        holds &= row(&scenario, options, true, out)?;
    }
    Ok(holds)
}

fn row(scenario: &Scenario, options: Options, is_beyond: bool, out: &mut impl Write) -> std::io::Result<bool> {
    let limits = Limits { depth: options.depth, states: options.states };
    let started = Stopwatch::start();
    let found = search(scenario, &Production, limits, |depth, states| {
        progress(&format!("{}: depth {depth}, {states} states", scenario.name));
    });
    progress("");
    let result = found.broken.as_ref().map_or_else(|| "holds".to_owned(), |broken| format!("{:?}", broken.property));
    let (seconds, whole) = (started.seconds(), if found.complete { "yes" } else { "no" });
    writeln!(
        out,
        "| {} | {} | {} | {} | {whole} | {seconds:.1} | {result} |",
        scenario.name, found.states, found.steps, found.depth
    )?;
    out.flush()?;
    let is_as_said = found.broken.is_some() == is_beyond;
    for line in found.broken.filter(|_| !is_beyond).map_or_else(Vec::new, |broken| broken.trace) {
        writeln!(out, "    {line}")?;
    }
    Ok(is_as_said)
}

/// Rewrites the progress line, where somebody is looking.
fn progress(text: &str) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        // Progress that cannot be shown is no reason to stop.
        let _ = write!(out, "\r\x1b[K{text}");
        let _ = out.flush();
    }
}

struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "only how long a run took; nothing is decided by it")]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
