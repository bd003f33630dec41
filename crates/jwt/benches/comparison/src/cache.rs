//! The guard's cache of verified tokens: what a request costs whose token has been seen before.
//!
//! A hit is measured whole, as a request pays it: clock, hash, comparison of all bytes, `exp`, `nbf`, revocation. Tokens are
//! asked for in random order, each as a text of its own: with many of them, the presented text comes from memory as well.

use crate::{
    material::{AUDIENCE, ISSUER, KEY_ID, TYPE, now_unix_seconds, policy},
    race::{Contestant, Outcome, run},
};
use anyhow::{anyhow, bail};
use counterfoil_domain::{
    entropy::Entropy,
    id::{AccountId, FeedEntryId, SessionId, TokenId},
    revocation::{FeedEntry, FeedHead, LEDGER_ENTRIES_MAX, Revocation, RevocationDraft},
    time::{Clock, UnixMillis},
};
use counterfoil_guard::{Guard, GuardOptions, Revocations};
use counterfoil_jwt::{Algorithm, KeyId, KeySet, Signer, SigningKey};
use counterfoil_wire::AccessClaims;
use http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use std::{
    hint::black_box,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Room for the largest crowd twice over: a set of four that five want is rare then.
const VERIFIED_TOKENS_MAX: usize = 262_144;
/// Sign-outs that arrive in a second, in the measurement that has some.
const REVOCATIONS_PER_SECOND: u32 = 1_000;

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Ids that differ, and that anybody could foresee.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        // Spread out (a multiplication by an odd number is one to one), as random ids are.
        let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (byte, value) in bytes.iter_mut().zip(number.to_le_bytes().into_iter().cycle()) {
            *byte = value;
        }
    }
}

struct Bench {
    key: SigningKey,
    entropy: Counting,
    /// In the order in which they are asked for.
    tokens: Vec<String>,
}

/// A guard that has verified some tokens, and those tokens.
struct Warm {
    guard: Guard,
    revocations: Arc<Revocations>,
    tokens: Arc<[String]>,
}

impl Bench {
    fn new(tokens: usize) -> anyhow::Result<Self> {
        let key = SigningKey::generate(Algorithm::EdDsa)?.with_key_id(KeyId::new(KEY_ID)?);
        let mut bench = Self { key, entropy: Counting::default(), tokens: Vec::new() };
        bench.tokens = (0..tokens).map(|_| bench.token()).collect::<anyhow::Result<_>>()?;
        Ok(bench)
    }

    /// As the server mints it.
    fn token(&self) -> anyhow::Result<String> {
        let (at, now) = (SystemClock.now(), now_unix_seconds());
        let claims = AccessClaims {
            iss: ISSUER.into(),
            sub: AccountId::generate(at, &self.entropy).to_string().into(),
            aud: AUDIENCE.into(),
            exp: now + 1800,
            iat: now - 5,
            nbf: now - 5,
            jti: TokenId::generate(at, &self.entropy).to_string().into(),
            client_id: "web".into(),
            scope: "profile orders:read orders:write".into(),
            sid: SessionId::generate(at, &self.entropy).to_string().into(),
            generation: 1,
            auth_time: now - 5,
            amr: vec!["pwd".into()],
            policy: None,
            roles: Vec::new(),
        };
        Ok(Signer::new(&self.key).token_type(TYPE).sign(&claims)?)
    }

    fn guard(&self, verified_tokens_max: usize) -> (Guard, Arc<Revocations>) {
        let revocations = Arc::new(Revocations::new());
        revocations.take_snapshot(FeedHead::default(), std::time::Duration::ZERO, std::time::Duration::ZERO);
        let keys = KeySet::from_iter([self.key.verifying_key().clone()]);
        let (policy, clock) = (policy(Algorithm::EdDsa), Arc::new(SystemClock));
        let options = GuardOptions { verified_tokens_max, ..GuardOptions::default() };
        let guard = Guard::with_options(policy, keys, Arc::clone(&revocations), clock, options);
        (guard, revocations)
    }

    /// A guard of its own for the first so many tokens.
    fn warm(&self, tokens: usize) -> anyhow::Result<Warm> {
        let (guard, revocations) = self.guard(VERIFIED_TOKENS_MAX);
        let tokens: Arc<[String]> = self.tokens[..tokens].into();
        for token in &*tokens {
            guard.authenticate_token(token).map_err(|refusal| anyhow!("{refusal}"))?;
        }
        Ok(Warm { guard, revocations, tokens })
    }

    /// Somebody's sign-out: none of the tokens'.
    fn revocation(&self) -> RevocationDraft {
        let at = SystemClock.now();
        RevocationDraft {
            id: FeedEntryId::generate(at, &self.entropy),
            at,
            drop_at: UnixMillis::from_millis(i64::MAX),
            revocation: Revocation::Session(SessionId::generate(at, &self.entropy)),
        }
    }
}

impl Warm {
    /// Asks for one token after the other.
    fn asking(self, name: &'static str) -> Contestant {
        let mut next = 0;
        Contestant::new(name, move || {
            next = if next + 1 < self.tokens.len() { next + 1 } else { 0 };
            ask(&self.guard, &self.tokens[next])
        })
    }

    /// The same out of a request's header.
    fn asking_with_headers(self, name: &'static str) -> anyhow::Result<Contestant> {
        let as_header = |token: &String| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))?);
            anyhow::Ok(headers)
        };
        let headers = self.tokens.iter().map(as_header).collect::<anyhow::Result<Vec<_>>>()?;
        let mut next = 0;
        Ok(Contestant::new(name, move || {
            next = if next + 1 < headers.len() { next + 1 } else { 0 };
            // Nothing is looked up for such a token, so one step is all there is, and no runtime is measured.
            let asked = pin!(self.guard.authenticate(black_box(&Method::GET), black_box(&headers[next])));
            let Poll::Ready(verdict) = asked.poll(&mut Context::from_waker(Waker::noop())) else {
                bail!("the guard waits for something")
            };
            black_box(verdict.map_err(|refusal| anyhow!("{refusal}"))?);
            Ok(())
        }))
    }

    /// The same while another thread does something to the guard, in this contestant's turns only.
    fn asking_while(
        self,
        name: &'static str,
        other: impl FnMut(&Guard, &[String], &Revocations) + Send + 'static,
    ) -> Contestant {
        let neighbour = Neighbour::new(&self, other);
        let mut asking = self.asking(name);
        Contestant::measuring_itself(name, move |times| neighbour.during(|| asking.measure(times)))
    }
}

fn ask(guard: &Guard, token: &str) -> anyhow::Result<()> {
    black_box(guard.authenticate_token(black_box(token)).map_err(|refusal| anyhow!("{refusal}"))?);
    Ok(())
}

/// A thread that works when told to, and sleeps otherwise. It ends with the program.
struct Neighbour {
    thread: thread::Thread,
    is_wanted: Arc<AtomicBool>,
    is_at_work: Arc<AtomicBool>,
}

impl Neighbour {
    fn new(warm: &Warm, mut work: impl FnMut(&Guard, &[String], &Revocations) + Send + 'static) -> Self {
        let (guard, tokens, revocations) =
            (warm.guard.clone(), Arc::clone(&warm.tokens), Arc::clone(&warm.revocations));
        let (is_wanted, is_at_work) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (wanted, at_work) = (Arc::clone(&is_wanted), Arc::clone(&is_at_work));
        let thread = thread::spawn(move || {
            loop {
                while wanted.load(Ordering::Acquire) {
                    work(&guard, &tokens, &revocations);
                    at_work.store(true, Ordering::Release);
                }
                at_work.store(false, Ordering::Release);
                thread::park();
            }
        });
        Self { thread: thread.thread().clone(), is_wanted, is_at_work }
    }

    fn during<T>(&self, task: impl FnOnce() -> T) -> T {
        self.is_wanted.store(true, Ordering::Release);
        self.thread.unpark();
        self.wait_until_at_work(true);
        let done = task();
        self.is_wanted.store(false, Ordering::Release);
        self.wait_until_at_work(false);
        done
    }

    fn wait_until_at_work(&self, at_work: bool) {
        while self.is_at_work.load(Ordering::Acquire) != at_work {
            thread::yield_now();
        }
    }
}

/// The first contestant verifies each time: the others are what the cache makes of that.
pub fn race(rounds: usize) -> anyhow::Result<Vec<Outcome>> {
    let bench = Arc::new(Bench::new(100_000)?);
    let (forgetful, _) = bench.guard(0);
    let mut next = 0;
    let verifying = {
        let bench = Arc::clone(&bench);
        Contestant::new("signature checked each time", move || {
            next = (next + 1) % 1_000;
            ask(&forgetful, &bench.tokens[next])
        })
    };

    let many_revoked = bench.warm(1_000)?;
    let entries: Vec<_> = (0..LEDGER_ENTRIES_MAX - 1).map(|_| bench.revocation()).collect();
    many_revoked.revocations.apply(&entries);
    drop(entries);

    let mut last = Instant::now();
    let minting = Arc::clone(&bench);
    let sign_outs = move |_: &Guard, _: &[String], revocations: &Revocations| {
        if last.elapsed() * REVOCATIONS_PER_SECOND >= Duration::from_secs(1) {
            last = Instant::now();
            revocations.apply(&[minting.revocation()]);
        }
    };
    let read_along = |guard: &Guard, tokens: &[String], _: &Revocations| {
        for token in tokens.iter().take(64) {
            _ = black_box(guard.authenticate_token(token));
        }
    };
    run(
        vec![
            verifying,
            bench.warm(1)?.asking("hit, 1 token"),
            bench.warm(1)?.asking_while("hit, 1 token, a second core reads the same", read_along),
            bench.warm(1_000)?.asking("hit, 1,000 tokens"),
            bench.warm(1_000)?.asking_while("hit, 1,000 tokens, a second core reads among them", read_along),
            bench.warm(1_000)?.asking_with_headers("hit, 1,000 tokens, from the request's header")?,
            many_revoked.asking("hit, 1,000 tokens, 1,000,000 revocations held"),
            bench.warm(1_000)?.asking_while("hit, 1,000 tokens, 1,000 revocations a second", sign_outs),
            bench.warm(100_000)?.asking("hit, 100,000 tokens"),
        ],
        rounds,
    )
}
