//! A guarded service, and what is asked of it.

use crate::{
    driver::{child::Server, http::request, now},
    guarded::Guarded,
    place::{Answer, ask},
};
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{env, net::SocketAddr, process::Command, time::Duration};
use tokio::time::sleep;

/// Everything that is waited for comes sooner.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(10);

/// A running guarded service.
pub(crate) struct Service(Server);

impl Service {
    /// Starts one here.
    pub(crate) fn start(guarded: &Guarded<'_>) -> anyhow::Result<Self> {
        Self::start_by(guarded, Command::new(env::current_exe()?))
    }

    /// Starts one by a command that runs this program, wherever that is.
    pub(crate) fn start_by(guarded: &Guarded<'_>, mut command: Command) -> anyhow::Result<Self> {
        command.args(["guarded_service", "--exact", "--ignored", "--nocapture"]);
        Ok(Self(guarded.start(command)?))
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Waits until it has the feed.
    pub(crate) async fn ready(self) -> anyhow::Result<Self> {
        let nobody = request("GET", "/", None, None);
        self.wait_for("ready", &nobody, |answer| answer.status == 401).await?;
        Ok(self)
    }

    /// Asks until the answer is as it should be. How often that took.
    pub(crate) async fn wait_for(
        &self,
        what: &str,
        request: &[u8],
        is_good: impl Fn(&Answer) -> bool,
    ) -> anyhow::Result<usize> {
        let deadline = now() + PATIENCE;
        for asked in 1.. {
            let answer = ask(self.address(), request).await?;
            if is_good(&answer) {
                return Ok(asked);
            }
            if now() > deadline {
                bail!("not {what} after {PATIENCE:?}: {answer:?}");
            }
            sleep(PAUSE).await;
        }
        Ok(0)
    }

    /// What it says about its guard: `cold`, `in_sync`, `stale`, …
    pub(crate) async fn state(&self) -> anyhow::Result<String> {
        let answer = ask(self.address(), &request("GET", "/status", None, None)).await?;
        crate::driver::http::json_member(&answer.body, "state").map(str::to_owned).context("no state")
    }

    /// Stops it in the middle of whatever it does (`SIGSTOP`); time goes on without it.
    pub(crate) fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on (`SIGCONT`).
    pub(crate) fn go_on(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        send_signal(self.0.id(), signal)
    }
}

/// Sends a signal to a process.
pub(crate) fn send_signal(process: u32, signal: Signal) -> anyhow::Result<()> {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw).context("no process")?;
    Ok(kill_process(id, signal)?)
}
