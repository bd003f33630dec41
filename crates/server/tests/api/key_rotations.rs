//! A hundred rotations in a row while people sign in, refresh and show their tokens: nobody who verifies meets a good token whose
//! key it does not have. One of them reads only the published keys and keeps every copy as long as it may, the last one from
//! the moment before the next key is announced.

use crate::harness::{PUBLIC_URL, Server};
use counterfoil::app::{KeyAdministration, Rotation};
use counterfoil_domain::{
    key::{KeyState, KeyUse},
    time::{Clock, UnixMillis},
};
use counterfoil_jwt::{Algorithm, KeySet, Policy, verify};
use counterfoil_wire::ACCESS_TOKEN_TYPE;
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

const ROTATIONS: usize = 100;
const PEOPLE: usize = 3;
/// Tokens that a person goes on showing, ended or not.
const TOKENS_SHOWN: usize = 12;
const MAX_AGE: Duration = Duration::from_mins(5);
const ANNOUNCED_FOR: Duration = Duration::from_mins(6);
const STEPS: u32 = 12;

/// A verifier in another language, that knows nothing of the feed.
struct PlainVerifier {
    copy: Mutex<(KeySet, UnixMillis)>,
}

impl PlainVerifier {
    async fn fetch(&self, server: &Server) {
        // Its age counts from before it was asked for.
        let fetched_at = server.clock.now();
        let set = server.get("/.well-known/jwks.json").await.expect(200);
        *self.copy.lock() = (KeySet::from_json(set.text(), Algorithm::EdDsa).unwrap(), fetched_at);
    }

    async fn accepts(&self, server: &Server, token: &str) -> Result<(), String> {
        if server.clock.now().since(self.copy.lock().1) >= MAX_AGE {
            self.fetch(server).await;
        }
        let policy =
            Policy::new(Algorithm::EdDsa).issuer(PUBLIC_URL).audience(PUBLIC_URL).token_type(ACCESS_TOKEN_TYPE);
        let now = u64::try_from(server.clock.now().as_seconds()).unwrap();
        let verified = verify::<Value>(token, &self.copy.lock().0, &policy.leeway_seconds(5), now);
        verified.map(drop).map_err(|error| format!("plain: {error}"))
    }
}

/// What was done, and what went wrong.
#[derive(Default)]
struct Tally {
    shown: AtomicUsize,
    refreshed: AtomicUsize,
    signed_in: AtomicUsize,
    wrong: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

async fn show(server: &Server, plain: &PlainVerifier, tally: &Tally, token: &str, ends_at: UnixMillis) {
    let mut refusals = Vec::new();
    let guarded = server.with_token("GET", "/guarded", token).await;
    if guarded.status != 200 {
        refusals.push(format!("server: {} {}", guarded.status, guarded.text()));
    }
    if let Err(rejection) = server.counterfoil().guard().authenticate_token(token) {
        refusals.push(format!("guard: {}", rejection.code()));
    }
    refusals.extend(plain.accepts(server, token).await.err());
    // It was good all the while: time only goes on.
    if server.clock.now() < ends_at {
        tally.shown.fetch_add(1, Relaxed);
        tally.wrong.lock().extend(refusals);
    }
}

/// Somebody who refreshes again and again, signs in anew now and then, and shows what they have been given.
async fn person(server: Arc<Server>, plain: Arc<PlainVerifier>, tally: Arc<Tally>, number: usize) {
    let email = format!("person{number}@example.com");
    let mut tokens = server.sign_up(&email).await;
    let mut given = VecDeque::new();
    for turn in 1.. {
        if tally.is_over.load(Relaxed) {
            return;
        }
        let asked_at = server.clock.now();
        if turn % 40 == 0 {
            tokens = server.sign_in(&email).await;
            tally.signed_in.fetch_add(1, Relaxed);
        } else {
            let answer = server.refresh(&tokens.refresh).await;
            match answer.status {
                200 => tokens = answer.tokens(),
                // The clock went on by more than a client waits, while the request was on its way: asked again.
                503 => continue,
                status => tally.wrong.lock().push(format!("refresh: {status} {}", answer.text())),
            }
            tally.refreshed.fetch_add(1, Relaxed);
        }
        given.push_front((tokens.access.clone(), asked_at.plus(Duration::from_mins(30))));
        given.truncate(TOKENS_SHOWN);
        for (token, ends_at) in &given {
            show(&server, &plain, &tally, token, *ends_at).await;
        }
    }
}

async fn kid_that_signs(server: &Server) -> String {
    let keys = server.store().keys().await.unwrap();
    let signs = keys.into_iter().find(|key| key.key_use == KeyUse::Sign && key.state == KeyState::Active);
    signs.unwrap().kid
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_rotations_refuse_no_good_token() {
    let server = Server::start_with(|config| {
        config.signing.jwks_max_age = MAX_AGE.into();
        // So that keys are retired while the others come.
        config.tracked.lifetime = Duration::from_mins(30).into();
    });
    let server = Arc::new(server.await);
    let (app, tally) = (server.counterfoil().app().clone(), Arc::<Tally>::default());
    let plain = PlainVerifier { copy: Mutex::new((KeySet::default(), UnixMillis::from_millis(0))) };
    let plain = Arc::new(plain);
    let people: Vec<_> = (0..PEOPLE)
        .map(|number| tokio::spawn(person(Arc::clone(&server), Arc::clone(&plain), Arc::clone(&tally), number)))
        .collect();
    let operator: KeyAdministration = app.key_administration();
    for number in 0..ROTATIONS {
        plain.fetch(&server).await;
        let (rotation, _) = operator.rotate(server.clock.now(), false).await.unwrap();
        let Rotation::Announced { kid, .. } = rotation else { panic!("rotation {number}: {rotation:?}") };
        for _ in 0..STEPS {
            // As often as the server itself does it, with time for others in between.
            app.follow_feed().await.unwrap();
            app.tend_keys().await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
            server.clock.advance(ANNOUNCED_FOR / STEPS);
        }
        app.tend_keys().await.unwrap();
        assert_eq!(kid_that_signs(&server).await, kid, "rotation {number}");
    }
    tally.is_over.store(true, Relaxed);
    for person in people {
        person.await.unwrap();
    }
    let count = |counter: &AtomicUsize| counter.load(Relaxed);
    let wrong = tally.wrong.lock().clone();
    let (shown, refreshed, signed_in) = (count(&tally.shown), count(&tally.refreshed), count(&tally.signed_in));
    println!("{ROTATIONS} rotations: {shown} times three verifiers, {refreshed} refreshes, {signed_in} sign-ins");
    assert!(wrong.is_empty(), "{} refused, the first: {:?}", wrong.len(), wrong.first());
    assert!(shown > ROTATIONS && refreshed > ROTATIONS, "the load was too small to mean anything");
    let keys = server.store().keys().await.unwrap();
    let count = |state| keys.iter().filter(|key| key.key_use == KeyUse::Sign && key.state == state).count();
    assert_eq!(count(KeyState::Active), 1);
    assert!(count(KeyState::Retired) > ROTATIONS / 2, "{} retired", count(KeyState::Retired));
}
