//! The bare handler that everything is compared with: this very program, called by itself, so that it is a process of
//! its own like the server.

use crate::{driver::child::Server, options::CeilingKind};
use axum::{Router, routing::get};
use clap::ValueEnum;
use counterfoil::ServeOptions;
use std::{env, future::pending, process::Command};
use tokio::net::TcpListener;

/// Starts it as a child.
pub(crate) fn start(kind: CeilingKind) -> anyhow::Result<Server> {
    let mut command = Command::new(env::current_exe()?);
    let value = kind.to_possible_value();
    command.arg("--ceiling").arg(value.as_ref().map_or("", |value| value.get_name()));
    Server::spawn(command)
}

/// Is it.
pub(crate) fn serve(kind: CeilingKind) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/", get(|| async { "ok" }));
        match kind {
            CeilingKind::Counterfoil => {
                counterfoil::serve(listener, router, ServeOptions::default(), pending()).await?;
            }
            CeilingKind::Axum => axum::serve(listener, router).await?,
        }
        Ok(())
    })
}
