//! How long the server takes to be ready, and what it is content with when there is nothing to do.

use crate::{
    driver::{
        child::{Server, program},
        fill::fill,
        http::{Connection, request},
        now,
    },
    load::runtime,
    machine::memory,
    options::{Options, Part},
    report::{Report, Target, Unit, megabytes},
};
use std::{fs, net::Ipv4Addr, path::Path, thread::sleep, time::Duration};
use tokio::runtime::Runtime;

pub(crate) fn run(options: &Options, data: &Path, report: &mut Report) -> anyhow::Result<()> {
    let runtime = runtime()?;
    fill(data, options.sessions())?;
    let (orderly_starts, abrupt_starts, idle) =
        if options.is_brief() { (2, 1, Duration::from_millis(200)) } else { (20, 10, Duration::from_secs(10)) };

    // All processors: that is how people start it.
    let (after_stop, after_kill, at_once, later) = report.pins().on_all(|| {
        // The first start makes what is missing; it is not counted.
        start(&runtime, data)?.0.stop()?;
        let (mut after_stop, mut after_kill) = (Vec::new(), Vec::new());
        for _ in 0..orderly_starts {
            let (server, milliseconds) = start(&runtime, data)?;
            after_stop.push(milliseconds);
            server.stop()?;
        }
        for _ in 0..abrupt_starts {
            start(&runtime, data)?.0.kill()?;
            let (server, milliseconds) = start(&runtime, data)?;
            after_kill.push(milliseconds);
            server.stop()?;
        }
        let (server, _) = start(&runtime, data)?;
        let at_once = memory(server.id())?;
        sleep(idle);
        let later = memory(server.id())?;
        server.stop()?;
        Ok((after_stop, after_kill, at_once, later))
    })?;

    let mut add = |name: &str, unit, values: &[f64], target| report.add(Part::StartUp, name, unit, values, target);
    add("start to first 200 of /readyz", Unit::Milliseconds, &after_stop, Target::AtMost(50.0));
    add("the same after kill -9", Unit::Milliseconds, &after_kill, Target::None);
    add("resident memory when ready", Unit::Megabytes, &[megabytes(at_once.resident)], Target::AtMost(20.0));
    add("resident memory after idling", Unit::Megabytes, &[megabytes(later.resident)], Target::AtMost(20.0));
    add("proportional memory after idling", Unit::Megabytes, &[megabytes(later.proportional)], Target::None);
    let binary = fs::metadata(program())?.len();
    add("size of the binary", Unit::Megabytes, &[megabytes(binary)], Target::AtMost(25.0));
    Ok(())
}

/// Starts the server; how many milliseconds until it was ready.
fn start(runtime: &Runtime, data: &Path) -> anyhow::Result<(Server, f64)> {
    let ready = request("GET", "/readyz", None, None);
    let begins = now();
    let server = Server::start(data, (Ipv4Addr::LOCALHOST, 0).into(), &[])?;
    runtime.block_on(async {
        let mut connection = Connection::open(server.address()).await?;
        while connection.exchange(&ready).await?.status != 200 {}
        anyhow::Ok(())
    })?;
    Ok((server, begins.elapsed().as_secs_f64() * 1000.0))
}
