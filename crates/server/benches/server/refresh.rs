//! Durable refreshes: each one moves its session, and is answered when it is on the disk.

use crate::{
    ceiling,
    driver::{child::Server, fill::fill, http::Connection, http::request, now},
    load::{Clients, Tally, Watched, Window, observe, repeat, runtime},
    options::{CeilingKind, Options, Part},
    report::{Report, Target, Unit},
    sessions::{Held, RETRY_WINDOW, deal},
    statistics::Latencies,
    verification::CONNECTIONS,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;

/// How many clients come at once, and what is asked of each number: refreshes a second and share of the ceiling.
const STEPS: [(usize, Target, Target); 4] = [
    (1, Target::None, Target::None),
    (16, Target::None, Target::None),
    (64, Target::AtLeast(10_000.0), Target::AtLeast(0.10)),
    (256, Target::None, Target::None),
];

#[derive(Default)]
struct Step {
    rates: Vec<f64>,
    ratios: Vec<f64>,
    commits: Vec<f64>,
    medians: Vec<f64>,
    slowest: Vec<f64>,
    microseconds: Vec<f64>,
}

pub(crate) fn run(options: &Options, data: &Path, report: &mut Report) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let mut pool = Held::all(fill(data, options.sessions())?);
    let pins = report.pins();
    let server = pins.start(|| Server::start(data, (Ipv4Addr::LOCALHOST, 0).into(), &[RETRY_WINDOW]))?;
    let bare = pins.start(|| ceiling::start(CeilingKind::Counterfoil))?;
    let constant: Arc<[u8]> = request("GET", "/", None, None).into();
    let watched = Watched::with_store(&server, data.join("counterfoil.sqlite"));

    let mut steps: [Step; STEPS.len()] = std::array::from_fn(|_| Step::default());
    for round in 1..=options.rounds() {
        for ((clients, ..), step) in STEPS.iter().zip(&mut steps) {
            let length = options.duration();
            let ceiling = runtime.block_on(repeat(&bare, &constant, CONNECTIONS, length / 2))?.rate;
            let all = measure(server.address(), &watched, pool, *clients, length);
            let (mut tally, rested);
            (tally, pool, rested) = runtime.block_on(all)?;
            let (median, slow) = (tally.latencies.percentile_ms(500), tally.latencies.percentile_ms(990));
            println!(
                "  round {round}: {clients:>3} clients {:>7.0}/s  {:.3} of the ceiling, {:>6.0} commits/s, \
                 p50 {median:.2} ms, p99 {slow:.2} ms, {:.1} µs of the server each",
                tally.rate,
                tally.rate / ceiling,
                tally.commits.unwrap_or(f64::NAN),
                tally.microseconds_each(),
            );
            if rested > 0 {
                println!(
                    "           {rested} refreshes waited for a session: more of them (--sessions) would be faster"
                );
            }
            step.rates.push(tally.rate);
            step.ratios.push(tally.rate / ceiling);
            step.commits.extend(tally.commits);
            step.medians.push(median);
            step.slowest.push(slow);
            step.microseconds.push(tally.microseconds_each());
        }
    }
    for ((clients, rate, ratio), step) in STEPS.into_iter().zip(&steps) {
        let mut add = |what: &str, unit, values: &[f64], target| {
            report.add(Part::Refresh, format!("{clients} clients: {what}"), unit, values, target);
        };
        add("refreshes", Unit::PerSecond, &step.rates, rate);
        add("÷ ceiling", Unit::Ratio, &step.ratios, ratio);
        add("commits", Unit::PerSecond, &step.commits, Target::None);
        add("p50", Unit::Milliseconds, &step.medians, Target::None);
        add("p99", Unit::Milliseconds, &step.slowest, Target::None);
        add("server time each", Unit::Microseconds, &step.microseconds, Target::None);
    }
    server.stop()
}

/// So many clients, each refreshing its own sessions in turn. Gives the sessions back, and how many refreshes had to
/// wait because theirs had moved just before.
async fn measure(
    address: SocketAddr,
    watched: &Watched,
    pool: Vec<Held>,
    clients: usize,
    length: Duration,
) -> anyhow::Result<(Tally, Vec<Held>, usize)> {
    let window = Window::of(length);
    let mut running: Clients<(Vec<Held>, usize)> = JoinSet::new();
    for hand in deal(pool, clients) {
        running.spawn(refresh_in_turn(address, hand, window));
    }
    let (tally, hands) = observe(watched, window, running).await?;
    let rested = hands.iter().map(|(_, rested)| rested).sum();
    Ok((tally, hands.into_iter().flat_map(|(hand, _)| hand).collect(), rested))
}

async fn refresh_in_turn(
    address: SocketAddr,
    mut hand: Vec<Held>,
    window: Window,
) -> anyhow::Result<(Latencies, (Vec<Held>, usize))> {
    let mut connection = Connection::open(address).await?;
    let (mut latencies, mut rested) = (Latencies::default(), 0);
    loop {
        for held in &mut hand {
            rested += usize::from(held.rest().await);
            let sent = now();
            held.refresh(&mut connection).await?;
            let received = now();
            if window.contains(received) {
                latencies.add(received - sent);
            }
            if received >= window.ends {
                return Ok((latencies, (hand, rested)));
            }
        }
    }
}
