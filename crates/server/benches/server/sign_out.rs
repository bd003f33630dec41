//! From the answer to a sign-out until each guard refuses the token, seen from outside.
//!
//! Three guarded services and the server are processes of their own on one machine. Every token is accepted by every guard
//! before, so that each has it in its cache. Then sessions are signed out at a steady rate; from the moment that a sign-out is
//! answered, its token is presented to each guard again and again until it is refused. The time counts until the refusal has
//! arrived, so it holds a whole exchange more than the truth.

use crate::{
    driver::{
        child::Server,
        fill::fill,
        http::{Connection, json_member, request},
        now,
    },
    guarded::Guarded,
    options::{Options, Part},
    pool::Pool,
    report::{Report, Target, Unit},
    sessions::access_token,
    statistics::Latencies,
};
use anyhow::{Context, bail, ensure};
use std::{
    env,
    net::Ipv4Addr,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    runtime::Runtime,
    task::JoinSet,
    time::{sleep, sleep_until},
};

pub(crate) const GUARDS: usize = 3;
/// Sign-outs a second.
const RATE: u32 = 500;
/// The first probe follows at once, and each later one after a pause of this share of the time that has passed.
const PAUSE_SHARE: u32 = 6;
const PAUSE_MIN: Duration = Duration::from_micros(500);
/// So long a token is presented; the target is far below.
const PROBED_FOR_MAX: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 96;
/// Sign-outs that wait for their receipt, a second.
const RECEIPT_RATE: u32 = 100;

/// The server's options: every wake-up lost.
const NO_WAKE_UPS: (&str, &str) = ("FEED__WAKE_UPS", "false");

pub(crate) fn run(options: &Options, data: &Path, report: &mut Report) -> anyhow::Result<()> {
    let sign_outs = if options.is_brief() { 150 } else { 10_000 };
    let receipts = sign_outs / 10;
    let mut tokens = fill(data, 2 * sign_outs + receipts)?;
    report.pins().on_all(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        for (name, settings) in [("sign-out to refusal", &[][..]), ("the same, wake-ups lost", &[NO_WAKE_UPS])] {
            let some = tokens.split_off(tokens.len() - sign_outs);
            let server = Server::start(data, (Ipv4Addr::LOCALHOST, 0).into(), settings)?;
            let guards = Guards::start(&runtime, &server)?;
            let mut times = runtime.block_on(guards.measure(&server, some))?;
            println!("  {name}: {} refusals at {GUARDS} guards", times.count());
            let at_most = |bound: f64| if settings.is_empty() { Target::AtMost(bound) } else { Target::None };
            let longest = Target::AtMost(1_000.0);
            for (what, per_mille, target) in
                [("p50", 500, at_most(50.0)), ("p99", 990, at_most(250.0)), ("max", 1000, longest)]
            {
                let value = times.percentile_ms(per_mille);
                report.add(Part::SignOut, format!("{name}, {what}"), Unit::Milliseconds, &[value], target);
            }
            if settings.is_empty() {
                runtime.block_on(guards.receipts(&server, tokens.split_off(tokens.len() - receipts), report))?;
            }
            drop(guards);
            server.stop()?;
        }
        Ok(())
    })
}

/// This program, told to be a guarded service.
pub(crate) fn guarded() -> anyhow::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("--guarded");
    Ok(command)
}

/// Some guarded services, each with connections to it.
struct Guards {
    _servers: Vec<Server>,
    pools: Vec<Pool>,
}

impl Guards {
    fn start(runtime: &Runtime, server: &Server) -> anyhow::Result<Self> {
        let issuer = format!("http://{}", server.address());
        let start = |number: usize| Guarded::following(&issuer, &format!("guard-{number}")).start(guarded()?);
        let servers = (1..=GUARDS).map(start).collect::<anyhow::Result<Vec<_>>>()?;
        let pools = runtime.block_on(async {
            let mut pools = Vec::new();
            for server in &servers {
                let pool = Pool::open(server.address(), CONNECTIONS).await?;
                until_ready(&pool).await?;
                pools.push(pool);
            }
            anyhow::Ok(pools)
        })?;
        Ok(Self { _servers: servers, pools })
    }

    /// Signs all out, and gives the times until each guard has refused each.
    async fn measure(&self, server: &Server, refresh_tokens: Vec<String>) -> anyhow::Result<Latencies> {
        let tokens = self.accepted_everywhere(server, refresh_tokens).await?;
        let door = Pool::open(server.address(), CONNECTIONS).await?;
        let mut probes = JoinSet::new();
        let begun = now();
        for (number, token) in (0_u32..).zip(tokens) {
            sleep_until((begun + Duration::from_secs(1) / RATE * number).into()).await;
            let (door, pools) = (door.clone(), self.pools.clone());
            probes.spawn(async move {
                let (status, body) = door.ask(&sign_out_request(&token, "")).await?;
                ensure!(status == 200, "sign-out: {status} {body}");
                let answered = now();
                let probe: Arc<[u8]> = request("GET", "/", Some(&token), None).into();
                let mut each = JoinSet::new();
                for pool in pools {
                    each.spawn(until_refused(pool, Arc::clone(&probe), answered));
                }
                each.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()
            });
        }
        let mut times = Latencies::default();
        while let Some(of_one) = probes.join_next().await {
            of_one??.into_iter().for_each(|time| times.add(time));
        }
        Ok(times)
    }

    /// Signs all out waiting for receipts, and looks whether what they say is true: after the answer no guard that is not
    /// named as missing accepts the token even once.
    async fn receipts(&self, server: &Server, refresh: Vec<String>, report: &mut Report) -> anyhow::Result<()> {
        let tokens = self.accepted_everywhere(server, refresh).await?;
        let door = Pool::open(server.address(), CONNECTIONS).await?;
        let mut askers = JoinSet::new();
        let begun = now();
        for (number, token) in (0_u32..).zip(tokens) {
            sleep_until((begun + Duration::from_secs(1) / RECEIPT_RATE * number).into()).await;
            let (door, pools) = (door.clone(), self.pools.clone());
            askers.spawn(async move {
                let sent = now();
                let (status, body) = door.ask(&sign_out_request(&token, "?wait=1s")).await?;
                let took = sent.elapsed();
                let confirmed = format!(r#""verifiers":{GUARDS},"confirmed":{GUARDS}"#);
                ensure!(status == 200 && body.contains(&confirmed), "a receipt that lacks somebody: {status} {body}");
                let probe = request("GET", "/", Some(&token), None);
                let mut wrong = 0;
                for pool in pools {
                    let (status, body) = pool.ask(&probe).await?;
                    wrong += usize::from(status != 401 || json_member(&body, "code") != Some("token_revoked"));
                }
                anyhow::Ok((took, wrong))
            });
        }
        let (mut times, mut wrong) = (Latencies::default(), 0);
        while let Some(asked) = askers.join_next().await {
            let (took, some) = asked??;
            times.add(took);
            wrong += some;
        }
        ensure!(wrong == 0, "{wrong} tokens were accepted by a guard that a receipt says had refused them");
        println!("  receipts: {} full ones, {wrong} contradicted by the prober", times.count());
        for (what, per_mille) in [("p50", 500), ("p99", 990), ("max", 1000)] {
            let value = times.percentile_ms(per_mille);
            let name = format!("sign-out with a receipt of {GUARDS} guards, {what}");
            report.add(Part::SignOut, name, Unit::Milliseconds, &[value], Target::None);
        }
        Ok(())
    }

    /// An access token of each session, accepted once by each guard.
    async fn accepted_everywhere(&self, server: &Server, refresh_tokens: Vec<String>) -> anyhow::Result<Vec<String>> {
        let mut connection = Connection::open(server.address()).await?;
        let mut tokens = Vec::with_capacity(refresh_tokens.len());
        for refresh_token in refresh_tokens {
            let token = access_token(&mut connection, &refresh_token).await?;
            let probe = request("GET", "/", Some(&token), None);
            for pool in &self.pools {
                let (status, body) = pool.ask(&probe).await?;
                ensure!(status == 200, "before the sign-out: {status} {body}");
            }
            tokens.push(token);
        }
        Ok(tokens)
    }
}

fn sign_out_request(token: &str, query: &str) -> Vec<u8> {
    request("DELETE", &format!("/v1/sessions/current{query}"), Some(token), None)
}

async fn until_refused(pool: Pool, probe: Arc<[u8]>, answered: Instant) -> anyhow::Result<Duration> {
    loop {
        let (status, body) = pool.ask(&probe).await?;
        let passed = answered.elapsed();
        match status {
            401 if json_member(&body, "code") == Some("token_revoked") => return Ok(passed),
            200 if passed < PROBED_FOR_MAX => sleep((passed / PAUSE_SHARE).max(PAUSE_MIN)).await,
            _ => bail!("{passed:?} after the sign-out: {status} {body}"),
        }
    }
}

/// Waits until a guard has the feed: it says 401 to nobody then, and 503 before.
pub(crate) async fn until_ready(pool: &Pool) -> anyhow::Result<()> {
    let nobody = request("GET", "/", None, None);
    let deadline = now() + PROBED_FOR_MAX;
    loop {
        let (status, body) = pool.ask(&nobody).await?;
        match status {
            401 => return Ok(()),
            503 if now() < deadline => sleep(Duration::from_millis(5)).await,
            _ => bail!("a guard does not get ready: {status} {body}"),
        }
    }
}

/// How long after `begun` it is.
pub(crate) fn milliseconds_since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// The first connection to a guarded service that can be used.
pub(crate) async fn connect(server: &Server) -> anyhow::Result<Pool> {
    Pool::open(server.address(), 1).await.with_context(|| format!("{} does not answer", server.address()))
}
