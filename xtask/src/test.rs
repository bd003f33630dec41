//! `cargo xtask test`: everything that must hold before a change goes in.
//!
//! Every step runs even when an earlier one failed: whoever waited for the machine wants the whole list at once.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::tally::{Tally, TestLog};
use crate::workspace::Workspace;
use crate::{browser, gateways, install, interop, process, tidy};

/// A limit that only a hanging step reaches, also when a slow machine builds everything for the first time.
const BUILD_LIMIT: Duration = Duration::from_hours(1);
const TESTS_LIMIT: Duration = Duration::from_mins(90);
const FORMAT_LIMIT: Duration = Duration::from_mins(5);

/// Workspaces of their own, beside ours. Here only their form is looked at: what they are built upon takes minutes to
/// compile and is not on every machine. `cargo xtask fuzz`, `cargo bench` and the step `peers` build them.
const OUTSIDE: [&str; 3] = ["fuzz/Cargo.toml", "crates/jwt/benches/comparison/Cargo.toml", PEERS];
const PEERS: &str = "crates/jwt/differential/Cargo.toml";

/// The steps, in the order in which they run: the quick answers first.
const STEPS: [Step; 9] = [
    Step { name: "fmt", about: "is every Rust file formatted?", run: format },
    Step { name: "clippy", about: "does the linter have anything to say?", run: clippy },
    Step { name: "tests", about: "all Rust tests, documentation examples included", run: tests },
    Step { name: "doc", about: "does the documentation build without a warning?", run: documentation },
    Step {
        name: "tidy",
        about: "house rules: file sizes, leftovers, why-comments, machine paths, links",
        run: tidiness,
    },
    Step { name: "peers", about: "do other Rust JOSE libraries come to the verdicts that they should?", run: peers },
    Step { name: "interop", about: "do other people's JOSE libraries agree with a running server?", run: interop::run },
    Step { name: "browser", about: "does a real browser keep the cookies as it should?", run: browser::run },
    Step { name: "gateways", about: "do nginx, HAProxy and Caddy let in whom they should?", run: gateways::run },
];

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &Options) -> anyhow::Result<Tally>,
}

/// What the command line asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    only: Vec<String>,
    /// Interop, browser, gateways: judge this binary instead of building one.
    pub(crate) server: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments after `test`.
    pub(crate) fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            let (name, inline) = argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value)));
            let mut value = || inline.or_else(|| arguments.next()).with_context(|| format!("`{name}` needs a value"));
            match name {
                "--only" => options.only.push(known_step(value()?)?),
                "--server" => options.server = Some(PathBuf::from(value()?)),
                _ => bail!("`test` knows --only and --server, not `{argument}`"),
            }
        }
        Ok(options)
    }

    fn wants(&self, step: &Step) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == step.name)
    }
}

fn known_step(name: &str) -> anyhow::Result<String> {
    if STEPS.iter().any(|step| step.name == name) {
        return Ok(name.to_owned());
    }
    bail!("no step is called `{name}`; there are {}", STEPS.map(|step| step.name).join(", "))
}

/// Runs the steps, then sums up. `Ok(true)` when nothing failed.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let workspace = Workspace::find()?;
    let mut total = Tally::default();
    let mut summary = Vec::new();
    for step in STEPS.iter().filter(|step| options.wants(step)) {
        println!("\n━━ {}: {}", step.name, step.about);
        let started = process::now();
        let tally = (step.run)(&workspace, options).unwrap_or_else(|error| {
            println!("{}: {error:#}", step.name);
            Tally::one(false)
        });
        if process::interrupted() {
            bail!("interrupted during {}", step.name);
        }
        total += tally;
        let mark = if tally.failed == 0 { "ok" } else { "FAILED" };
        let seconds = started.elapsed().as_secs_f64();
        let line = format!("  {mark:<7} {:<8} {tally} ({seconds:.1} s)", step.name);
        println!("{line}");
        summary.push(line);
    }
    println!("\n━━ summary\n{}\n", summary.join("\n"));
    println!("{total}");
    Ok(total.failed == 0)
}

fn format(workspace: &Workspace, _: &Options) -> anyhow::Result<Tally> {
    install::rustup_component(workspace, "fmt", "rustfmt")?;
    let mut tally = one_check(workspace.cargo().args(["fmt", "--all", "--check"]), FORMAT_LIMIT)?;
    for manifest in OUTSIDE {
        let mut command = workspace.cargo();
        tally += one_check(command.args(["fmt", "--check", "--manifest-path", manifest]), FORMAT_LIMIT)?;
    }
    Ok(tally)
}

fn clippy(workspace: &Workspace, _: &Options) -> anyhow::Result<Tally> {
    install::rustup_component(workspace, "clippy", "clippy")?;
    let mut command = workspace.cargo();
    one_check(
        command.args(["clippy", "--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"]),
        BUILD_LIMIT,
    )
}

fn documentation(workspace: &Workspace, _: &Options) -> anyhow::Result<Tally> {
    let mut command = workspace.cargo();
    command.args(["doc", "--workspace", "--no-deps", "--keep-going"]).env("RUSTDOCFLAGS", "-D warnings");
    one_check(&mut command, BUILD_LIMIT)
}

/// A tool whose exit status is the verdict.
fn one_check(command: &mut Command, limit: Duration) -> anyhow::Result<Tally> {
    Ok(Tally::one(process::run(command, limit)?.success()))
}

fn tests(workspace: &Workspace, _: &Options) -> anyhow::Result<Tally> {
    // For verifiers that are cut off, and clocks that are set (`crates/server/tests/verifiers`).
    install::program("ip", &["iproute2"])?;
    install::program("faketime", &["faketime"])?;
    let mut command = workspace.cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    counted(&mut command)
}

/// One of them is built upon OpenSSL, which the product bans: so it stays outside the workspace.
fn peers(workspace: &Workspace, _: &Options) -> anyhow::Result<Tally> {
    install::library("openssl", &["pkg-config", "libssl-dev"])?;
    let mut command = workspace.cargo();
    // Beside our own artifacts: most of what it is built upon is there already.
    command.args(["test", "--manifest-path", PEERS, "--target-dir"]).arg(&workspace.target);
    counted(&mut command)
}

/// Runs `cargo test` and counts what it says.
fn counted(command: &mut Command) -> anyhow::Result<Tally> {
    let mut log = TestLog::default();
    let ended = process::run_with(command, TESTS_LIMIT, |line| {
        println!("{line}");
        log.read(line);
    });
    if process::interrupted() {
        bail!("interrupted");
    }
    // Tests that ran before a time-out still count; the time-out itself is then a failure.
    let exited_ok = match ended {
        Ok(status) => status.success(),
        Err(error) => {
            println!("cargo test: {error:#}");
            false
        }
    };
    Ok(log.finish(exited_ok))
}

fn tidiness(workspace: &Workspace, _: &Options) -> anyhow::Result<Tally> {
    let findings = tidy::check(&workspace.root)?;
    for finding in &findings {
        println!("{finding}");
    }
    Ok(Tally::one(findings.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        assert_eq!(parse("").unwrap(), Options::default());
        let both = Options { only: vec!["fmt".into(), "tidy".into()], server: Some("x".into()) };
        assert_eq!(parse("--only fmt --only=tidy --server x").unwrap(), both);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in ["--only", "--only spelling", "--fast", "fmt"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn only_chooses() {
        let options = parse("--only doc").unwrap();
        let chosen: Vec<_> = STEPS.iter().filter(|step| options.wants(step)).map(|step| step.name).collect();
        assert_eq!(chosen, ["doc"]);
        assert!(STEPS.iter().all(|step| Options::default().wants(step)));
    }
}
