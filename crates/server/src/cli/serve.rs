//! `counterfoil serve`.

use super::{ConfigArgs, EXIT_DONE, log_format::NamingRequest};
use crate::{
    Config, Counterfoil,
    config::{LogFormat, load, parse_listen},
    http::{ServeOptions, serve},
    keys::MASTER_KEY_FILE,
    system::OsEntropy,
};
use anyhow::Context;
use clap::Args;
use counterfoil_domain::entropy::random_bytes;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt::format::JsonFields};

/// Run the server.
#[derive(Args)]
pub(super) struct ServeArgs {
    /// Where to listen: ADDRESS:PORT, localhost:PORT, or :PORT for every address of this machine; port 0 takes a free one
    /// [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS", value_parser = parse_listen)]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<u8> {
    let mut sources = args.config.sources();
    sources.flags.extend(args.listen.map(|listen| ("listen", listen.to_string())));
    let config = load(&sources)?;
    let _logging = start_logging(&config)?;
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run_server(&config))?;
    Ok(EXIT_DONE)
}

async fn run_server(config: &Config) -> anyhow::Result<()> {
    // Signals first: one that comes while the store opens must not be lost.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", config.listen))?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let counterfoil = Counterfoil::open(config, &base_url).await?;
    tracing::info!(address = base_url, version = env!("CARGO_PKG_VERSION"), data = %counterfoil.data_path().display(), "listening");
    warn_if_exposed(config);
    print_welcome(&counterfoil, config, &base_url)?;
    let shutdown = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("shutting down: finishing what has begun");
    };
    serve(listener, counterfoil.router(), ServeOptions::default(), shutdown).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Starts logging; logs are written as long as the returned value lives.
fn start_logging(config: &Config) -> anyhow::Result<WorkerGuard> {
    let filter = EnvFilter::try_new(&config.log.filter).context("option `log.filter`")?;
    // From a thread of its own, with a bounded queue: a reader that stalls loses lines, and stops no request.
    let (writer, guard) = NonBlockingBuilder::default().lossy(true).finish(std::io::stderr());
    // Logs go to stderr, so that stdout has what a person or a script asked for and nothing else.
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let event_format = tracing_subscriber::fmt::format();
    match config.log.format {
        LogFormat::Text => {
            let text = event_format.with_ansi(std::io::stderr().is_terminal());
            logs.event_format(NamingRequest::in_text(text)).init();
        }
        LogFormat::Json => {
            let json = event_format.json().flatten_event(true).with_current_span(false).with_span_list(false);
            logs.fmt_fields(JsonFields::new()).event_format(NamingRequest::in_json(json)).init();
        }
    }
    Ok(guard)
}

/// Every connection is a file: takes as many as the system lets this process have.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it was");
    }
}

/// Beyond this machine, plain http shows every password and token to whoever is on the way (OAuth 2.1 §1.5).
fn warn_if_exposed(config: &Config) {
    if !config.listen.ip().is_loopback() && config.public_url.is_none() {
        tracing::warn!(
            "listening beyond this machine over plain http: put TLS in front, and set public_url to what it is reached at"
        );
    }
}

fn print_welcome(counterfoil: &Counterfoil, config: &Config, base_url: &str) -> anyhow::Result<()> {
    let folder = counterfoil.data_path().display();
    let store = config.sqlite_path()?;
    // A new address each time, so that the line works as often as it is tried.
    let number = u16::from_be_bytes(random_bytes(&OsEntropy));
    let mut out = std::io::stdout().lock();
    writeln!(out, "Counterfoil {} is running.", env!("CARGO_PKG_VERSION"))?;
    writeln!(out)?;
    writeln!(out, "  address   {base_url}")?;
    if counterfoil.app().settings().issuer != base_url {
        writeln!(out, "  issuer    {}", counterfoil.app().settings().issuer)?;
    }
    writeln!(out, "  API       {base_url}/v1/openapi.json")?;
    writeln!(out, "  data      {}", store.canonicalize().unwrap_or(store).display())?;
    writeln!(out, "  keys      sealed under {folder}/{MASTER_KEY_FILE}: keep a copy of that file apart from the data")?;
    writeln!(out)?;
    writeln!(out, "Try it: make an account and be signed in with it.")?;
    writeln!(out)?;
    writeln!(
        out,
        "  curl {base_url}/v1/accounts -H 'Content-Type: application/json' \
         -d '{{\"email\":\"me-{number:04x}@example.com\",\"password\":\"correct horse battery staple\",\"sign_in\":{{}}}}'"
    )?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}
