//! One gateway with everything around it, and a person who signs in through it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::faults::Fault;
use super::http::{Answer, Request};
use super::parts::{self, Addresses, Gateway, Kind, Service};
use crate::process;
use crate::server::Server;

const HELPER_LIMIT: Duration = Duration::from_secs(20);
const EMAIL: &str = "gateways@example.com";
const PASSWORD: &str = "plum tin walrus 41 harbour";

/// What is granted at sign-in, and one of them to a narrower one.
const ALL_SCOPES: &str = "account articles:write";
const NARROW_SCOPE: &str = "account";

/// Where everything is.
pub(super) struct Places<'a> {
    /// The server's binary.
    pub(super) binary: &'a Path,
    /// The files that are tried.
    pub(super) examples: &'a Path,
    /// What is left for whoever wants to look.
    pub(super) folder: PathBuf,
}

/// A gateway, the server that it asks and the service that it guards, all running.
pub(super) struct World<'a> {
    pub(super) service: Service,
    pub(super) addresses: Addresses,
    /// What the server calls its public URL: the gateway's address.
    pub(super) public_url: String,
    gateway: Gateway,
    server: Option<Server>,
    places: Places<'a>,
}

/// A sign-in.
pub(super) struct SignedIn {
    /// The access token, or the `name=value` of the cookie.
    pub(super) credential: String,
    /// Whether it is a cookie.
    is_cookie: bool,
}

impl SignedIn {
    /// The request with the credential.
    pub(super) fn with(&self, request: Request) -> Request {
        if self.is_cookie { request.header("Cookie", &self.credential) } else { request.bearer(&self.credential) }
    }

    /// What is signed: of a cookie, its value.
    fn token(&self) -> &str {
        self.credential.split_once('=').filter(|_| self.is_cookie).map_or(self.credential.as_str(), |(_, token)| token)
    }
}

impl<'a> World<'a> {
    pub(super) fn start(kind: Kind, places: Places<'a>, fault: Option<Fault>) -> anyhow::Result<Self> {
        let service = Service::start(places.examples)?;
        let [gateway, question, server] = parts::free_addresses()?;
        let addresses = Addresses { gateway, question, server, service: service.address };
        let public_url = format!("http://localhost:{}", addresses.gateway.port());
        let server = Some(start_server(&places, addresses, &public_url)?);
        let gateway = Gateway::start(kind, places.examples, &places.folder, addresses, fault)?;
        let world = Self { service, addresses, public_url, gateway, server, places };
        world
            .ask(&Request::post("/v1/accounts").json(&json!({ "email": EMAIL, "password": PASSWORD })))?
            .expect(201)?;
        Ok(world)
    }

    /// Stops everything in order.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.stop_server()?;
        self.gateway.stop()
    }

    pub(super) fn stop_server(&mut self) -> anyhow::Result<()> {
        self.server.take().map_or(Ok(()), Server::stop)
    }

    /// Starts the server again, where it was and with what it had.
    pub(super) fn start_server(&mut self) -> anyhow::Result<()> {
        self.server = Some(start_server(&self.places, self.addresses, &self.public_url)?);
        Ok(())
    }

    pub(super) fn set_server_frozen(&self, is_frozen: bool) {
        if let Some(server) = &self.server {
            server.set_frozen(is_frozen);
        }
    }

    /// Sends a request to the gateway.
    pub(super) fn ask(&self, request: &Request) -> anyhow::Result<Answer> {
        request.send(self.addresses.gateway)
    }

    /// Signs in, through the gateway, with a bearer token.
    pub(super) fn sign_in(&self, policy: &str) -> anyhow::Result<SignedIn> {
        self.sign_in_with(&json!({ "policy": policy, "transport": "body", "scope": ALL_SCOPES }))
    }

    /// The same, without the scope for articles.
    pub(super) fn sign_in_narrow(&self) -> anyhow::Result<SignedIn> {
        self.sign_in_with(&json!({ "policy": "refresh", "transport": "body", "scope": NARROW_SCOPE }))
    }

    /// The same, with a cookie.
    pub(super) fn sign_in_cookie(&self, policy: &str) -> anyhow::Result<SignedIn> {
        self.sign_in_with(&json!({ "policy": policy, "transport": "cookie", "scope": ALL_SCOPES }))
    }

    fn sign_in_with(&self, wishes: &Value) -> anyhow::Result<SignedIn> {
        let mut body = wishes.clone();
        if let Some(body) = body.as_object_mut() {
            body.insert("email".to_owned(), EMAIL.into());
            body.insert("password".to_owned(), PASSWORD.into());
        }
        let answer = self.ask(&Request::post("/v1/sessions").json(&body))?.expect(201).context("signing in")?;
        if body.get("transport").is_some_and(|transport| transport == "cookie") {
            let set = answer.header("set-cookie").context("one cookie at sign-in")?;
            let pair = set.split(';').next().unwrap_or_default().to_owned();
            return Ok(SignedIn { credential: pair, is_cookie: true });
        }
        let token = answer.json()?.get("access_token").and_then(Value::as_str).map(str::to_owned);
        Ok(SignedIn { credential: token.context("no access token at sign-in")?, is_cookie: false })
    }

    /// What a signed token says, and the same sign-in as if its token were older.
    pub(super) fn older(&self, signed_in: &SignedIn) -> anyhow::Result<(Value, SignedIn)> {
        let script = self.places.folder.join("older_token.py");
        fs::write(&script, include_str!("older_token.py"))?;
        let mut python = Command::new("python3");
        let said = process::ask(python.arg(script).arg(secret_file(&self.places)), signed_in.token(), HELPER_LIMIT)?;
        if !said.status.success() {
            bail!("making a token older: {}", said.stderr);
        }
        let mut told: Value = serde_json::from_str(&said.stdout).context("what the helper says")?;
        let older = told.get("older").and_then(Value::as_str).context("an older token")?;
        let credential = signed_in.credential.replace(signed_in.token(), older);
        let claims = told.get_mut("claims").map(Value::take).context("claims")?;
        Ok((claims, SignedIn { credential, is_cookie: signed_in.is_cookie }))
    }
}

/// The server signs with a shared secret, so that a token can be made older ([`World::older`]).
fn secret_file(places: &Places<'_>) -> PathBuf {
    places.folder.join("secret")
}

fn start_server(places: &Places<'_>, addresses: Addresses, public_url: &str) -> anyhow::Result<Server> {
    let secret = secret_file(places);
    let settings = [
        ("COUNTERFOIL_PUBLIC_URL", OsStr::new(public_url)),
        ("COUNTERFOIL_TRUSTED_PROXIES", OsStr::new("[\"127.0.0.1\"]")),
        ("COUNTERFOIL_SCOPE__EVERYBODY", OsStr::new("[\"account\", \"articles:write\"]")),
        ("COUNTERFOIL_SIGNING__ALGORITHM", OsStr::new("HS512")),
        ("COUNTERFOIL_SIGNING__SECRET_FILE", secret.as_os_str()),
    ];
    Server::start_at(&addresses.server.to_string(), places.binary, &places.folder, &settings)
}
