//! A server in the test's own process, with a clock that stands still until the test turns it.

use super::{
    Client, Snapshot,
    probed_store::{ProbedStore, Probes},
    snapshot,
};
use axum::{Router, extract::RawQuery, http::StatusCode, routing::get};
use counterfoil::{
    Config, Counterfoil, CurrentUser, ServeOptions, StartError, serve, startup::open_store, system::OsEntropy,
};
use counterfoil_domain::{
    id::AccountId,
    session::{Changes, Ruling},
    store::Store,
};
use counterfoil_guard::ExtendLayer;
use counterfoil_store_contract::TestClock;
use std::{io, ops::Deref, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// The SQLite file in the data folder.
pub(crate) const DATA_FILE: &str = "counterfoil.sqlite";
/// Tokens name their issuer, and a restarted server listens on another port: this name stays.
pub(crate) const PUBLIC_URL: &str = "https://auth.example.com";

/// A running server. It is also its own client.
pub(crate) struct Server {
    client: Client,
    counterfoil: Counterfoil,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) folder: Arc<TempDir>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Server {
    /// A server on a new data folder.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same with other options.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(Arc::new(TempDir::new().unwrap()), Arc::default(), change).await.unwrap()
    }

    /// A server on this data folder.
    pub(crate) async fn start_in(
        folder: Arc<TempDir>,
        clock: Arc<TestClock>,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self, StartError> {
        let config = config(&folder, change);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let counterfoil = Counterfoil::open_with(&config, &base_url, clock.clone(), Arc::new(OsEntropy)).await?;
        Ok(Self::serve(listener, &base_url, counterfoil, clock, folder))
    }

    /// A server whose calls to the store are counted, and fail when the test says so.
    pub(crate) async fn start_probed() -> (Self, Arc<Probes>) {
        Self::start_probed_in(Arc::new(TempDir::new().unwrap()), Arc::default()).await
    }

    /// The same on this data folder.
    pub(crate) async fn start_probed_in(folder: Arc<TempDir>, clock: Arc<TestClock>) -> (Self, Arc<Probes>) {
        let config = config(&folder, |_| {});
        let probes = Arc::<Probes>::default();
        let store = Arc::new(open_store(&config, clock.clone()).unwrap());
        let store = Arc::new(ProbedStore::new(store, Arc::clone(&probes)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let entropy = Arc::new(OsEntropy);
        let counterfoil =
            Counterfoil::open_with_store(&config, &base_url, store, clock.clone(), entropy).await.unwrap();
        (Self::serve(listener, &base_url, counterfoil, clock, folder), probes)
    }

    fn serve(
        listener: TcpListener,
        base_url: &str,
        counterfoil: Counterfoil,
        clock: Arc<TestClock>,
        folder: Arc<TempDir>,
    ) -> Self {
        // Beside the server's own paths, one as somebody would write it who mounts the server in an app.
        let guarded = get(|user: CurrentUser| async move { user.account().to_string() });
        let extending = get(|user: CurrentUser, query: RawQuery| async move {
            let status = if query.0.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            (status, user.account().to_string())
        });
        let extending = extending.layer(ExtendLayer::new(counterfoil.guard(), counterfoil.extender()));
        let app = Router::new().route("/guarded", guarded).route("/extending", extending);
        let app = app.with_state(counterfoil.guard()).merge(counterfoil.router());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let options = ServeOptions { drain_timeout: Duration::from_secs(1), ..ServeOptions::default() };
        let serving = tokio::spawn(serve(listener, app, options, shutdown));
        Self { client: Client::new(base_url), counterfoil, clock, folder, stop, serving }
    }

    /// Stops it and waits until it has; gives what the next one needs to go on.
    pub(crate) async fn stop(self) -> (Arc<TempDir>, Arc<TestClock>) {
        let Self { client, counterfoil, clock, folder, stop, serving } = self;
        drop((client, stop));
        serving.await.unwrap().unwrap();
        drop(counterfoil);
        (folder, clock)
    }

    /// Time passes, and the server has gone on meanwhile: it has read its feed since. (A store that does not answer lets
    /// time pass as well.)
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        let _ = tokio::time::timeout(Duration::from_secs(1), self.counterfoil.app().follow_feed()).await;
    }

    pub(crate) fn counterfoil(&self) -> &Counterfoil {
        &self.counterfoil
    }

    pub(crate) fn store(&self) -> &(dyn Store + 'static) {
        self.counterfoil.app().store()
    }

    /// Everything that the store holds.
    pub(crate) async fn snapshot(&self) -> Snapshot {
        snapshot(self.store()).await
    }

    /// Disables an account in the store, as an operator's tool would.
    pub(crate) async fn disable(&self, account: &str) {
        let account: AccountId = account.parse().unwrap();
        let disable = move |view: Option<&counterfoil_domain::session::AccountView>, now| {
            let mut account = view.unwrap().account.clone();
            account.disabled_at = Some(now);
            Ruling { changes: Changes { account: Some(account), ..Changes::default() }, outcome: () }
        };
        self.store().decide_account(account, disable).await.unwrap();
    }
}

fn config(folder: &TempDir, change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config { public_url: Some(PUBLIC_URL.to_owned()), ..Config::default() };
    config.data = folder.path().join("data");
    config.password.hash_threads = Some(1);
    change(&mut config);
    config
}
