//! Gateways: do nginx, `HAProxy` and Caddy, with the files of `examples/gateways`, let in whom the server knows and nobody else?
//!
//! What is asked is told in `examples/gateways/README.md`. Each gateway is run with its own server and its own service behind
//! it, all on free ports, and asked as a client would, and as no client should.

mod attacks;
mod checks;
mod faults;
mod http;
mod linux;
mod outage;
mod parts;
mod question;
mod world;

use crate::cases::Cases;
use crate::process;
use crate::server;
use crate::tally::Tally;
use crate::test::Options;
use crate::workspace::Workspace;
use faults::Fault;
use parts::Kind;
use world::{Places, World};

/// Runs all checks and counts them.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<Tally> {
    let binary = server::binary(workspace, options)?;
    let examples = workspace.root.join("examples/gateways");
    let fault = Fault::wanted()?;
    let mut cases = Cases::default();
    // A fault is in one gateway's file; the other has nothing to tell of it.
    for kind in Kind::ALL.into_iter().filter(|kind| fault.is_none_or(|fault| kind.files().contains(&fault.file))) {
        println!("\n{kind}");
        let folder = workspace.empty_folder(&format!("gateways/run/{kind}"))?;
        let places = Places { binary: &binary, examples: &examples, folder };
        if let Err(error) = play(kind, places, fault, &mut cases) {
            cases.note("the checks can be made", Err(error));
        }
        if process::interrupted() {
            break;
        }
    }
    Ok(cases.tally)
}

fn play(kind: Kind, places: Places<'_>, fault: Option<Fault>, cases: &mut Cases) -> anyhow::Result<()> {
    let mut world = World::start(kind, places, fault)?;
    for (case, check) in checks::CHECKS.iter().chain(attacks::CHECKS) {
        world.service.paths_seen()?;
        cases.note(case, check(&world));
        if process::interrupted() {
            return world.stop();
        }
    }
    outage::play(&mut world, cases)?;
    world.stop()
}
