//! A server as a child process, ended with the value that stands for it.

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    env,
    fs::OpenOptions,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

/// Names another build of the server, to compare with or to break on purpose.
const OTHER_SERVER: &str = "COUNTERFOIL_SERVER";
/// What the server prints about itself goes here, beside its data.
const LOG_FILE: &str = "server.log";

/// A running child.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    /// Kept open: a program whose standard output has nobody at its other end would die of it.
    _output: BufReader<ChildStdout>,
}

/// The server's program: the one built with this file, unless the environment names another.
pub(crate) fn program() -> PathBuf {
    let named = env::var_os(OTHER_SERVER).map(PathBuf::from).and_then(|path| path.canonicalize().ok());
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_counterfoil").into())
}

impl Server {
    /// Starts the server on `data`, with `options` as environment variables (`REFRESH__RETRY_WINDOW`, …) and none of our
    /// own environment's. Returns as soon as it has said where it listens.
    pub(crate) fn start(data: &Path, listen: SocketAddr, options: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_in(data, listen, options, &[])
    }

    /// As [`Self::start`], with more in its environment that is no option of the server's.
    pub(crate) fn start_in(
        data: &Path,
        listen: SocketAddr,
        options: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program());
        // Our own switches begin with the same letters, and the server refuses options that it does not know.
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"COUNTERFOIL_")) {
            command.env_remove(name);
        }
        command.envs(options.iter().map(|(name, value)| (format!("COUNTERFOIL_{name}"), value)));
        command.envs(environment.iter().copied());
        // In its own folder, so that no `counterfoil.toml` of the developer's is read.
        let folder = data.parent().context("the data folder has no parent")?;
        let log = OpenOptions::new().create(true).append(true).open(folder.join(LOG_FILE))?;
        command.current_dir(folder).stderr(log);
        command.arg("serve").arg("--data").arg(data).arg("--listen").arg(listen.to_string());
        Self::spawn(command).with_context(|| format!("its log is {}", folder.join(LOG_FILE).display()))
    }

    /// Starts a program that prints `http://` and its address.
    pub(crate) fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let program = command.get_program().to_owned();
        let starting = || format!("starting {}", program.display());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(starting)?;
        let output = child.stdout.take().context("the child has no standard output")?;
        let mut output = BufReader::new(output);
        let address = read_address(&mut output).with_context(starting);
        match address {
            Ok(address) => Ok(Self { child, address, _output: output }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`: no goodbye, whatever it was doing.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let id = Pid::from_child(&self.child);
        kill_process(id, Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("server {} stopped with {status}", self.id());
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_address(output: &mut BufReader<ChildStdout>) -> anyhow::Result<SocketAddr> {
    let mut line = String::new();
    loop {
        line.clear();
        if output.read_line(&mut line)? == 0 {
            bail!("it ended before it said where it listens");
        }
        if let Some((_, address)) = line.split_once("http://") {
            return address.trim_end().parse().with_context(|| format!("no address: {line}"));
        }
    }
}
