//! kill -9 under load, again and again, on the same data and port.

use crate::{
    client::{Held, refresh_in_turn},
    driver::{child::Server, fill::fill, http::request},
    leaver::{SignedOut, sign_out_in_turn},
    line::Line,
    random::Random,
};
use anyhow::Context;
use counterfoil::system::SystemClock;
use counterfoil_domain::time::{Clock, UnixMillis};
use parking_lot::Mutex;
use std::{
    fmt, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

const CLIENTS: usize = 64;
/// So many that the server is never without refreshes to do although each session rests for a second in between.
const SESSIONS_PER_CLIENT: usize = 100;
const LEAVERS: usize = 16;
/// Sessions to sign out of, for each kill.
const LEAVING_PER_KILL: usize = 500;
/// The server lives at most this long between two kills.
const LIFE_MS_MAX: u64 = 1_200;
/// Every other kill waits for a sign-out to be acknowledged, this long at most, and comes right after it: what was
/// acknowledged before it was durable would be lost.
const SIGN_OUT_WITHIN: Duration = Duration::from_secs(1);
/// After each restart so many of the sessions signed out before the last kill are looked at again; at the end all are.
const OLD_SIGN_OUTS_CHECKED: usize = 100;

/// The smallest retry window the server takes. It makes every refresh after a second's rest move its session; with the
/// usual 15 s the run would have to be as much longer to see as many. Safe here because no request outlives its server.
const OPTIONS: [(&str, &str); 1] = [("REFRESH__RETRY_WINDOW", "1s")];

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) kills: u64,
    pub(crate) seed: u64,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Refreshes that were answered.
    pub(crate) refreshes: AtomicU64,
    /// Those that brought a new token.
    pub(crate) rotations: AtomicU64,
    /// Those that brought the same token once more.
    pub(crate) unmoved: AtomicU64,
    /// Attempts whose answer was lost.
    pub(crate) lost: AtomicU64,
    /// Of those: refreshes that the killed server had committed, found out by what the retry was given.
    pub(crate) recovered: AtomicU64,
    /// Attempts answered 503.
    pub(crate) put_off: AtomicU64,
    /// Acknowledged sign-outs.
    pub(crate) sign_outs: AtomicU64,
    /// How often a signed-out session was found to be out.
    pub(crate) checks: AtomicU64,
}

/// A run: what clients, leavers and the one who kills share.
pub(crate) struct Run {
    pub(crate) address: SocketAddr,
    pub(crate) counts: Counts,
    over: AtomicBool,
    killed_at: AtomicI64,
    acknowledged: Notify,
    signed_out: Mutex<Vec<SignedOut>>,
    faults: Mutex<Vec<String>>,
}

impl Run {
    fn new(address: SocketAddr) -> Arc<Self> {
        let (counts, over, killed_at) = (Counts::default(), AtomicBool::new(false), AtomicI64::new(0));
        let (acknowledged, signed_out, faults) = (Notify::new(), Mutex::default(), Mutex::default());
        Arc::new(Self { address, counts, over, killed_at, acknowledged, signed_out, faults })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    /// When the server was last killed.
    pub(crate) fn killed_at(&self) -> UnixMillis {
        UnixMillis::from_millis(self.killed_at.load(Relaxed))
    }

    pub(crate) fn signed_out(&self, session: SignedOut) {
        self.signed_out.lock().push(session);
        self.acknowledged.notify_waiters();
    }

    pub(crate) fn fault(&self, fault: String) {
        self.faults.lock().push(fault);
    }
}

/// What came of a run.
pub(crate) struct Outcome {
    kills: u64,
    counts: Counts,
    working: usize,
    pub(crate) faults: Vec<String>,
}

/// Does it.
pub(crate) fn run(plan: &Plan) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let data = folder.path().join("data");
    let leaving = LEAVING_PER_KILL * usize::try_from(plan.kills)?;
    let mut tokens = fill(&data, CLIENTS * SESSIONS_PER_CLIENT + leaving)?;
    let leaving = tokens.split_off(CLIENTS * SESSIONS_PER_CLIENT);

    let mut random = Random::new(plan.seed);
    let run = Run::new(free_address(&mut random)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let working = runtime.block_on(conduct(&run, plan, &mut random, &data, tokens, leaving))?;
    let run = Arc::into_inner(run).context("somebody still runs")?;
    Ok(Outcome { kills: plan.kills, counts: run.counts, working, faults: run.faults.into_inner() })
}

async fn conduct(
    run: &Arc<Run>,
    plan: &Plan,
    random: &mut Random,
    data: &Path,
    tokens: Vec<String>,
    leaving: Vec<String>,
) -> anyhow::Result<usize> {
    let mut server = start(run, data).await?;
    let mut clients = JoinSet::new();
    for hand in tokens.chunks(SESSIONS_PER_CLIENT) {
        let sessions = hand.iter().cloned().map(Held::new).collect();
        clients.spawn(refresh_in_turn(Arc::clone(run), sessions));
    }
    let mut leavers = JoinSet::new();
    for hand in leaving.chunks(leaving.len().div_ceil(LEAVERS).max(1)) {
        leavers.spawn(sign_out_in_turn(Arc::clone(run), hand.to_vec()));
    }

    let mut checked = 0;
    for kill in 0..plan.kills {
        sleep(Duration::from_millis(random.below(LIFE_MS_MAX))).await;
        if kill % 2 == 1 {
            let _ = timeout(SIGN_OUT_WITHIN, run.acknowledged.notified()).await;
        }
        server.kill()?;
        run.killed_at.store(SystemClock.now().as_millis(), Relaxed);
        server = start(run, data).await?;
        let mut sessions = run.signed_out.lock().clone();
        let newest = sessions.split_off(checked);
        checked += newest.len();
        let old = (0..OLD_SIGN_OUTS_CHECKED.min(sessions.len())).map(|_| random.below(sessions.len() as u64));
        let old: Vec<_> = old.filter_map(|place| sessions.get(usize::try_from(place).ok()?).cloned()).collect();
        check(run, newest.into_iter().chain(old).collect()).await?;
    }

    run.over.store(true, Relaxed);
    let mut sessions = Vec::new();
    while let Some(client) = clients.join_next().await {
        sessions.extend(client??);
    }
    while let Some(leaver) = leavers.join_next().await {
        leaver??;
    }
    // An orderly stop must not be worse than a kill.
    server.stop()?;
    let server = start(run, data).await?;
    let everybody = run.signed_out.lock().clone();
    check(run, everybody).await?;
    let working = count_working(run, sessions).await?;
    server.stop()?;
    Ok(working)
}

async fn start(run: &Run, data: &Path) -> anyhow::Result<Server> {
    let (data, address) = (data.to_owned(), run.address);
    spawn_blocking(move || Server::start(&data, address, &OPTIONS)).await?
}

/// Looks whether each of these is still signed out.
async fn check(run: &Arc<Run>, sessions: Vec<SignedOut>) -> anyhow::Result<()> {
    let mut checks: JoinSet<anyhow::Result<()>> = JoinSet::new();
    for hand in sessions.chunks(sessions.len().div_ceil(16).max(1)) {
        let (run, hand) = (Arc::clone(run), hand.to_vec());
        checks.spawn(async move {
            let mut line = Line::to(run.address);
            for session in hand {
                session.check(&mut line, &run).await?;
            }
            Ok(())
        });
    }
    while let Some(check) = checks.join_next().await {
        check??;
    }
    Ok(())
}

/// How many of these refresh once more and get a good access token.
async fn count_working(run: &Arc<Run>, sessions: Vec<Held>) -> anyhow::Result<usize> {
    let mut clients: JoinSet<anyhow::Result<usize>> = JoinSet::new();
    let mut sessions = sessions.into_iter().peekable();
    while sessions.peek().is_some() {
        let (run, hand) = (Arc::clone(run), sessions.by_ref().take(SESSIONS_PER_CLIENT).collect::<Vec<_>>());
        clients.spawn(async move {
            let (mut line, mut working) = (Line::to(run.address), 0);
            for mut held in hand {
                held.rest().await;
                if !held.refresh(&mut line, &run).await? {
                    continue;
                }
                let answer = line.ask(&request("GET", "/v1/account", Some(&held.access_token), None)).await?;
                if answer.status == 200 {
                    working += 1;
                } else {
                    run.fault(format!("a fresh access token is answered {answer}"));
                }
            }
            Ok(working)
        });
    }
    let mut working = 0;
    while let Some(client) = clients.join_next().await {
        working += client??;
    }
    Ok(working)
}

/// An address that stays ours while the server is down. A port from the range that the system hands out would not: a
/// client that knocks at an empty port of that range can be given the very same port and be connected with itself.
fn free_address(random: &mut Random) -> anyhow::Result<SocketAddr> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let handed_out = range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(32_768);
    for _ in 0..100 {
        let port = u16::try_from(10_000 + random.below(u64::saturating_sub(handed_out, 10_000)))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    anyhow::bail!("no free port below {handed_out}")
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { refreshes, rotations, unmoved, lost, recovered, put_off, sign_outs, checks } = &self.counts;
        let [refreshes, rotations, unmoved, lost] =
            [refreshes, rotations, unmoved, lost].map(|count| count.load(Relaxed));
        let [recovered, put_off, sign_outs, checks] =
            [recovered, put_off, sign_outs, checks].map(|count| count.load(Relaxed));
        writeln!(f, "{} kills", self.kills)?;
        writeln!(
            f,
            "  {refreshes} refreshes, {rotations} of them brought a new token and {unmoved} the same once more"
        )?;
        writeln!(
            f,
            "  {lost} attempts lost their answer, {recovered} of which had moved the session; {put_off} put off (503)"
        )?;
        writeln!(f, "  {sign_outs} acknowledged sign-outs, found out {checks} times")?;
        writeln!(f, "  {} of {} sessions work at the end", self.working, CLIENTS * SESSIONS_PER_CLIENT)?;
        write!(f, "  {} faults", self.faults.len())
    }
}
