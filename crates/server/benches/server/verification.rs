//! Requests that carry an access token, against a handler that returns a constant.

use crate::{
    ceiling,
    driver::{
        child::Server,
        fill::fill,
        http::{Connection, request},
    },
    load::{repeat, runtime},
    options::{CeilingKind, Options, Part},
    report::{Report, Target, Unit},
    sessions::access_token,
};
use anyhow::Context;
use std::{net::Ipv4Addr, path::Path, sync::Arc};

/// As many as the comparisons with other servers used.
pub(crate) const CONNECTIONS: usize = 32;

struct Contender<'s> {
    name: &'static str,
    server: &'s Server,
    request: Arc<[u8]>,
    /// The least share of the ceiling.
    target: Target,
    rates: Vec<f64>,
    ratios: Vec<f64>,
    microseconds: Vec<f64>,
}

pub(crate) fn run(options: &Options, data: &Path, report: &mut Report) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let token = fill(data, options.sessions())?.pop().context("no session")?;
    let pins = report.pins();
    let server = pins.start(|| Server::start(data, (Ipv4Addr::LOCALHOST, 0).into(), &[]))?;
    let bare = pins.start(|| ceiling::start(CeilingKind::Counterfoil))?;
    let axum = pins.start(|| ceiling::start(CeilingKind::Axum))?;
    let token = runtime.block_on(async {
        let mut connection = Connection::open(server.address()).await?;
        access_token(&mut connection, &token).await
    })?;

    let contender = |name, server, path, bearer, target| Contender {
        name,
        server,
        request: request("GET", path, bearer, None).into(),
        target,
        rates: Vec::new(),
        ratios: Vec::new(),
        microseconds: Vec::new(),
    };
    let bearer = Some(token.as_str());
    let mut contenders = [
        contender("bare handler, our connection loop (the ceiling)", &bare, "/", None, Target::None),
        contender("bare handler, axum::serve", &axum, "/", None, Target::None),
        contender("bare handler, a token sent along", &bare, "/", bearer, Target::None),
        contender("/healthz, all layers and no token", &server, "/healthz", None, Target::None),
        contender("/v1/forward-auth", &server, "/v1/forward-auth", bearer, Target::AtLeast(0.90)),
        contender("/v1/account, one row", &server, "/v1/account", bearer, Target::AtLeast(0.40)),
    ];
    for round in 1..=options.rounds() {
        let mut ceiling = f64::NAN;
        for contender in &mut contenders {
            let tally = repeat(contender.server, &contender.request, CONNECTIONS, options.duration());
            let mut tally = runtime.block_on(tally)?;
            // The first of each round is the ceiling.
            if ceiling.is_nan() {
                ceiling = tally.rate;
            }
            contender.rates.push(tally.rate);
            contender.ratios.push(tally.rate / ceiling);
            contender.microseconds.push(tally.microseconds_each());
            println!(
                "  round {round}: {:<50} {:>8.0}/s  {:.3} of the ceiling, p99 {:.2} ms, {:.1} µs of the server each",
                contender.name,
                tally.rate,
                tally.rate / ceiling,
                tally.latencies.percentile_ms(990),
                tally.microseconds_each(),
            );
        }
    }
    for contender in &contenders {
        report.add(Part::Verification, contender.name, Unit::PerSecond, &contender.rates, Target::None);
    }
    for contender in contenders.iter().skip(1) {
        let name = format!("{} ÷ ceiling", contender.name);
        report.add(Part::Verification, name, Unit::Ratio, &contender.ratios, contender.target);
    }
    for contender in &contenders {
        let name = format!("{}: server time each", contender.name);
        report.add(Part::Verification, name, Unit::Microseconds, &contender.microseconds, Target::None);
    }
    server.stop()
}
