//! The figures as text: what `cargo run --release -p counterfoil-rotation-model` prints.

use crate::{
    Production,
    model::{Limits, Scenario, search},
    schemes::{Leeway, Ours, ParentAccepted, RotationScheme, Strict},
    simulation::{Climate, ClockFaults, Figures, Habit, Plan, retell, simulate},
};
use std::{
    io::{IsTerminal, Write},
    ops::Range,
    time::Instant,
};

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Traces for the main claim; the other figures use a fixed part of it.
    pub traces: u64,
    /// The seed of all traces.
    pub seed: u64,
    /// Most steps of the model.
    pub depth: usize,
    /// States after which the model begins no further level.
    pub states: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { traces: 1_000_000, seed: 1, depth: 80, states: 6_000_000 }
    }
}

/// Runs everything and writes it down. Whether every claim holds.
///
/// # Errors
/// Writing failed.
pub fn run(options: &Options, out: &mut impl Write) -> std::io::Result<bool> {
    let mut holds = model(options, out)?;
    holds &= honest_clients(options, out)?;
    holds &= thieves(options, out)?;
    comparison(options, out)?;
    Ok(holds)
}

fn model(options: &Options, out: &mut impl Write) -> std::io::Result<bool> {
    let limits = Limits { depth: options.depth, states: options.states };
    writeln!(out, "## Exhaustive model\n\n| scenario | states | steps | depth | all there is | seconds | result |")?;
    writeln!(out, "|---|--:|--:|--:|---|--:|---|")?;
    let mut holds = true;
    let scenarios = Scenario::all().into_iter().map(|scenario| (scenario, false));
    for (scenario, is_beyond) in scenarios.chain(Scenario::beyond().into_iter().map(|scenario| (scenario, true))) {
        let started = Stopwatch::start();
        let found = search(&scenario, &Production, limits, |depth, states| {
            progress(&format!("{}: depth {depth}, {states} states", scenario.name));
        });
        let result =
            found.broken.as_ref().map_or_else(|| "holds".to_owned(), |broken| format!("{:?}", broken.property));
        let (seconds, whole) = (started.seconds(), if found.complete { "yes" } else { "no" });
        writeln!(
            out,
            "| {} | {} | {} | {} | {whole} | {seconds:.1} | {result} |",
            scenario.name, found.states, found.steps, found.depth
        )?;
        out.flush()?;
        if let Some(broken) = found.broken.filter(|_| !is_beyond) {
            holds = false;
            for line in broken.trace {
                writeln!(out, "    {line}")?;
            }
        }
    }
    writeln!(
        out,
        "\nThe last {} lie beyond what the rule promises: there a sign-out must be found.",
        Scenario::beyond().len()
    )?;
    Ok(holds)
}

fn honest_clients(options: &Options, out: &mut impl Write) -> std::io::Result<bool> {
    writeln!(out, "\n## Honest clients, production rule, seed {}\n", options.seed)?;
    writeln!(out, "| climate | traces | grants | honest sign-outs | seconds |\n|---|--:|--:|--:|--:|")?;
    let mut holds = true;
    let worst = Plan::honest(Climate::WORST);
    let unnoticed = Plan::honest(Climate { clock: ClockFaults::Unnoticed, ..Climate::WORST });
    let patient = Plan { client_timeout: worst.client_timeout * 2, ..worst };
    for (name, plan, traces, is_claim) in [
        ("worst: loss ≤ 40 %, failover, restarts, clock ± 1 h, sleep", worst, options.traces, true),
        ("beyond: clock jumps that nobody notices", unnoticed, options.traces / 5, false),
        ("beyond: clients wait twice as long", patient, options.traces / 5, false),
    ] {
        let started = Stopwatch::start();
        let figures = with_progress::<Ours>(name, &Production, &plan, options.seed, traces);
        let (grants, sign_outs, seconds) = (figures.client_grants, figures.honest_sign_outs, started.seconds());
        writeln!(out, "| {name} | {} | {grants} | {sign_outs} | {seconds:.1} |", figures.traces)?;
        out.flush()?;
        if let Some(trace) = figures.failing_traces.first().filter(|_| is_claim) {
            holds = false;
            writeln!(out, "\nSeed {}, trace {trace}:", options.seed)?;
            for line in retell::<Ours>(&Production, &plan, options.seed, *trace) {
                writeln!(out, "    {line}")?;
            }
        }
    }
    Ok(holds)
}

fn thieves(options: &Options, out: &mut impl Write) -> std::io::Result<bool> {
    writeln!(out, "\n## Thieves of an active client, {} traces each\n", options.traces / 10)?;
    writeln!(
        out,
        "| rule | thief | caught | grants: median | p99 | max | at most 4 | seconds until caught: median | p99 | max |"
    )?;
    writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    let holds = thieves_of::<Ours>(&Production, options, out)?;
    thieves_of::<Strict>(&(), options, out)?;
    thieves_of::<Leeway>(&(), options, out)?;
    thieves_of::<ParentAccepted>(&(), options, out)?;
    Ok(holds)
}

/// Whether those that the rule promises to catch are caught.
fn thieves_of<S: RotationScheme>(setup: &S::Setup, options: &Options, out: &mut impl Write) -> std::io::Result<bool> {
    let mut holds = true;
    for habit in Habit::ALL {
        let plan = Plan { thief: Some(habit), ..Plan::honest(Climate::ACTIVE_CLIENT) };
        let figures = with_progress::<S>(habit.name(), setup, &plan, options.seed, options.traces / 10);
        let (caught, few) = (figures.caught_percent(), figures.thieves_with_at_most(4));
        let (grants, seconds) = (figures.thief_grants(), figures.seconds_until_caught());
        writeln!(
            out,
            "| {} | {} | {caught:.3} % | {} | {} | {} | {few:.3} % | {} | {} | {} |",
            S::NAME,
            habit.name(),
            grants.median,
            grants.p99,
            grants.max,
            seconds.median,
            seconds.p99,
            seconds.max
        )?;
        out.flush()?;
        let is_claim = matches!(habit, Habit::Early | Habit::Late | Habit::Lockstep);
        holds &= !is_claim || (caught >= 99.9 && few >= 99.9);
    }
    Ok(holds)
}

const LOSSES: [i64; 4] = [0, 5, 20, 40];

fn comparison(options: &Options, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "\n## Honest sign-outs in a million sessions, {} traces each\n", options.traces / 5)?;
    writeln!(out, "| rule | loss 0 % | 5 % | 20 % | 40 % | 5 %, store faults | living branches, most |")?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|")?;
    compare::<Ours>(&Production, options, out)?;
    compare::<Strict>(&(), options, out)?;
    compare::<Leeway>(&(), options, out)?;
    compare::<ParentAccepted>(&(), options, out)
}

fn compare<S: RotationScheme>(setup: &S::Setup, options: &Options, out: &mut impl Write) -> std::io::Result<()> {
    let faulty = Climate { store_faults: true, ..Climate::only_loss(5) };
    write!(out, "| {} |", S::NAME)?;
    let mut branches_max = 0;
    for climate in LOSSES.map(Climate::only_loss).into_iter().chain([faulty]) {
        let plan = Plan { count_branches: true, ..Plan::honest(climate) };
        let figures = with_progress::<S>(S::NAME, setup, &plan, options.seed, options.traces / 5);
        branches_max = branches_max.max(figures.branches_max);
        write!(out, " {:.0} |", figures.sign_outs_per_million())?;
        out.flush()?;
    }
    writeln!(out, " {branches_max} |")
}

fn with_progress<S: RotationScheme>(name: &str, setup: &S::Setup, plan: &Plan, seed: u64, traces: u64) -> Figures {
    let mut figures = Figures::default();
    for part in parts(traces) {
        progress(&format!("{name}: {} of {traces} traces", part.start));
        figures.merge(simulate::<S>(setup, plan, seed, part));
    }
    progress("");
    figures
}

fn parts(traces: u64) -> impl Iterator<Item = Range<u64>> {
    const PART: u64 = 20_000;
    (0..traces.div_ceil(PART)).map(move |part| part * PART..traces.min((part + 1) * PART))
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
