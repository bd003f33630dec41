//! `cargo xtask audit`: what do we build upon, may we, and is something known to be wrong with it?
//!
//! The rules and their reasons are in `deny.toml`; the judge is cargo-deny.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{install, process};

/// Pinned, so that a new release of the judge cannot turn a green run red by itself.
const CARGO_DENY_VERSION: &str = "0.20.2";

const INSTALL_LIMIT: Duration = Duration::from_hours(1);
const CHECK_LIMIT: Duration = Duration::from_mins(15);
/// The advisory database is a git repository of some megabytes: a network that needs longer is as good as none.
const FETCH_LIMIT: Duration = Duration::from_mins(3);

/// Runs the checks; `Ok(true)` when none found fault.
pub(crate) fn run() -> anyhow::Result<bool> {
    let workspace = Workspace::find()?;
    let deny = find_or_install(&workspace)?;
    let mut total = Tally::default();

    println!("\n━━ bans, licenses, sources: may we build upon these crates? (deny.toml)");
    let mut command = deny_command(&deny, &workspace);
    command.args(["check", "bans", "licenses", "sources"]);
    total += Tally::one(process::run(&mut command, CHECK_LIMIT)?.success());

    println!("\n━━ advisories: is a vulnerability known in one of them?");
    let advisories = advisories(&deny, &workspace)?;
    total += advisories.unwrap_or_default();

    println!();
    if advisories.is_none() {
        println!("Advisories were NOT checked: the advisory database could not be fetched. The other checks stand.");
    }
    println!("{total}");
    Ok(total.failed == 0)
}

/// `None` where the database is out of reach: no answer is not the same as a good one, nor a bad one.
fn advisories(deny: &Path, workspace: &Workspace) -> anyhow::Result<Option<Tally>> {
    let fetched = process::run(deny_command(deny, workspace).args(["fetch", "db"]), FETCH_LIMIT);
    if process::interrupted() {
        bail!("interrupted");
    }
    if !fetched.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let mut command = deny_command(deny, workspace);
    command.args(["check", "--disable-fetch", "advisories"]);
    Ok(Some(Tally::one(process::run(&mut command, CHECK_LIMIT)?.success())))
}

/// cargo-deny over the whole workspace with every feature on: what could be built, not only what usually is.
fn deny_command(deny: &Path, workspace: &Workspace) -> Command {
    let mut command = Command::new(deny);
    command.current_dir(&workspace.root).args(["--workspace", "--all-features"]);
    command
}

fn find_or_install(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    if let Some(found) = install::on_path("cargo-deny") {
        return Ok(found);
    }
    let tools = workspace.target.join("tools");
    let own = tools.join("bin/cargo-deny");
    if is_pinned_version(&own) {
        return Ok(own);
    }
    println!("cargo-deny is missing: building version {CARGO_DENY_VERSION} once (some minutes).");
    let mut command = workspace.cargo();
    command.args(["install", "cargo-deny", "--locked", "--force", "--version", CARGO_DENY_VERSION, "--root"]);
    let status = process::run(command.arg(&tools), INSTALL_LIMIT).context("installing cargo-deny")?;
    if !status.success() {
        bail!("cargo install cargo-deny failed; install it by hand, on PATH, and try again");
    }
    Ok(own)
}

fn is_pinned_version(deny: &Path) -> bool {
    process::ask(Command::new(deny).arg("--version"), "", Duration::from_secs(30))
        .is_ok_and(|said| said.status.success() && said.stdout.trim().ends_with(CARGO_DENY_VERSION))
}
