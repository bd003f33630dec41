//! Verifies access tokens with keys and revocations held in memory: no network and no store per request.
//!
//! A [`Guard`] holds the rules ([`counterfoil_jwt::Policy`]), the keys and the [`Revocations`]; everything it needs is
//! there before the request comes. A handler asks for the result by taking a [`CurrentUser`]:
//!
//! ```
//! use axum::{Router, routing::get};
//! use counterfoil_guard::{CurrentUser, Guard};
//!
//! async fn hello(user: CurrentUser) -> String {
//!     format!("hello, {}", user.account())
//! }
//!
//! fn app(guard: Guard) -> Router {
//!     Router::new().route("/hello", get(hello)).with_state(guard)
//! }
//! ```
//!
//! The way of a request: bearer token from the header → verified before? else signature, issuer, audience, type → times →
//! revoked? → handler. A token that comes again costs a comparison instead of a signature check.
//!
//! A refusal knows its own answer: [`Rejection`].

mod bearer;
mod current_user;
mod extract;
mod guard;
mod identity_headers;
mod keys;
mod rejection;
mod revocations;
mod verified_cache;

pub use current_user::CurrentUser;
pub use guard::Guard;
pub use rejection::Rejection;
pub use revocations::Revocations;
