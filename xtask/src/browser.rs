//! Browser: does a real one keep our cookies as it should, and does it stop what should be stopped?
//!
//! What is asked is told in `browser/README.md`. The scripts there are the reverse proxy that speaks TLS, the other
//! sites, and the hand on the browser; here they are driven, and the server behind them is started.

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use serde_json::Value;

use crate::cases::Cases;
use crate::install;
use crate::npm;
use crate::process::{self, Group};
use crate::server::{self, Server};
use crate::tally::Tally;
use crate::test::Options;
use crate::workspace::Workspace;

/// Names the browser, where it is not on the path or should be another.
const CHROMIUM_VARIABLE: &str = "COUNTERFOIL_CHROMIUM";
/// What Chromium and its kin are called.
const CHROMIUM_NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Every check has its own limit within the scripts; this is for a script that hangs.
const LIMIT: Duration = Duration::from_mins(10);
const STOP_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// Runs all checks and counts them.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<Tally> {
    let chromium = chromium()?;
    let scripts = workspace.target.join("browser/node");
    let node = npm::fetch(&workspace.root.join("browser"), &scripts, "playwright-core")?;
    let binary = server::binary(workspace, options)?;
    let folder = workspace.empty_folder("browser/run")?;
    let mut script = Script::start(&node, &scripts, &chromium, &workspace.empty_folder("browser/run/profiles")?)?;

    // The server must know its public URL, and that has the port of the proxy: so the proxy is first.
    let public_url = script.public_url()?;
    let settings = [
        ("COUNTERFOIL_PUBLIC_URL", public_url.as_str()),
        ("COUNTERFOIL_TRUSTED_PROXIES", "[\"127.0.0.1\"]"),
        ("COUNTERFOIL_REFRESH__RETRY_WINDOW", "1s"), // a check waits until it is over
    ];
    let server = Server::start(&binary, &folder, &settings.map(|(name, value)| (name, OsStr::new(value))))?;
    script.tell(server.base_url())?;
    let mut cases = Cases::default();
    if let Err(error) = script.play(&mut cases) {
        cases.note("the checks can be made", Err(error));
    }
    server.stop()?;
    Ok(cases.tally)
}

/// Finds the browser, after installing it if it is missing and we may.
fn chromium() -> anyhow::Result<PathBuf> {
    if let Some(named) = env::var_os(CHROMIUM_VARIABLE) {
        let named = PathBuf::from(named);
        return if named.is_file() { Ok(named) } else { bail!("{CHROMIUM_VARIABLE}: no file {}", named.display()) };
    }
    if let Some(found) = CHROMIUM_NAMES.into_iter().find_map(install::on_path) {
        return Ok(found);
    }
    install::program("chromium", &["chromium"])
        .with_context(|| format!("or name a browser of that kind in {CHROMIUM_VARIABLE}"))
}

/// The running scripts; dropping them kills them, and with them the browser.
struct Script {
    group: Group,
    lines: Receiver<String>,
    deadline: Instant,
}

/// What the scripts say, a line of JSON each.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// The proxy listens, and this is its URL.
    PublicUrl(String),
    /// What the next checks are about.
    Heading(String),
    /// A check was made; why it failed, if it did.
    Check(String, Option<String>),
    /// That was all: so many checks.
    Done(u64),
}

impl Script {
    fn start(node: &Path, folder: &Path, chromium: &Path, profiles: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(node);
        command.arg("main.mjs").arg("--chromium").arg(chromium).current_dir(folder);
        command.env("TMPDIR", profiles); // where the browser's profiles are made
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        let lines = process::lines_of(group.child().stdout.take().context("the scripts' stdout")?);
        Ok(Self { group, lines, deadline: process::now() + LIMIT })
    }

    fn public_url(&mut self) -> anyhow::Result<String> {
        match self.listen()? {
            Said::PublicUrl(url) => Ok(url),
            other => bail!("the scripts began with {other:?}"),
        }
    }

    /// Tells where the server is; nothing more will be told.
    fn tell(&mut self, server: &str) -> anyhow::Result<()> {
        let mut stdin = self.group.child().stdin.take().context("the scripts' stdin")?;
        writeln!(stdin, "{server}").context("telling the scripts where the server is")
    }

    /// Notes the checks as they are made.
    fn play(&mut self, cases: &mut Cases) -> anyhow::Result<()> {
        let mut made = 0;
        loop {
            match self.listen()? {
                Said::Heading(heading) => println!("\n{heading}"),
                Said::Check(check, None) => cases.note(&check, Ok(())),
                Said::Check(check, Some(reason)) => cases.note(&check, Err(anyhow!(reason))),
                Said::Done(count) if count == made => break,
                other => bail!("after {made} checks the scripts said {other:?}"),
            }
            made = cases.tally.passed + cases.tally.failed;
        }
        let status = self.group.wait_until(process::now() + STOP_LIMIT).context("waiting for the browser's end")?;
        if status.success() { Ok(()) } else { bail!("the scripts ended badly: {status}") }
    }

    fn listen(&mut self) -> anyhow::Result<Said> {
        loop {
            match self.lines.recv_timeout(POLL) {
                Ok(line) => return parse(&line).with_context(|| format!("the scripts said `{line}`")),
                Err(RecvTimeoutError::Disconnected) => bail!("the scripts ended too early"),
                Err(RecvTimeoutError::Timeout) => process::give_up_at(self.deadline).context("making the checks")?,
            }
        }
    }
}

fn parse(line: &str) -> Option<Said> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
    text("public_url")
        .map(Said::PublicUrl)
        .or_else(|| text("heading").map(Said::Heading))
        .or_else(|| text("check").map(|check| Said::Check(check, text("failed"))))
        .or_else(|| line.get("done").and_then(Value::as_u64).map(Said::Done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_scripts_say_is_understood() {
        assert_eq!(
            parse(r#"{"public_url":"https://localhost:1"}"#),
            Some(Said::PublicUrl("https://localhost:1".into()))
        );
        assert_eq!(parse(r#"{"heading":"Kept"}"#), Some(Said::Heading("Kept".into())));
        assert_eq!(parse(r#"{"check":"a"}"#), Some(Said::Check("a".into(), None)));
        assert_eq!(parse(r#"{"check":"a","failed":"b"}"#), Some(Said::Check("a".into(), Some("b".into()))));
        assert_eq!(parse(r#"{"done":7}"#), Some(Said::Done(7)));
    }

    #[test]
    fn anything_else_is_not_taken_for_a_check() {
        for line in ["", "ok", "{}", r#"{"check":1}"#, r#"{"done":-1}"#] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
