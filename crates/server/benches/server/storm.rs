//! A storm of sign-ins, and what everybody else notices of it.

use crate::{
    driver::{
        child::Server,
        fill::fill,
        http::{Connection, JSON, request},
        now,
    },
    load::{Clients, Window, runtime},
    machine::{memory, threads_named},
    options::{Options, Part},
    report::{Report, Target, Unit, megabytes},
    sessions::{Held, RETRY_WINDOW, access_token, deal},
    statistics::{Latencies, number, per_second},
};
use anyhow::{Context, ensure};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until},
};

/// How many clients sign in over and over.
const STORM_CLIENTS: usize = 16;
/// Requests with an access token, and refreshes, each so often a second while all this goes on…
const PROBES_PER_SECOND: u32 = 200;
/// …on so many connections each.
const PROBE_CONNECTIONS: u32 = 4;
/// A calm or a storm lasts so many times as long as other measurements: a 99th percentile wants some thousand values.
const STRETCH: u32 = 4;
/// What one password hash needs (OWASP: 19 MiB).
const HASH_BYTES: u64 = 19 * 1024 * 1024;
/// What a storm may cost besides.
const STORM_BYTES_MAX: u64 = 20_000_000;

const PASSWORD: &str = "a passphrase for the storm";

#[derive(Default)]
struct Weather {
    verify_p50: Vec<f64>,
    verify_p99: Vec<f64>,
    refresh_p50: Vec<f64>,
    refresh_p99: Vec<f64>,
}

#[derive(Default)]
struct SignIns {
    rates: Vec<f64>,
    p50: Vec<f64>,
    turned_away: usize,
}

pub(crate) fn run(options: &Options, data: &Path, report: &mut Report) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let mut tokens = fill(data, options.sessions())?;
    let pins = report.pins();
    let server = pins.start(|| Server::start(data, (Ipv4Addr::LOCALHOST, 0).into(), &[RETRY_WINDOW]))?;
    runtime.block_on(async {
        let verify = verify_request(server.address(), &tokens.pop().context("no session")?).await?;
        let mut pool = Held::all(tokens);
        sign_up(server.address()).await?;
        sleep(Duration::from_secs(5)).await;
        let idle = memory(server.id())?.resident;

        let (mut calm, mut stormy) = (Weather::default(), Weather::default());
        let (mut sign_ins, mut peaks, mut afterwards) = (SignIns::default(), Vec::new(), Vec::new());
        for round in 1..=options.rounds() {
            let window = Window::of(options.duration() * STRETCH);
            pool = probe(server.address(), &verify, pool, window, &mut calm).await?;
            println!("  round {round}: calm   {}", calm.newest());

            let window = Window::of(options.duration() * STRETCH);
            let storm = begin_storm(server.address(), window);
            pool = probe(server.address(), &verify, pool, window, &mut stormy).await?;
            end_storm(storm, window, &mut sign_ins).await?;
            let peak = memory(server.id())?.peak;
            sleep(Duration::from_secs(5)).await;
            let after = memory(server.id())?.resident;
            peaks.push(megabytes(peak));
            afterwards.push(megabytes(after));
            println!(
                "  round {round}: storm  {}; {:.1} sign-ins/s, memory at most {:.1} MB, five seconds later {:.1} MB",
                stormy.newest(),
                sign_ins.rates.last().copied().unwrap_or(f64::NAN),
                megabytes(peak),
                megabytes(after),
            );
        }

        let hashes = threads_named(server.id(), "hash-")?;
        let budget = idle + hashes as u64 * HASH_BYTES + STORM_BYTES_MAX;
        let mut add = |name: &str, unit, values: &[f64], target| report.add(Part::Storm, name, unit, values, target);
        add("sign-ins", Unit::PerSecond, &sign_ins.rates, Target::AtLeast(40.0));
        add("sign-in p50, 16 waiting for one hash", Unit::Milliseconds, &sign_ins.p50, Target::None);
        add("sign-ins answered 503", Unit::Count, &[number(sign_ins.turned_away as u64)], Target::None);
        calm.add_to(&mut add, "calm");
        stormy.add_to(&mut add, "storm");
        let ratios = |calm: &[f64], stormy: &[f64]| -> Vec<f64> {
            calm.iter().zip(stormy).map(|(calm, stormy)| stormy / calm).collect()
        };
        let (verify, refresh) =
            (ratios(&calm.verify_p99, &stormy.verify_p99), ratios(&calm.refresh_p99, &stormy.refresh_p99));
        add("/v1/forward-auth p99, storm ÷ calm", Unit::Ratio, &verify, Target::AtMost(1.5));
        add("refresh p99, storm ÷ calm", Unit::Ratio, &refresh, Target::AtMost(1.5));
        add("memory before", Unit::Megabytes, &[megabytes(idle)], Target::None);
        add("memory at its peak", Unit::Megabytes, &peaks, Target::AtMost(megabytes(budget)));
        add("memory five seconds after", Unit::Megabytes, &afterwards, Target::AtMost(40.0));
        anyhow::Ok(())
    })?;
    server.stop()
}

impl Weather {
    fn newest(&self) -> String {
        let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
        format!(
            "forward-auth p50 {:.2} p99 {:.2} ms, refresh p50 {:.2} p99 {:.2} ms",
            last(&self.verify_p50),
            last(&self.verify_p99),
            last(&self.refresh_p50),
            last(&self.refresh_p99),
        )
    }

    fn add_to(&self, add: &mut impl FnMut(&str, Unit, &[f64], Target), when: &str) {
        for (name, values) in [
            ("/v1/forward-auth p50", &self.verify_p50),
            ("/v1/forward-auth p99", &self.verify_p99),
            ("refresh p50", &self.refresh_p50),
            ("refresh p99", &self.refresh_p99),
        ] {
            add(&format!("{name}, {when}"), Unit::Milliseconds, values, Target::None);
        }
    }
}

async fn verify_request(address: SocketAddr, refresh_token: &str) -> anyhow::Result<Arc<[u8]>> {
    let mut connection = Connection::open(address).await?;
    let token = access_token(&mut connection, refresh_token).await?;
    Ok(request("GET", "/v1/forward-auth", Some(&token), None).into())
}

/// What a probe asks again and again.
enum Probe {
    Verify(Arc<[u8]>),
    Refresh(Vec<Held>),
}

/// Asks at a steady pace during the window, whatever else goes on, and adds what it saw to `weather`.
async fn probe(
    address: SocketAddr,
    verify: &Arc<[u8]>,
    pool: Vec<Held>,
    window: Window,
    weather: &mut Weather,
) -> anyhow::Result<Vec<Held>> {
    let every = Duration::from_secs(1) * PROBE_CONNECTIONS / PROBES_PER_SECOND;
    let (mut verifying, mut refreshing): (Clients<Probe>, Clients<Probe>) = (JoinSet::new(), JoinSet::new());
    for (number, hand) in (0..PROBE_CONNECTIONS).zip(deal(pool, PROBE_CONNECTIONS as usize)) {
        let first = now() + every * number / PROBE_CONNECTIONS;
        verifying.spawn(ask_steadily(address, Probe::Verify(Arc::clone(verify)), first, every, window));
        let first = first + every / (2 * PROBE_CONNECTIONS);
        refreshing.spawn(ask_steadily(address, Probe::Refresh(hand), first, every, window));
    }
    let (mut verified, _) = collect(verifying).await?;
    let (mut refreshed, probes) = collect(refreshing).await?;
    weather.verify_p50.push(verified.percentile_ms(500));
    weather.verify_p99.push(verified.percentile_ms(990));
    weather.refresh_p50.push(refreshed.percentile_ms(500));
    weather.refresh_p99.push(refreshed.percentile_ms(990));
    let hands = probes.into_iter().filter_map(|probe| if let Probe::Refresh(hand) = probe { Some(hand) } else { None });
    Ok(hands.flatten().collect())
}

async fn collect<T: 'static>(mut clients: Clients<T>) -> anyhow::Result<(Latencies, Vec<T>)> {
    let (mut latencies, mut rest) = (Latencies::default(), Vec::new());
    while let Some(client) = clients.join_next().await {
        let (some, other) = client??;
        latencies.append(some);
        rest.push(other);
    }
    Ok((latencies, rest))
}

/// Asks at `first` and `every` so often after it. A request that had to wait for the one before is counted from when it
/// should have been sent: a server that stalls must not look better for being asked less.
async fn ask_steadily(
    address: SocketAddr,
    mut probe: Probe,
    first: Instant,
    every: Duration,
    window: Window,
) -> anyhow::Result<(Latencies, Probe)> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Latencies::default();
    let (mut due, mut turn) = (first, 0);
    while due < window.ends {
        let late = now() > due;
        sleep_until(due.into()).await;
        // The timer's own lateness, up to a millisecond, is ours and not the server's.
        let begins = if late { due } else { now() };
        match &mut probe {
            Probe::Verify(request) => {
                let reply = connection.exchange(request).await?;
                ensure!(reply.status == 200, "{} {}", reply.status, reply.body);
            }
            Probe::Refresh(hand) => {
                let count = hand.len().max(1);
                let held = hand.get_mut(turn % count).context("no session")?;
                held.refresh(&mut connection).await?;
                turn += 1;
            }
        }
        let ends = now();
        if window.contains(ends) {
            latencies.add(ends - begins);
        }
        due += every;
    }
    Ok((latencies, probe))
}

fn email(number: usize) -> String {
    format!("storm{number}@example.com")
}

async fn sign_up(address: SocketAddr) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    for number in 0..STORM_CLIENTS {
        let body = format!(r#"{{"email":"{}","password":"{PASSWORD}"}}"#, email(number));
        let reply = connection.exchange(&request("POST", "/v1/accounts", None, Some((JSON, &body)))).await?;
        ensure!(reply.status == 201, "sign-up: {} {}", reply.status, reply.body);
    }
    Ok(())
}

/// A client of the storm brings how often it was turned away.
fn begin_storm(address: SocketAddr, window: Window) -> Clients<usize> {
    let mut clients = JoinSet::new();
    for number in 0..STORM_CLIENTS {
        clients.spawn(sign_in_again_and_again(address, number, window));
    }
    clients
}

async fn sign_in_again_and_again(
    address: SocketAddr,
    number: usize,
    window: Window,
) -> anyhow::Result<(Latencies, usize)> {
    let mut connection = Connection::open(address).await?;
    let body = format!(r#"{{"email":"{}","password":"{PASSWORD}"}}"#, email(number));
    let request = request("POST", "/v1/sessions", None, Some((JSON, &body)));
    let (mut latencies, mut turned_away) = (Latencies::default(), 0);
    while now() < window.ends {
        let sent = now();
        let reply = connection.exchange(&request).await?;
        match reply.status {
            201 => {
                let received = now();
                if window.contains(received) {
                    latencies.add(received - sent);
                }
            }
            503 => {
                turned_away += 1;
                sleep(Duration::from_millis(100)).await;
            }
            other => anyhow::bail!("sign-in: {other} {}", reply.body),
        }
    }
    Ok((latencies, turned_away))
}

async fn end_storm(storm: Clients<usize>, window: Window, sign_ins: &mut SignIns) -> anyhow::Result<()> {
    let (mut latencies, turned_away) = collect(storm).await?;
    sign_ins.rates.push(per_second(latencies.count(), window.ends - window.begins));
    sign_ins.p50.push(latencies.percentile_ms(500));
    sign_ins.turned_away += turned_away.into_iter().sum::<usize>();
    Ok(())
}
