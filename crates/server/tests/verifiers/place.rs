//! Where a run takes place: a server on a data folder of its own, and sessions in it.

use crate::driver::{
    child::{Server, program},
    fill::fill,
    http::{Connection, JSON, json_member, refresh_request, request},
};
use crate::guarded::CLIENT;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A server, and what it needs.
pub(crate) struct Place {
    /// Running, unless it was taken out to be stopped.
    pub(crate) server: Option<Server>,
    refresh_tokens: Vec<String>,
    data: PathBuf,
    folder: TempDir,
}

/// One session, as its client holds it.
pub(crate) struct Session {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// What a request was answered.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// The stable code of a refusal.
    pub(crate) fn code(&self) -> Option<&str> {
        json_member(&self.body, "code")
    }
}

impl Place {
    /// A server on this machine only, with so many sessions.
    pub(crate) fn new(sessions: usize, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let place = Self::without_server(sessions)?;
        place.started((Ipv4Addr::LOCALHOST, 0).into(), settings)
    }

    /// A folder without anything, for a server that makes its first keys by its own settings.
    pub(crate) fn empty() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self { server: None, refresh_tokens: Vec::new(), data: folder.path().join("data"), folder })
    }

    /// Everything but the server.
    pub(crate) fn without_server(sessions: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        // On a thread of its own: it brings its own runtime.
        let refresh_tokens = std::thread::scope(|scope| scope.spawn(|| fill(&data, sessions)).join());
        let refresh_tokens = refresh_tokens.map_err(|_| anyhow::anyhow!("filling the store panicked"))??;
        Ok(Self { server: None, refresh_tokens, data, folder })
    }

    /// The same with the server, listening there.
    pub(crate) fn started(mut self, listen: SocketAddr, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        self.server = Some(Server::start(&self.data, listen, settings)?);
        Ok(self)
    }

    /// Registers the client that guarded services present themselves as, and gives its secret.
    pub(crate) fn register_verifier(&self) -> anyhow::Result<String> {
        let said = self.command(&["client", "create", CLIENT, "--kind", "verifier", "--json"])?;
        let said: Value = serde_json::from_str(&said)?;
        Ok(said.get("client_secret").and_then(Value::as_str).context("no secret")?.to_owned())
    }

    /// The server.
    pub(crate) fn server(&self) -> anyhow::Result<&Server> {
        self.server.as_ref().context("the server is not running")
    }

    /// What the server calls itself.
    pub(crate) fn issuer(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.server()?.address()))
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A folder for whatever else there is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the server has logged.
    pub(crate) fn server_log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("server.log"))?)
    }

    /// A command of the program on this data folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(program());
        // Our own switches are no options of the server's.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"COUNTERFOIL_")) {
            command.env_remove(name);
        }
        command.args(arguments).arg("--data").arg(&self.data).current_dir(self.folder.path());
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {} {said}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A session that nobody has used yet.
    pub(crate) async fn session(&mut self) -> anyhow::Result<Session> {
        self.session_at(self.server()?.address()).await
    }

    /// The same at another server on a copy of the data.
    pub(crate) async fn session_at(&mut self, server: SocketAddr) -> anyhow::Result<Session> {
        let refresh_token = self.refresh_tokens.pop().context("no session is left")?;
        let mut session = Session { access_token: String::new(), refresh_token };
        session.refresh(server).await?;
        Ok(session)
    }
}

impl Session {
    /// Signs somebody up, and in.
    pub(crate) async fn sign_up(server: SocketAddr, number: usize) -> anyhow::Result<Self> {
        let person = format!(
            r#"{{"email":"new{number}@example.com","password":"correct horse battery staple","sign_in":{{}}}}"#
        );
        let answer = ask(server, &request("POST", "/v1/accounts", None, Some((JSON, &person)))).await?;
        ensure!(answer.status == 201, "{answer:?}");
        Self::read(&answer)
    }

    /// Refreshes it, as its client does.
    pub(crate) async fn refresh(&mut self, server: SocketAddr) -> anyhow::Result<()> {
        let answer = ask(server, &refresh_request(&self.refresh_token)).await?;
        ensure!(answer.status == 200, "refresh: {answer:?}");
        *self = Self::read(&answer)?;
        Ok(())
    }

    fn read(answer: &Answer) -> anyhow::Result<Self> {
        let member = |name| json_member(&answer.body, name).map(str::to_owned).context("no token");
        Ok(Self { access_token: member("access_token")?, refresh_token: member("refresh_token")? })
    }

    /// Signs it out; `query` may ask for a receipt.
    pub(crate) async fn sign_out(&self, server: SocketAddr, query: &str) -> anyhow::Result<Answer> {
        let path = format!("/v1/sessions/current{query}");
        ask(server, &request("DELETE", &path, Some(&self.access_token), None)).await
    }

    /// What `path` answers to it.
    pub(crate) async fn get(&self, service: SocketAddr, path: &str) -> anyhow::Result<Answer> {
        ask(service, &request("GET", path, Some(&self.access_token), None)).await
    }
}

/// Asks on a connection of its own.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> anyhow::Result<Answer> {
    let mut connection = Connection::open(address).await?;
    let reply = connection.exchange(request).await?;
    Ok(Answer { status: reply.status, body: reply.body.to_owned() })
}
