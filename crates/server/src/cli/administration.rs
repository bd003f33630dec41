//! What commands that work on the store share: opening it, and a runtime to call it from.

use super::ConfigArgs;
use crate::{
    Config,
    app::{AccountAdministration, kept_for},
    startup::open_store,
    system::{OsEntropy, SystemClock},
};
use counterfoil_domain::store::Store;
use std::{future::Future, sync::Arc};

/// An open store and what was configured.
pub(super) struct Administration {
    pub(super) config: Config,
    pub(super) accounts: AccountAdministration,
}

impl Administration {
    /// Opens the configured store. A server may be running on it: it sees what is done here through the feed.
    pub(super) fn open(args: &ConfigArgs) -> anyhow::Result<Self> {
        let config = args.load()?;
        let path = config.sqlite_path()?;
        // A mistyped folder must not become a new, empty store.
        anyhow::ensure!(
            path.exists(),
            "there is no store at {}: start the server once, or name its folder with --data",
            path.display()
        );
        Self::open_or_make(config)
    }

    /// As [`Administration::open`], and makes the store if it is not there: accounts may be made before the first start.
    pub(super) fn open_or_make(config: Config) -> anyhow::Result<Self> {
        let store = Arc::new(open_store(&config, Arc::new(SystemClock))?);
        // The server may have been started with another configuration than this command: the store knows.
        let lifetime = config.lifetimes().longest_token_lifetime();
        let longest = block_on(async { Ok(store.raise_longest_token_lifetime(lifetime).await?) })?;
        let longest_token_lifetime = kept_for(longest);
        let accounts = AccountAdministration { store, entropy: Arc::new(OsEntropy), longest_token_lifetime };
        Ok(Self { config, accounts })
    }
}

/// Runs one command's calls to the store.
pub(super) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}
