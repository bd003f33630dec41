//! A million living entries: what they cost a guard in memory, at its start, and at each request.

use crate::{
    driver::{
        child::Server,
        fill::fill,
        http::{Connection, request},
        now,
    },
    guarded::Guarded,
    load::{repeat, runtime},
    machine::memory,
    options::{Options, Part},
    report::{Report, Target, Unit, megabytes},
    sessions::access_token,
    sign_out::{connect, guarded, milliseconds_since, until_ready},
    verification::CONNECTIONS,
};
use anyhow::Context;
use counterfoil::{
    Config,
    startup::open_store,
    system::{OsEntropy, SystemClock},
};
use counterfoil_domain::{
    event::{EventKind, Occasion},
    id::{AccountId, SessionId},
    revocation::{Revocation, RevocationDraft},
    store::Store,
    time::{Clock, UnixMillis},
};
use std::{net::Ipv4Addr, path::Path, sync::Arc, thread::sleep, time::Duration};

/// By then what was needed to load them has been given back.
const SETTLED_AFTER: Duration = Duration::from_secs(3);
/// So many are written at a time.
const BATCH: usize = 10_000;
/// Longer than the measurement.
const LIVE_FOR: Duration = Duration::from_hours(1);

pub(crate) fn run(options: &Options, data: &Path, report: &mut Report) -> anyhow::Result<()> {
    let entries = if options.is_brief() { 5_000 } else { 990_000 };
    let runtime = runtime()?;
    let refresh_token = fill(data, 512)?.pop().context("no session")?;
    let server = Server::start(data, (Ipv4Addr::LOCALHOST, 0).into(), &[])?;
    let issuer = format!("http://{}", server.address());
    let token = runtime.block_on(async {
        let mut connection = Connection::open(server.address()).await?;
        access_token(&mut connection, &refresh_token).await
    })?;
    let pins = report.pins();

    let few = pins.start(|| Guarded::following(&issuer, "few").start(guarded()?))?;
    runtime.block_on(async { until_ready(&connect(&few).await?).await })?;
    let memory_with_few = memory(few.id())?.resident;
    let with_few = against_bare(options, &runtime, &few, &token, "no entry", report)?;
    drop(few);

    runtime.block_on(write(data, entries))?;
    let (mut ready, mut held, mut peak) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        let begun = now();
        let many = pins.on_all(|| Guarded::following(&issuer, "many").start(guarded()?))?;
        runtime.block_on(async { until_ready(&connect(&many).await?).await })?;
        ready.push(milliseconds_since(begun));
        sleep(SETTLED_AFTER);
        let memory = memory(many.id())?;
        held.push(megabytes(memory.resident.saturating_sub(memory_with_few)));
        peak.push(megabytes(memory.peak.saturating_sub(memory_with_few)));
    }
    let part = Part::LiveEntries;
    let name = |what: &str| format!("{entries} entries: {what}");
    report.add(part, name("start to ready"), Unit::Milliseconds, &ready, Target::AtMost(3_000.0));
    report.add(part, name("memory they take"), Unit::Megabytes, &held, Target::AtMost(80.0));
    report.add(part, name("the most while loading"), Unit::Megabytes, &peak, Target::None);

    let many = pins.start(|| Guarded::following(&issuer, "many").start(guarded()?))?;
    runtime.block_on(async { until_ready(&connect(&many).await?).await })?;
    let with_many = against_bare(options, &runtime, &many, &token, &format!("{entries} entries"), report)?;
    let ratios: Vec<f64> = with_many.iter().zip(&with_few).map(|(many, few)| many / few).collect();
    report.add(part, name("server time of a request, to that with none"), Unit::Ratio, &ratios, Target::AtMost(1.05));
    drop(many);
    server.stop()
}

/// A handler behind the guard and the same without it, in turns. How long each guarded request took of the process.
fn against_bare(
    options: &Options,
    runtime: &tokio::runtime::Runtime,
    service: &Server,
    token: &str,
    what: &str,
    report: &mut Report,
) -> anyhow::Result<Vec<f64>> {
    let of = |path: &str| -> Arc<[u8]> { request("GET", path, Some(token), None).into() };
    let (bare, behind) = (of("/bare"), of("/"));
    let (mut ratios, mut rates, mut each) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        let bare = runtime.block_on(repeat(service, &bare, CONNECTIONS, options.duration()))?;
        let behind = runtime.block_on(repeat(service, &behind, CONNECTIONS, options.duration()))?;
        ratios.push(behind.rate / bare.rate);
        rates.push(behind.rate);
        each.push(behind.microseconds_each());
    }
    report.add(Part::LiveEntries, format!("behind the guard, {what}"), Unit::PerSecond, &rates, Target::None);
    let name = format!("behind the guard ÷ the same handler without it, {what}");
    report.add(Part::LiveEntries, name, Unit::Ratio, &ratios, Target::AtLeast(0.90));
    Ok(each)
}

/// Writes entries into the store of a running server, as another process would.
async fn write(data: &Path, entries: usize) -> anyhow::Result<()> {
    let config = Config { data: data.to_owned(), ..Config::default() };
    let store = open_store(&config, Arc::new(SystemClock))?;
    let now = SystemClock.now();
    let occasion = Occasion { now, ip: None, entropy: &OsEntropy };
    let draft = || {
        let revocation = Revocation::Session(SessionId::generate(now, &OsEntropy));
        RevocationDraft::new(revocation, now, LIVE_FOR, &OsEntropy)
    };
    for begin in (0..entries).step_by(BATCH) {
        let drafts = (begin..entries.min(begin + BATCH)).map(|_| draft()).collect();
        // A cutoff in the past ends nobody's session.
        let event = occasion.event(EventKind::EverybodySignedOut, AccountId::from_bytes([0; 16]), None);
        store.raise_session_cutoff(UnixMillis::from_millis(0), drafts, event).await?;
    }
    Ok(())
}
