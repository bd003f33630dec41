//! Signing keys that are replaced one after the other under load: every token that is good is accepted everywhere, also by a
//! verifier that knows no feed and holds its copy of the key set for as long as it may.

use crate::{
    driver::{http::request, now},
    guarded::Guarded,
    place::{Place, Session, ask},
    service::Service,
};
use anyhow::{Context, bail, ensure};
use counterfoil_jwt::{Algorithm, KeySet, Policy, verify};
use serde_json::Value;
use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::{task::JoinSet, time::sleep};

/// How long a copy of the key set is good here. A second instead of five minutes, so that a hundred rotations fit into
/// minutes; nothing else is different.
const JWKS_MAX_AGE: Duration = Duration::from_secs(1);
const SETTINGS: [(&str, &str); 2] = [("SIGNING__JWKS_MAX_AGE", "1s"), ("REFRESH__RETRY_WINDOW", "1s")];
const CLIENTS: usize = 8;
/// Tokens that a client goes on presenting after it has newer ones.
const OLD_TOKENS: usize = 40;

/// A verifier that knows the key set and nothing else, and asks for it anew only when it must: the oldest cache there may be.
struct PlainVerifier {
    server: SocketAddr,
    keys: KeySet,
    fetched_at: Instant,
    fetches: u64,
}

impl PlainVerifier {
    async fn new(server: SocketAddr) -> anyhow::Result<Self> {
        let mut verifier = Self { server, keys: KeySet::default(), fetched_at: now(), fetches: 0 };
        verifier.fetch().await?;
        Ok(verifier)
    }

    async fn fetch(&mut self) -> anyhow::Result<()> {
        // From the question on, as RFC 9111 §4.2.3 counts the age of an answer.
        self.fetched_at = now();
        let answer = ask(self.server, &request("GET", "/.well-known/jwks.json", None, None)).await?;
        self.keys = KeySet::from_json(&answer.body, Algorithm::EdDsa)?;
        self.fetches += 1;
        Ok(())
    }

    async fn accepts(&mut self, token: &str) -> anyhow::Result<()> {
        if self.fetched_at.elapsed() >= JWKS_MAX_AGE {
            self.fetch().await?;
        }
        let policy = Policy::new(Algorithm::EdDsa).token_type("at+jwt").any_audience();
        let seconds = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
        verify::<Value>(token, &self.keys, &policy, seconds).map(drop).context("the plain verifier refuses")
    }
}

struct Load {
    server: SocketAddr,
    service: SocketAddr,
    over: AtomicBool,
    checks: AtomicU64,
    refreshes: AtomicU64,
}

/// Refreshes, and presents the newest token and older ones everywhere, until it is over.
async fn live(load: Arc<Load>, mut session: Session) -> anyhow::Result<()> {
    let mut plain = PlainVerifier::new(load.server).await?;
    let mut tokens = vec![session.access_token.clone()];
    while !load.over.load(Relaxed) {
        session.refresh(load.server).await?;
        load.refreshes.fetch_add(1, Relaxed);
        tokens.push(session.access_token.clone());
        if tokens.len() > OLD_TOKENS {
            tokens.remove(0);
        }
        for token in tokens.iter().rev().step_by(7) {
            plain.accepts(token).await?;
            for (address, path) in [(load.service, "/closed"), (load.server, "/v1/forward-auth")] {
                let answer = ask(address, &request("GET", path, Some(token), None)).await?;
                ensure!(answer.status == 200, "a good token is refused by {path}: {answer:?}");
            }
            load.checks.fetch_add(3, Relaxed);
        }
        sleep(Duration::from_millis(40)).await;
    }
    Ok(())
}

fn active_key(place: &Place) -> anyhow::Result<String> {
    let listed: Value = serde_json::from_str(&place.command(&["key", "list", "--json"])?)?;
    let keys = listed.get("keys").and_then(Value::as_array).context("no keys")?;
    let is_it = |key: &&Value| key.get("use") == Some(&"sign".into()) && key.get("state") == Some(&"active".into());
    let active = keys.iter().find(is_it).context("no active key")?;
    Ok(active.get("kid").and_then(Value::as_str).context("no kid")?.to_owned())
}

async fn rotations_refuse_nobody(rotations: u64) -> anyhow::Result<()> {
    let place = Place::empty()?.started((Ipv4Addr::LOCALHOST, 0).into(), &SETTINGS)?;
    let service = Service::start(&Guarded::following(&place.issuer()?, "rotating"))?.ready().await?;
    let load = Arc::new(Load {
        server: place.server()?.address(),
        service: service.address(),
        over: AtomicBool::new(false),
        checks: AtomicU64::new(0),
        refreshes: AtomicU64::new(0),
    });
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(live(Arc::clone(&load), Session::sign_up(load.server, number).await?));
    }
    let begun = now();
    for rotation in 1..=rotations {
        let before = active_key(&place)?;
        place.command(&["key", "rotate"])?;
        let announced = now();
        while active_key(&place)? == before {
            if let Some(ended) = clients.try_join_next() {
                ended??;
                bail!("a client ended by itself");
            }
            ensure!(announced.elapsed() < Duration::from_secs(15), "rotation {rotation}: the new key does not sign");
            sleep(Duration::from_millis(50)).await;
        }
        let waited = announced.elapsed();
        ensure!(waited >= JWKS_MAX_AGE, "rotation {rotation}: signed {waited:?} after it was announced");
    }
    load.over.store(true, Relaxed);
    while let Some(client) = clients.join_next().await {
        client??;
    }
    println!(
        "{rotations} rotations in {:?}: {} refreshes, {} checks, 0 good tokens refused",
        begun.elapsed(),
        load.refreshes.load(Relaxed),
        load.checks.load(Relaxed),
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_keys_rotate_no_good_token_is_refused() {
    let rotations = env::var("COUNTERFOIL_ROTATIONS").map_or(3, |text| text.parse().unwrap());
    rotations_refuse_nobody(rotations).await.unwrap();
}
