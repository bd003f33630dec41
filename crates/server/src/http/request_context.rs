//! Which request this task is answering: what its log lines and its answer carry.
//!
//! A tracing span for each request would do the same for the log, at a price that every request pays (a microsecond, as
//! much as the rest of a verification) while next to none writes a line. So the request is kept beside the task, and
//! put into a line when there is one ([`crate::cli`]'s log format).

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderValue, Method},
};
use std::{
    fmt::{self, Display, Formatter},
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// A future that is a part of a request.
pub(super) type InRequest<F> = TaskLocalFuture<RequestContext, F>;

/// An id that nobody can guess the next of, and that tells nothing of the process: a count, hashed with a random key.
#[derive(Clone, Copy)]
pub(crate) struct RequestId(u64);

impl RequestId {
    fn next() -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(KEY.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// As a header's value: sixteen hexadecimal digits.
    pub(super) fn to_header_value(self) -> HeaderValue {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let digit = |position: usize| {
            let nibble = (self.0 >> (60 - 4 * position)) & 0xF;
            usize::try_from(nibble).ok().and_then(|nibble| DIGITS.get(nibble)).copied().unwrap_or(b'0')
        };
        HeaderValue::from_bytes(&std::array::from_fn::<u8, 16, _>(digit)).unwrap_or(HeaderValue::from_static("0"))
    }
}

impl Display for RequestId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a log line says of the request it belongs to. The route's pattern, and no header, query or body: those are where
/// secrets are.
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub(crate) id: RequestId,
    pub(crate) method: Method,
    route: Option<MatchedPath>,
}

impl RequestContext {
    pub(super) fn of(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { id: RequestId::next(), method: request.method().clone(), route }
    }

    /// The route's pattern.
    pub(crate) fn route(&self) -> &str {
        self.route.as_ref().map_or("(none)", MatchedPath::as_str)
    }

    /// Makes `future` a part of this request.
    pub(super) fn scope<F: Future>(self, future: F) -> InRequest<F> {
        CURRENT.scope(self, future)
    }

    /// Calls `work` as a part of this request.
    pub(super) fn sync_scope<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    /// Calls `look` with the request that this task is answering, if it is answering one.
    pub(crate) fn with_current<T>(look: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(look).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_and_a_log_line_name_the_same_id() {
        for id in [RequestId(0), RequestId(0x0123_4567_89ab_cdef), RequestId(u64::MAX), RequestId::next()] {
            assert_eq!(id.to_header_value().to_str().unwrap(), id.to_string());
        }
        assert_ne!(RequestId::next().0, RequestId::next().0);
    }
}
