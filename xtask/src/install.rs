//! Getting the tools that a fresh machine lacks, and saying so before doing it.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process;
use crate::workspace::Workspace;

const FETCH_LIMIT: Duration = Duration::from_mins(10);
const LIMIT: Duration = Duration::from_mins(15);
const PROBE_LIMIT: Duration = Duration::from_mins(1);

/// `apt-get update`, once in a run.
static LISTS_UPDATED: Once = Once::new();

/// Makes sure that `cargo {subcommand}` exists, through rustup if need be.
pub(crate) fn rustup_component(workspace: &Workspace, subcommand: &str, component: &str) -> anyhow::Result<()> {
    if answers(workspace.cargo().args([subcommand, "--version"])) {
        return Ok(());
    }
    println!("cargo {subcommand} is missing: rustup component add {component}");
    let added = process::run(Command::new("rustup").args(["component", "add", component]), LIMIT);
    if !added.is_ok_and(|status| status.success()) {
        bail!("please install the Rust component {component} (rustup component add {component})");
    }
    Ok(())
}

/// Finds `program`, after installing `packages` with apt-get if it is missing and we may.
pub(crate) fn program(program: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    if let Some(found) = on_path(program) {
        return Ok(found);
    }
    println!("{program} is missing.");
    apt_get(packages).with_context(|| format!("{program} is needed: please install {}", packages.join(", ")))?;
    on_path(program).with_context(|| format!("installed {}, but {program} is still not on PATH", packages.join(", ")))
}

/// Where a distribution keeps programs that serve, which is on root's path only.
const SERVING: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Finds a program that its Debian package `package` would run as a service of this machine. Where the package has to be
/// installed, no such service is started, now or at the next start of the machine: we run the program ourselves.
pub(crate) fn serving_program(program: &str, package: &str) -> anyhow::Result<PathBuf> {
    let found = || {
        on_path(program)
            .or_else(|| SERVING.iter().map(|folder| Path::new(folder).join(program)).find(|file| is_executable(file)))
    };
    if let Some(found) = found() {
        return Ok(found);
    }
    println!("{program} is missing.");
    {
        let _no_services = NoServices::begin();
        apt_get(&[package]).with_context(|| format!("{program} is needed: please install {package}"))?;
    }
    // The package has set it up to start with the machine, by one way or by two.
    for (tool, arguments) in
        [("update-rc.d", [package, "disable"]), ("systemctl", ["disable", &format!("{package}.service")])]
    {
        _ = process::ask(Command::new(tool).args(arguments), "", PROBE_LIMIT);
    }
    found().with_context(|| format!("installed {package}, but {program} is nowhere"))
}

/// While it lives, packages that are installed start nothing (`invoke-rc.d(8)`, "policy-rc.d"). A policy that the machine has
/// already is left as it is.
struct NoServices(Option<PathBuf>);

impl NoServices {
    fn begin() -> Self {
        let file = PathBuf::from("/usr/sbin/policy-rc.d");
        let mut options = fs::OpenOptions::new();
        let written = options.write(true).create_new(true).mode(0o755).open(&file);
        let is_ours = written.and_then(|mut written| written.write_all(b"#!/bin/sh\nexit 101\n")).is_ok();
        Self(is_ours.then_some(file))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            _ = fs::remove_file(file);
        }
    }
}

/// Makes sure that a C library's headers are here, as `pkg-config` sees it, after installing `packages` if they are not.
pub(crate) fn library(name: &str, packages: &[&str]) -> anyhow::Result<()> {
    let found = || answers(Command::new("pkg-config").args(["--exists", name]));
    if found() {
        return Ok(());
    }
    println!("The headers of {name} are missing.");
    apt_get(packages).with_context(|| format!("{name} is needed: please install {}", packages.join(", ")))?;
    if !found() {
        bail!("installed {}, but pkg-config still does not find {name}", packages.join(", "));
    }
    Ok(())
}

/// Installs Debian packages: only as root, only where apt-get exists.
pub(crate) fn apt_get(packages: &[&str]) -> anyhow::Result<()> {
    if on_path("apt-get").is_none() {
        bail!("there is no apt-get here to do it");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("only root may install packages");
    }
    println!("Installing {} (apt-get).", packages.join(", "));
    LISTS_UPDATED.call_once(|| {
        // A stale package list may still do, so a failure here is left for the install to judge.
        _ = process::run(apt_command().arg("update"), LIMIT);
    });
    let status = process::run(apt_command().args(["install", "--no-install-recommends"]).args(packages), LIMIT)?;
    if !status.success() {
        bail!("apt-get install failed");
    }
    Ok(())
}

fn apt_command() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["--quiet", "--yes", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3"]);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Runs a package manager of another language, whose failure is ours.
pub(crate) fn must_succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = process::run(command, FETCH_LIMIT)?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// A note beside an installation of what was asked for, written last: half an installation has none.
pub(crate) struct Stamp<'a> {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// What was asked for.
    pub(crate) wanted: &'a str,
}

impl Stamp<'_> {
    /// Whether what is installed is what is wanted.
    pub(crate) fn fits(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|installed| installed == self.wanted)
    }

    /// Notes that it is installed.
    pub(crate) fn set(&self) -> anyhow::Result<()> {
        fs::write(&self.file, self.wanted)?;
        Ok(())
    }
}

/// Whether a tool is there and runs.
pub(crate) fn answers(command: &mut Command) -> bool {
    process::ask(command, "", PROBE_LIMIT).is_ok_and(|said| said.status.success())
}

/// Like the shell's `command -v`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_searched() {
        assert!(on_path("sh").is_some_and(|file| file.ends_with("sh")));
        assert_eq!(on_path("no-such-program-here"), None);
    }

    #[test]
    fn a_probe_tells_there_from_not_there() {
        assert!(answers(Command::new("sh").args(["-c", "true"])));
        assert!(!answers(Command::new("sh").args(["-c", "exit 1"])));
        assert!(!answers(&mut Command::new("no-such-program-here")));
    }
}
