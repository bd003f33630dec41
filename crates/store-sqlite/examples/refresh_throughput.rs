//! How many durable refreshes a second: `cargo run --release -p counterfoil-store-sqlite --example refresh_throughput`.
//!
//! Every refresh is an advance (rule 5 of the rotation): one row read with its account, decided by the rule that production
//! runs, written, and answered when it is on the disk. Each caller has its own sessions, spread over the file. Arguments: folder for the data file (default: the temporary folder), sessions (default
//! 10,000), seconds per step (default 3), and the number of callers (default: 1, 16, 64 and 256 one after the other).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "an example")]
#![allow(clippy::disallowed_methods, reason = "it measures, so it needs the real clock")]

use counterfoil_domain::{
    account::Account,
    entropy::{Entropy, random_bytes},
    event::Occasion,
    policy::{Lifetimes, Limits, SessionPolicy},
    rotation::RotationRules,
    scope::ScopeSet,
    session::{Device, OpenSession, RefreshOutcome, RefreshRequest, RefreshTerms, open, refresh},
    store::{NewAccount, Store},
    time::{Clock, UnixMillis},
};
use counterfoil_store_sqlite::{SqliteOptions, SqliteStore};
use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Each look is a minute after the one before: every refresh finds its retry window over, and advances.
struct Leaping(AtomicI64);
impl Clock for Leaping {
    fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.0.load(Relaxed))
    }
}

/// Ids as in production: the time first, then bits that look random (splitmix64).
struct Mixed(AtomicU64);
impl Entropy for Mixed {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut word = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

fn main() {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().map_or_else(env::temp_dir, Into::into);
    let mut argument = |default: u64| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (sessions, seconds, callers) = (argument(10_000), argument(3), usize::try_from(argument(0)).expect("a number"));
    let steps = if callers == 0 { vec![1, 16, 64, 256] } else { vec![callers] };

    let folder = tempfile::tempdir_in(folder).unwrap();
    let clock = Arc::new(Leaping(AtomicI64::new(1_800_000_000_000)));
    let options = SqliteOptions::new(folder.path().join("counterfoil.db"), clock.clone());
    let store = Arc::new(SqliteStore::open(options).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();

    let begin = Instant::now();
    let opened = Arc::new(runtime.block_on(fill(&store, &clock, sessions)));
    println!("{sessions} sign-ups and sign-ins stored in {:.1} s", begin.elapsed().as_secs_f64());

    for callers in steps {
        let before = store.statistics();
        let begin = Instant::now();
        let count = runtime.block_on(run(&store, &clock, &opened, callers, Duration::from_secs(seconds)));
        let elapsed = begin.elapsed().as_secs_f64();
        let commits = store.statistics().commits - before.commits;
        println!(
            "{callers:>4} callers: {:>7.0} refreshes/s, {:>6.0} commits/s, {:>5.1} refreshes a commit",
            number(count) / elapsed,
            number(commits) / elapsed,
            number(count) / number(commits),
        );
    }
}

fn number(count: u64) -> f64 {
    u32::try_from(count).expect("a short run").into()
}

type Opened = Vec<counterfoil_domain::session::Session>;

async fn fill(store: &Arc<SqliteStore>, clock: &Arc<Leaping>, sessions: u64) -> Opened {
    let entropy = Arc::new(Mixed(AtomicU64::new(1)));
    let mut tasks = Vec::new();
    for task in 0..64 {
        let (store, clock, entropy) = (store.clone(), clock.clone(), entropy.clone());
        tasks.push(tokio::spawn(async move {
            let mut opened = Vec::new();
            for number in (task..sessions).step_by(64) {
                let occasion = Occasion { now: clock.now(), ip: Some([192, 0, 2, 1].into()), entropy: &*entropy };
                clock.0.fetch_add(1, Relaxed);
                let email = format!("person{number}@example.com").parse().unwrap();
                let account = Account::new(email, None, occasion.now, &*entropy);
                let user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned();
                let request = OpenSession {
                    policy: SessionPolicy::Refresh,
                    client_id: "example-app".into(),
                    scope: "openid profile".parse::<ScopeSet>().unwrap(),
                    device: Device { name: None, user_agent: Some(user_agent), ip: occasion.ip },
                    secret: None,
                    replaces: None,
                };
                let (session, event) = open(request, &account, &Lifetimes::default(), &occasion);
                opened.push(session.clone());
                let new = NewAccount { account, password_hash: None, session: Some(session), events: vec![event] };
                store.create_account(new).await.unwrap();
            }
            opened
        }));
    }
    let mut opened = Vec::new();
    for task in tasks {
        opened.append(&mut task.await.unwrap());
    }
    // Random order, by the hash of a counter: neighbours in the file are not refreshed together.
    opened.sort_by_cached_key(|_| random_bytes::<8>(&*entropy));
    opened
}

async fn run(
    store: &Arc<SqliteStore>,
    clock: &Arc<Leaping>,
    opened: &Arc<Opened>,
    callers: usize,
    duration: Duration,
) -> u64 {
    let end = Instant::now() + duration;
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let (store, clock, opened) = (store.clone(), clock.clone(), opened.clone());
        tasks.push(tokio::spawn(async move {
            let store: &dyn Store = &*store;
            let century = Duration::from_hours(24 * 365 * 100);
            let lifetimes = Lifetimes::default();
            let refresh_limits = Limits { idle_lifetime: century, ..lifetimes.refresh };
            let lifetimes = Lifetimes { refresh: refresh_limits, ..lifetimes };
            let rotation = RotationRules { retry_window: Duration::ZERO, ..RotationRules::default() };
            let longest_token_lifetime = Duration::from_mins(31);
            let terms = RefreshTerms { rotation, lifetimes, longest_token_lifetime };
            let mut count = 0;
            for session in opened.iter().skip(caller).step_by(callers).cycle() {
                if Instant::now() >= end {
                    break;
                }
                let accepted_at = UnixMillis::from_millis(clock.0.fetch_add(1, Relaxed) + 1);
                let id = session.id;
                let rule = move |view: Option<&counterfoil_domain::session::SessionView>, now: UnixMillis| {
                    // The newest token, as the honest client would hold it.
                    let serial = view.expect("the session is stored").session.rotation.child;
                    let token = counterfoil_domain::rotation::RefreshToken { session: id, serial };
                    let request = RefreshRequest { token, scope: None, client_id: None, accepted_at };
                    let entropy = Mixed(AtomicU64::new(7));
                    let occasion = Occasion { now, ip: Some([192, 0, 2, 1].into()), entropy: &entropy };
                    refresh(view, &request, &terms, &occasion)
                };
                let (outcome, _) = store.decide_session(id, rule).await.unwrap();
                assert!(matches!(outcome, RefreshOutcome::Granted { .. }), "{outcome:?}");
                count += 1;
            }
            count
        }));
    }
    let mut total = 0;
    for task in tasks {
        total += task.await.unwrap();
    }
    total
}
