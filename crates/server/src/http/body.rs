//! Bodies, read into memory that is bounded for all requests together.
//!
//! A body that comes slowly is held as long as its request may take, so ten thousand connections with 64 KiB each would
//! be a process's whole memory. Every request may hold a little, which is more than any sign-in, refresh or revocation
//! needs. Larger bodies share a fixed amount; whoever uses that up keeps only other large bodies out.

use super::HttpError;
use axum::{body::Body, extract::Request, http::StatusCode};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The largest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// What each request may hold of its body without asking, in bytes. Memory grows in steps of this.
pub const SMALL_BODY_BYTES_MAX: usize = 4 * 1024;
/// What the bodies of all requests of the process may hold beyond that, in bytes.
pub const LARGE_BODIES_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The memory is the process's, and so is the bound.
static LARGE_BODIES: Budget = Budget::new(LARGE_BODIES_BYTES_MAX);

/// Memory for large bodies, in steps of [`SMALL_BODY_BYTES_MAX`].
struct Budget(Semaphore);

/// Part of that memory; given back when dropped. Whoever reads a body keeps it until the request is answered, since what
/// was read lives on in what was parsed from it.
pub(super) struct HeldBody {
    _large: Option<SemaphorePermit<'static>>,
}

/// Reads a request's body.
///
/// # Errors
/// 413 `body_too_large`; 400 `body_incomplete`; 503 `overloaded` when too many large bodies are being read.
pub(super) async fn read(request: Request) -> Result<(Vec<u8>, HeldBody), HttpError> {
    LARGE_BODIES.read(request.into_body()).await
}

impl Budget {
    const fn new(bytes: usize) -> Self {
        Self(Semaphore::const_new(bytes / SMALL_BODY_BYTES_MAX))
    }

    async fn read(&'static self, mut body: Body) -> Result<(Vec<u8>, HeldBody), HttpError> {
        let mut large: Option<SemaphorePermit<'static>> = None;
        let mut bytes = Vec::with_capacity(SMALL_BODY_BYTES_MAX);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| incomplete())?.into_data() else { continue };
            if bytes.len() + data.len() > BODY_BYTES_MAX {
                return Err(too_large());
            }
            while bytes.capacity() < bytes.len() + data.len() {
                let step = self.0.try_acquire().map_err(|_| too_many())?;
                match &mut large {
                    Some(large) => large.merge(step),
                    None => large = Some(step),
                }
                bytes.reserve_exact(bytes.capacity() - bytes.len() + SMALL_BODY_BYTES_MAX);
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes, HeldBody { _large: large }))
    }
}

fn too_large() -> HttpError {
    let detail = format!("the body is larger than {} KiB", BODY_BYTES_MAX / 1024);
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

fn too_many() -> HttpError {
    let detail = format!(
        "too many large bodies are being read: try again in a moment, or send less than {} KiB",
        SMALL_BODY_BYTES_MAX / 1024
    );
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
}

fn incomplete() -> HttpError {
    HttpError::new(StatusCode::BAD_REQUEST, "body_incomplete", "the body broke off")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    async fn status(budget: &'static Budget, bytes: usize) -> Result<HeldBody, u16> {
        let read = budget.read(Body::from(vec![b'x'; bytes])).await;
        read.map(|(read, held)| {
            assert_eq!(read.len(), bytes);
            assert!(read.capacity() <= bytes.next_multiple_of(SMALL_BODY_BYTES_MAX).max(SMALL_BODY_BYTES_MAX));
            held
        })
        .map_err(|error| error.into_response().status().as_u16())
    }

    #[tokio::test]
    async fn small_bodies_are_always_read_and_large_ones_share() {
        static BUDGET: Budget = Budget::new(20 * 1024);
        // 12 KiB of the 20, beside what is free.
        let large = status(&BUDGET, 16 * 1024).await.unwrap();
        assert_eq!(status(&BUDGET, 13 * 1024).await.err(), Some(503));
        // A body that was refused half-way has given back what it held.
        let fits = status(&BUDGET, 12 * 1024).await.unwrap();
        assert_eq!(status(&BUDGET, 4 * 1024 + 1).await.err(), Some(503));
        let mut small = Vec::new();
        for bytes in [0, 1, 4 * 1024].into_iter().cycle().take(300) {
            small.push(status(&BUDGET, bytes).await.unwrap());
        }
        drop((large, fits));
        assert!(status(&BUDGET, 24 * 1024).await.is_ok());
        assert_eq!(BUDGET.0.available_permits(), 5, "all was given back");
    }

    #[tokio::test]
    async fn none_is_larger_than_the_largest() {
        static BUDGET: Budget = Budget::new(LARGE_BODIES_BYTES_MAX);
        assert!(status(&BUDGET, BODY_BYTES_MAX).await.is_ok());
        assert_eq!(status(&BUDGET, BODY_BYTES_MAX + 1).await.err(), Some(413));
    }
}
