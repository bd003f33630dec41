//! Starting: the same way for the binary, for tests and inside another app.

use crate::{
    app::{App, AppParts, Settings, StoredSessions},
    config::{Config, ConfigError},
    data_folder::{DataFolder, DataFolderError, judge_folder},
    hashing::PasswordHasher,
    http,
    keys::{KeyError, open_keys},
    receipt_socket::ReceiptSocket,
    system::{OsEntropy, SystemClock},
};
use axum::Router;
use counterfoil_domain::{entropy::Entropy, store::Store, store::StoreError, time::Clock};
use counterfoil_guard::{Guard, GuardOptions, Revocations, SessionExtender, StalePolicy, WhenStale};
use counterfoil_store_sqlite::{OpenError, SqliteOptions, SqliteStore};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::task::JoinHandle;

/// Why the server does not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An option.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The store.
    #[error(transparent)]
    OpenStore(#[from] OpenError),
    /// The store, once open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The hashing threads.
    #[error("the password hashing threads do not start: {0}")]
    Hashing(#[source] io::Error),
}

/// A running server without a listener: keys open, store open, revocations loaded.
///
/// Dropping it stops what it does in the background and lets go of the data folder.
pub struct Counterfoil {
    app: App,
    data_path: PathBuf,
    maintenance: JoinHandle<()>,
    // Before the folder: the next server on it opens a socket of the same name.
    _receipts: Option<ReceiptSocket>,
    _folder: DataFolder,
}

impl Counterfoil {
    /// Opens everything for `config`. `base_url` is the address the server will be reached at, for where the
    /// configuration names no public URL.
    ///
    /// # Errors
    /// [`StartError`], written for the operator.
    pub async fn open(config: &Config, base_url: &str) -> Result<Self, StartError> {
        Self::open_with(config, base_url, Arc::new(SystemClock), Arc::new(OsEntropy)).await
    }

    /// As [`Counterfoil::open`], with a clock and randomness of one's own: for tests.
    ///
    /// # Errors
    /// As [`Counterfoil::open`].
    pub async fn open_with(
        config: &Config,
        base_url: &str,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let settings = Settings::from_config(config, base_url)?;
        let folder = DataFolder::open(&config.data)?.lock()?;
        let store = open_store(config, Arc::clone(&clock))?;
        Self::open_on(config, settings, folder, Arc::new(store), clock, entropy).await
    }

    /// As [`Counterfoil::open_with`], on a store that the caller has opened: one of another kind, or one that counts its
    /// calls. The data folder still holds the master key.
    ///
    /// # Errors
    /// As [`Counterfoil::open`].
    pub async fn open_with_store(
        config: &Config,
        base_url: &str,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let settings = Settings::from_config(config, base_url)?;
        let folder = DataFolder::open(&config.data)?.lock()?;
        Self::open_on(config, settings, folder, store, clock, entropy).await
    }

    async fn open_on(
        config: &Config,
        settings: Settings,
        folder: DataFolder,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let longest = store.raise_longest_token_lifetime(settings.lifetimes.longest_token_lifetime()).await?;
        let settings = settings.with_longest_token_lifetime(longest);
        let (terms, now) = (settings.key_terms, clock.now());
        let keys = open_keys(&*store, folder.path(), &config.signing, terms, now, Arc::clone(&entropy)).await?;
        let ring = keys.snapshot();
        let revocations = Arc::new(Revocations::new());
        let sessions = StoredSessions::new(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&entropy), &settings);
        let options = GuardOptions {
            cookies: Some(settings.cookies.clone()),
            lookup: Some(Arc::new(sessions)),
            // The store is the server's own: while it does not answer nobody can be signed out either.
            when_stale: WhenStale::always(StalePolicy::Open(StalePolicy::OPEN_MAX)),
            ..GuardOptions::default()
        };
        let policy = settings.token_policy(ring.algorithms());
        let guard_keys = ring.guard_keys(policy.clone());
        let (known, time) = (Arc::clone(&revocations), Arc::clone(&clock));
        let guard = Guard::with_options(policy, guard_keys.accepted.clone(), known, time, options);
        guard.take_keys(guard_keys);
        let hasher = PasswordHasher::start(config.hash_threads(), config.password.hash_queue_max, &entropy);
        let hasher = hasher.map_err(StartError::Hashing)?;
        let app = App::new(AppParts { store, keys, guard, revocations, hasher, clock, entropy, settings });
        app.follow_feed().await?;
        let maintenance = tokio::spawn(app.clone().maintain());
        let receipts = ReceiptSocket::open(folder.path(), app.clone());
        Ok(Self { app, data_path: folder.path().to_owned(), maintenance, _receipts: receipts, _folder: folder })
    }

    /// Every path of the API.
    pub fn router(&self) -> Router {
        http::router(self.app.clone())
    }

    /// Verifies access tokens of this server in the same process: state for handlers that take a `CurrentUser`.
    pub fn guard(&self) -> Guard {
        self.app.guard().clone()
    }

    /// Extends sliding sessions in the same process: for [`ExtendLayer`](counterfoil_guard::ExtendLayer) on the handlers
    /// that count as use.
    pub fn extender(&self) -> Arc<dyn SessionExtender> {
        Arc::new(self.app.clone())
    }

    /// The use cases.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// The data folder, in full.
    pub fn data_path(&self) -> &Path {
        &self.data_path
    }
}

impl Drop for Counterfoil {
    fn drop(&mut self) {
        self.maintenance.abort();
    }
}

/// Opens the configured store without starting a server, as the command line does.
///
/// # Errors
/// [`StartError`], written for the operator.
pub fn open_store(config: &Config, clock: Arc<dyn Clock>) -> Result<SqliteStore, StartError> {
    DataFolder::open(&config.data)?;
    let file = config.sqlite_path()?;
    // The store may be kept elsewhere; what holds for the data folder holds there.
    if let Some(folder) = file.parent().map(|folder| if folder == Path::new("") { Path::new(".") } else { folder })
        && folder.exists()
    {
        judge_folder(folder)?;
    }
    Ok(SqliteStore::open(SqliteOptions::new(file, clock))?)
}
