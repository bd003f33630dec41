//! Whether everybody who verifies has heard of something.

use counterfoil_domain::revocation::FeedPosition;

/// Knows who follows the feed, and how far each has applied it. A verifier says that it has applied an entry of kind `keys`
/// only once it has loaded the keys.
pub trait AppliedByAll: Send + Sync {
    /// The names of the live verifiers that have not applied the feed up to `position`, other nodes of this server included.
    fn behind(&self, position: FeedPosition) -> Vec<String>;

    /// Whether every live verifier has applied the feed up to `position`.
    fn is_applied_by_all(&self, position: FeedPosition) -> bool {
        self.behind(position).is_empty()
    }
}

/// For a server that nobody else follows.
#[derive(Clone, Copy, Debug, Default)]
pub struct NobodyFollows;

impl AppliedByAll for NobodyFollows {
    fn behind(&self, _: FeedPosition) -> Vec<String> {
        Vec::new()
    }
}
