//! The server under test: the real binary, on a free port, with an empty store.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use ureq::http::StatusCode;

use crate::process::{self, Group};
use crate::test::Options;
use crate::workspace::Workspace;

const BUILD_LIMIT: Duration = Duration::from_hours(1);
/// A debug build that makes an RSA key has been seen to take seconds; a hang takes for ever.
const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(15);
const REPLY_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// The binary that the command line names, or else one that is built now.
pub(crate) fn binary(workspace: &Workspace, options: &Options) -> anyhow::Result<PathBuf> {
    match &options.server {
        Some(binary) => fs::canonicalize(binary).with_context(|| format!("--server {}", binary.display())),
        None => build(workspace),
    }
}

/// Builds the binary and asks cargo where it is.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    println!("Building the server.");
    let mut command = workspace.cargo();
    command.args(["build", "--package", "counterfoil", "--bin", "counterfoil"]);
    command.arg("--message-format=json-render-diagnostics");
    let mut executable = None;
    let status = process::run_with(&mut command, BUILD_LIMIT, |line| match executable_in(line) {
        Some(found) => executable = Some(found),
        None if line.starts_with('{') => {}
        None => println!("{line}"),
    })?;
    if !status.success() {
        bail!("the server does not build");
    }
    executable.context("cargo built no executable called counterfoil")
}

/// The path in cargo's message about the finished binary.
fn executable_in(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_ours = message.get("reason")? == "compiler-artifact" && message.pointer("/target/name")? == "counterfoil";
    is_ours.then(|| message.get("executable")?.as_str().map(PathBuf::from))?
}

/// A running server; dropping it kills it.
pub(crate) struct Server {
    group: Group,
    base_url: String,
    http: ureq::Agent,
    log: PathBuf,
}

impl Server {
    /// Starts the server, with settings from the environment, and waits until it is ready. Its data and its log go into
    /// `folder`.
    pub(crate) fn start(binary: &Path, folder: &Path, settings: &[(&str, &OsStr)]) -> anyhow::Result<Self> {
        Self::start_at("127.0.0.1:0", binary, folder, settings)
    }

    /// The same at an address that others know already.
    pub(crate) fn start_at(
        listen: &str,
        binary: &Path,
        folder: &Path,
        settings: &[(&str, &OsStr)],
    ) -> anyhow::Result<Self> {
        let log = folder.join("server.log");
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", listen, "--data"]).arg(folder.join("data")).current_dir(folder);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("COUNTERFOIL_")) {
                command.env_remove(name); // a developer's own settings are not what is tested here
            }
        }
        command.envs(settings.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut group = Group::spawn(&mut command)?;
        let stdout = process::lines_of(group.child().stdout.take().context("the server's stdout")?);

        let deadline = process::now() + START_LIMIT;
        let http = ureq::Agent::new_with_config(
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .timeout_global(Some(REPLY_LIMIT))
                .proxy(None)
                .build(),
        );
        let mut server = Self { group, base_url: String::new(), http, log };
        let ready = server.wait_for_address(stdout, deadline).and_then(|()| server.wait_until_ready(deadline));
        ready.map_err(|error| server.with_log(&error))?;
        Ok(server)
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Makes an account that is signed in at once; gives its access token.
    pub(crate) fn sign_up(&self) -> anyhow::Result<String> {
        let account = json!({
            "email": "interop@example.com",
            "password": "plum tin walrus 41 harbour",
            "sign_in": { "policy": "refresh", "transport": "body" },
        });
        let mut reply = self
            .http
            .post(format!("{}/v1/accounts", self.base_url))
            .header("content-type", "application/json")
            .send(account.to_string())
            .map_err(|error| self.with_log(&error.into()))?;
        let body = reply.body_mut().read_to_string()?;
        if reply.status() != StatusCode::CREATED {
            return Err(self.with_log(&anyhow!("POST /v1/accounts answered {}: {body}", reply.status())));
        }
        let body: Value = serde_json::from_str(&body).context("the reply to POST /v1/accounts")?;
        let token = body.get("access_token").and_then(Value::as_str);
        Ok(token.context("no access_token in the reply to POST /v1/accounts")?.to_owned())
    }

    /// Asks for the signed-in account with this token.
    pub(crate) fn expect_status_of_account(&self, token: &str, expected: u16) -> anyhow::Result<()> {
        let request = self.http.get(format!("{}/v1/account", self.base_url));
        let reply = request.header("authorization", format!("Bearer {token}")).call()?;
        if reply.status().as_u16() != expected {
            bail!("GET /v1/account answered {}, not {expected}", reply.status());
        }
        Ok(())
    }

    /// Stops the server in its tracks, or lets it go on: connections stay, and nothing is answered.
    pub(crate) fn set_frozen(&self, is_frozen: bool) {
        self.group.set_frozen(is_frozen);
    }

    /// Ends the server as an operator would; one that does not go is killed, and that is an error.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        self.group.terminate();
        self.group.wait_until(process::now() + STOP_LIMIT).context("stopping the server by SIGTERM")?;
        Ok(())
    }

    fn wait_for_address(&mut self, stdout: Receiver<String>, deadline: Instant) -> anyhow::Result<()> {
        while self.base_url.is_empty() {
            match stdout.recv_timeout(POLL) {
                Ok(line) => self.base_url = base_url_in(&line).unwrap_or_default(),
                Err(RecvTimeoutError::Disconnected) => bail!("the server ended before it named its address"),
                Err(RecvTimeoutError::Timeout) => process::give_up_at(deadline).context("waiting for the address")?,
            }
        }
        // Somebody must go on reading, or the server would block on a full pipe one day.
        thread::spawn(move || stdout.iter().for_each(drop));
        Ok(())
    }

    fn wait_until_ready(&mut self, deadline: Instant) -> anyhow::Result<()> {
        let url = format!("{}/readyz", self.base_url);
        loop {
            if self.http.get(&url).call().is_ok_and(|reply| reply.status() == StatusCode::OK) {
                return Ok(());
            }
            if let Some(status) = self.group.try_wait()? {
                bail!("the server ended before it was ready: {status}");
            }
            process::give_up_at(deadline).context("waiting for /readyz")?;
            thread::sleep(POLL);
        }
    }

    /// The error with what the server had to say about it.
    fn with_log(&self, error: &anyhow::Error) -> anyhow::Error {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let mut last_lines: Vec<&str> = log.lines().rev().take(20).collect();
        last_lines.reverse();
        anyhow!("{error:#}; the server's log ends:\n{}", last_lines.join("\n"))
    }
}

/// `http://127.0.0.1:8080` in `Listening on http://127.0.0.1:8080/ …`.
fn base_url_in(line: &str) -> Option<String> {
    const BEGINNING: &str = "http://127.0.0.1:";
    let (_, rest) = line.split_once(BEGINNING)?;
    let port = rest.split(|c: char| !c.is_ascii_digit()).next().filter(|port| !port.is_empty())?;
    Some(format!("{BEGINNING}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_a_line_for_people() {
        let address = Some("http://127.0.0.1:40123".to_owned());
        assert_eq!(base_url_in("Counterfoil listens on http://127.0.0.1:40123"), address);
        assert_eq!(base_url_in("  account page  http://127.0.0.1:40123/account (open it)"), address);
        assert_eq!(base_url_in("starting on http://127.0.0.1:"), None);
        assert_eq!(base_url_in("starting"), None);
    }

    #[test]
    fn cargos_message_about_the_binary_is_found() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"counterfoil","kind":["bin"]},"executable":"t/debug/counterfoil"}"#;
        assert_eq!(executable_in(line), Some(PathBuf::from("t/debug/counterfoil")));
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"counterfoil","kind":["lib"]},"executable":null}"#;
        assert_eq!(executable_in(library), None);
        assert_eq!(executable_in("   Compiling counterfoil v0.1.0"), None);
    }
}
