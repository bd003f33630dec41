//! A small service behind a guard that follows a server over the network. Try it, with a server on the same machine:
//!
//! ```sh
//! cargo run -- serve                                              # http://127.0.0.1:8080, asks no secret on loopback
//! cargo run -p counterfoil-example-guarded                        # http://127.0.0.1:8090
//! curl 127.0.0.1:8090/invoices -H 'Authorization: Bearer …'       # an access token of the server
//! curl 127.0.0.1:8090/healthz
//! ```
//!
//! Elsewhere: `COUNTERFOIL_ISSUER`, `COUNTERFOIL_AUDIENCE`, `COUNTERFOIL_CLIENT` and `COUNTERFOIL_CLIENT_SECRET`.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use counterfoil_guard::{CurrentUser, Guard, GuardState, RequireScope, StalePolicy, WhenStale, required_scope};
use serde_json::json;
use std::env;
use tokio::net::TcpListener;

required_scope! {
    /// What every account of a new server may.
    ReadProfile = "account";
}

/// Nobody is looked up for this: the token is verified in memory.
async fn invoices(user: CurrentUser) -> String {
    format!("the invoices of {}\n", user.account())
}

/// 403 without the scope.
async fn profile(user: RequireScope<ReadProfile>) -> String {
    format!("the profile of {}\n", user.account())
}

/// Good and bad news for whoever is signed in, and something for the others.
async fn news(user: Option<CurrentUser>) -> String {
    user.map_or_else(|| "the news\n".to_owned(), |user| format!("the news for {}\n", user.account()))
}

async fn pay(user: CurrentUser) -> String {
    format!("paid by {}\n", user.account())
}

/// Healthy is who can tell who is signed in.
async fn health(State(guard): State<Guard>) -> impl IntoResponse {
    let status = guard.status();
    let is_well = !matches!(status.state, GuardState::Cold | GuardState::Snapshot);
    let code = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "state": status.state.as_str(),
        "proof_age_ms": status.proof_age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        "revocations": status.entries,
        "last_failure": status.last_failure,
    });
    (code, Json(body))
}

fn app(guard: &Guard) -> Router {
    // Money moves only while every sign-out is known. Everything else does as it does by default.
    let strict = guard.when_stale(WhenStale::always(StalePolicy::Closed));
    let payments = Router::new().route("/payments", post(pay)).with_state(strict);
    Router::new()
        .route("/invoices", get(invoices))
        .route("/profile", get(profile))
        .route("/news", get(news))
        .route("/healthz", get(health))
        .with_state(guard.clone())
        .merge(payments)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let issuer = env::var("COUNTERFOIL_ISSUER").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let mut follow = Guard::follow(issuer).name("guarded");
    if let Ok(audience) = env::var("COUNTERFOIL_AUDIENCE") {
        follow = follow.audience(audience);
    }
    if let (Ok(client), Ok(secret)) = (env::var("COUNTERFOIL_CLIENT"), env::var("COUNTERFOIL_CLIENT_SECRET")) {
        follow = follow.client(client, secret);
    }
    let guard = follow.start().await?;
    let listener = TcpListener::bind(env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8090".to_owned())).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(&guard))
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    // So that no sign-out waits for this process.
    guard.shutdown().await;
    Ok(())
}
