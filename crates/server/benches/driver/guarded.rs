//! A small service of somebody else's, behind a guard that follows the server: this very program, called by itself, so
//! that it is a process of its own.

use crate::driver::child::Server;
use anyhow::Context;
use axum::{Json, Router, extract::State, routing::get};
use counterfoil_guard::{CurrentUser, Guard, StalePolicy, WhenStale};
use serde_json::{Value, json};
use std::{env, net::SocketAddr, process::Command, time::Duration};
use tokio::net::TcpListener;

/// Tell the child what it is to be. They do not begin with `COUNTERFOIL_`, which are the server's.
const ISSUER: &str = "GUARDED_ISSUER";
const NAME: &str = "GUARDED_NAME";
const LISTEN: &str = "GUARDED_LISTEN";
const SECRET: &str = "GUARDED_SECRET";

/// The client whose credentials it presents, where it presents any.
pub(crate) const CLIENT: &str = "guarded";
/// How long `/open` goes on after it has become stale.
pub(crate) const OPEN_FOR: Duration = Duration::from_secs(3);

/// What a guarded service is started with.
pub(crate) struct Guarded<'a> {
    /// The issuer it follows.
    pub(crate) issuer: &'a str,
    /// What it calls itself.
    pub(crate) name: &'a str,
    /// Where it listens.
    pub(crate) listen: &'a str,
    /// The secret of [`CLIENT`], where the server asks for one.
    pub(crate) secret: Option<&'a str>,
}

impl<'a> Guarded<'a> {
    /// One that follows a server on this machine, which asks for no secret.
    pub(crate) const fn following(issuer: &'a str, name: &'a str) -> Self {
        Self { issuer, name, listen: "127.0.0.1:0", secret: None }
    }

    /// Starts it: `command` is this program, told to be a guarded service.
    pub(crate) fn start(&self, mut command: Command) -> anyhow::Result<Server> {
        command.env(ISSUER, self.issuer).env(NAME, self.name).env(LISTEN, self.listen);
        command.envs(self.secret.map(|secret| (SECRET, secret)));
        Server::spawn(command)
    }
}

/// Is one, until it is killed.
///
/// `/bare` asks nobody. `/` has the guard's own policy, `/closed` and `/open` have theirs, and `/status` tells how the guard
/// is.
pub(crate) fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let variable = |name: &str| env::var(name).with_context(|| format!("{name} is not set"));
        let listen: SocketAddr = variable(LISTEN)?.parse()?;
        let listener = TcpListener::bind(listen).await?;
        let mut follow = Guard::follow(variable(ISSUER)?).name(variable(NAME)?).allow_plain_http();
        if let Ok(secret) = env::var(SECRET) {
            follow = follow.client(CLIENT, secret);
        }
        let guard = follow.start().await?;
        println!("http://{}", listener.local_addr()?);
        let with = |policy: StalePolicy| guard.when_stale(WhenStale { safe_methods: policy, unsafe_methods: policy });
        let router = Router::new()
            .route("/bare", get(|| async { "ok" }))
            .route("/status", get(status))
            .merge(Router::new().route("/", get(hello).post(hello)).with_state(guard.clone()))
            .merge(Router::new().route("/closed", get(hello)).with_state(with(StalePolicy::Closed)))
            .merge(Router::new().route("/open", get(hello)).with_state(with(StalePolicy::Open(OPEN_FOR))))
            .with_state(guard.clone());
        axum::serve(listener, router).await?;
        Ok(())
    })
}

async fn hello(_: CurrentUser) -> &'static str {
    "ok"
}

async fn status(State(guard): State<Guard>) -> Json<Value> {
    let status = guard.status();
    Json(json!({ "state": status.state.as_str(), "entries": status.entries, "seq": status.applied.seq }))
}
