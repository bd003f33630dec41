//! Why the server's keys cannot be used, in words for the operator.

use super::MasterKeyError;
use counterfoil_domain::store::StoreError;
use counterfoil_jwt::Algorithm;

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The master key is missing, unusable, or of another store.
    #[error(transparent)]
    Master(#[from] MasterKeyError),
    /// There are keys in the store and no master key beside it.
    #[error("the master key {0} is missing, and without it the stored keys cannot be opened: put the file back")]
    MasterMissing(String),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key or secret that the token core refuses.
    #[error("{what}: {source}")]
    Refused {
        /// Which key it was.
        what: String,
        /// Why.
        #[source]
        source: counterfoil_jwt::Error,
    },
    /// The configured algorithm is unknown.
    #[error("option `signing.algorithm`: {0:?} is not one of {known}", known = known_algorithms())]
    UnknownAlgorithm(String),
    /// The file with the shared secret cannot be used.
    #[error("option `signing.secret_file`: {0}")]
    SecretFile(String),
    /// A stored key that cannot be read although its seal is good.
    #[error("the stored key `{0}` cannot be read")]
    Unreadable(String),
}

impl KeyError {
    /// Only the store is to blame: ask again later.
    pub(crate) fn into_store_error(self) -> Result<StoreError, Self> {
        match self {
            Self::Store(error) => Ok(error),
            other => Err(other),
        }
    }
}

fn known_algorithms() -> String {
    Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ")
}
