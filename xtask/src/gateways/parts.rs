//! What stands in front of and behind the server: a gateway with its own configuration file, and the service that it guards.

use std::fmt;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::faults::Fault;
use crate::install;
use crate::process::{self, Group};

const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(15);
const CHECK_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);
/// How long somebody may take to pass on what should never have been passed on.
const SILENCE: Duration = Duration::from_millis(30);

/// The ports as the files have them, for reading and for running by hand; all on this machine alone.
const GATEWAY_IN_FILES: &str = ":8000";
const QUESTION_IN_FILES: &str = ":8001";
const SERVER_IN_FILES: &str = ":8080";
const SERVICE_IN_FILES: &str = ":9000";

/// Three addresses of this machine where nobody listens right now.
pub(super) fn free_addresses() -> anyhow::Result<[SocketAddr; 3]> {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let all = [bind()?, bind()?, bind()?]; // at once, or one could be had twice
    let [first, second, third] = all.each_ref().map(TcpListener::local_addr);
    Ok([first?, second?, third?])
}

/// Whom a gateway knows.
#[derive(Clone, Copy)]
pub(super) struct Addresses {
    pub(super) gateway: SocketAddr,
    /// Where `HAProxy` asks itself.
    pub(super) question: SocketAddr,
    pub(super) server: SocketAddr,
    pub(super) service: SocketAddr,
}

/// The gateways that are run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Haproxy,
    Caddy,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Nginx, Self::Haproxy, Self::Caddy];

    /// Program and Debian package.
    const fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
        }
    }

    /// Its files below `examples/gateways`, the one that it is started with first.
    pub(super) const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["nginx.conf"],
            Self::Haproxy => &["haproxy.cfg", "counterfoil.lua"],
            Self::Caddy => &["Caddyfile"],
        }
    }

    /// Finds the program, after installing it if it is missing and we may.
    pub(super) fn find(self) -> anyhow::Result<PathBuf> {
        install::serving_program(self.program(), self.program())
    }

    /// How it is started with the files in `folder`, without becoming a service of the machine.
    fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        let file = self.files().first().map(|file| folder.join(file)).unwrap_or_default();
        match self {
            Self::Nginx => {
                command.arg("-p").arg(folder).args(["-e", "stderr", "-c"]).arg(file);
                // Started by root, its workers are somebody else, who may not come into the folder.
                let is_root = rustix::process::geteuid().is_root();
                command.args(["-g", if is_root { "daemon off; user root;" } else { "daemon off;" }]);
            }
            Self::Haproxy => {
                command.arg("-db").arg("-f").arg(file);
            }
            Self::Caddy => {
                command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
                command.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder); // not into somebody's home
            }
        }
        command
    }

    /// How it is asked what it thinks of its files.
    fn check_command(self, program: &Path, folder: &Path) -> Command {
        let mut command = self.command(program, folder);
        match self {
            Self::Nginx => command.arg("-t"),
            Self::Haproxy => command.arg("-c"),
            Self::Caddy => {
                let file = folder.join("Caddyfile");
                command = Command::new(program);
                command.args(["validate", "--adapter", "caddyfile", "--config"]).arg(file)
            }
        };
        command
    }
}

/// A running gateway; dropping it kills it.
pub(super) struct Gateway {
    group: Group,
}

impl Gateway {
    /// Writes the files of `examples` into `folder`, with these addresses and perhaps a fault; has the gateway check them, and
    /// starts it.
    pub(super) fn start(
        kind: Kind,
        examples: &Path,
        folder: &Path,
        addresses: Addresses,
        fault: Option<Fault>,
    ) -> anyhow::Result<Self> {
        let program = kind.find()?;
        for file in kind.files() {
            let path = examples.join(file);
            let mut text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            if let Some(fault) = fault {
                text = fault.put_into(file, &text)?;
            }
            fs::write(folder.join(file), filled_in(&text, addresses))?;
        }
        let said = process::ask(&mut kind.check_command(&program, folder), "", CHECK_LIMIT)?;
        if !said.status.success() || said.stderr.contains("[warn") || said.stderr.contains("[WARNING]") {
            bail!("{kind} does not like its files: {}{}", said.stdout, said.stderr);
        }
        let mut command = kind.command(&program, folder);
        let log = File::create(folder.join("gateway.log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir(folder);
        let mut group = Group::spawn(&mut command)?;
        let deadline = process::now() + START_LIMIT;
        while TcpStream::connect(addresses.gateway).is_err() {
            if let Some(status) = group.try_wait()? {
                bail!("{kind} ended: {status}; see {}", folder.join("gateway.log").display());
            }
            process::give_up_at(deadline).with_context(|| format!("waiting for {kind}"))?;
            thread::sleep(POLL);
        }
        Ok(Self { group })
    }

    /// Ends it as an operator would.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.group.terminate();
        self.group.wait_until(process::now() + STOP_LIMIT).context("stopping the gateway")?;
        Ok(())
    }
}

fn filled_in(text: &str, addresses: Addresses) -> String {
    let places = [
        (GATEWAY_IN_FILES, addresses.gateway),
        (QUESTION_IN_FILES, addresses.question),
        (SERVER_IN_FILES, addresses.server),
        (SERVICE_IN_FILES, addresses.service),
    ];
    // Free ports have five digits, so that none of them is taken for a place.
    places.iter().fold(text.to_owned(), |text, (place, address)| text.replace(place, &format!(":{}", address.port())))
}

/// The running service; dropping it kills it.
pub(super) struct Service {
    _group: Group,
    pub(super) address: SocketAddr,
    lines: Receiver<String>,
}

impl Service {
    /// Starts `service.py` on a free port.
    pub(super) fn start(examples: &Path) -> anyhow::Result<Self> {
        let python = install::program("python3", &["python3"])?;
        let mut command = Command::new(python);
        command.arg("-B").arg(examples.join("service.py")).arg("0"); // -B: leave no bytecode in the sources
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        let lines = process::lines_of(group.child().stdout.take().context("the service's stdout")?);
        let first = lines.recv_timeout(START_LIMIT).context("waiting for the service")?;
        let address = first.strip_prefix("Listening on http://").and_then(|address| address.parse().ok());
        Ok(Self { _group: group, address: address.with_context(|| format!("the service said `{first}`"))?, lines })
    }

    /// What it was asked since this was last called: the paths. Waits a moment for what is still on its way.
    pub(super) fn paths_seen(&self) -> anyhow::Result<Vec<String>> {
        let mut paths = Vec::new();
        loop {
            match self.lines.recv_timeout(SILENCE) {
                Ok(line) => {
                    let seen: Value =
                        serde_json::from_str(&line).with_context(|| format!("the service said `{line}`"))?;
                    paths.extend(seen.get("path").and_then(Value::as_str).map(str::to_owned));
                }
                Err(RecvTimeoutError::Timeout) => return Ok(paths),
                Err(RecvTimeoutError::Disconnected) => bail!("the service ended"),
            }
        }
    }
}
