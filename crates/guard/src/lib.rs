//! Tells who a request is from: access tokens are verified with keys and revocations held in memory, without network and
//! store; what is looked up is looked up once.
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
//! One guard takes every session policy, by its [`GuardOptions`]:
//!
//! | policy | the request brings | costs |
//! |---|---|---|
//! | `refresh`, `sliding` | `Authorization: Bearer` a signed token, or the access cookie | no look-up |
//! | `tracked` | the same | one look-up |
//! | `session` | the session cookie | one look-up |
//! | `personal` | `Authorization: Bearer cfp_…` | none while it is remembered (five minutes), else one |
//!
//! Schemes are looked for in the order bearer, session cookie, access cookie; a request with two credentials is refused.
//! A request with a cookie that may change something must come from the server's own pages.
//!
//! A service that is not the server follows it over the network (feature `follow`, `Guard::follow`): keys and revocations
//! come by themselves, and each request is judged by how old the last proof is that every sign-out is known. What is done
//! while that is too old is each route's choice: [`WhenStale`]. `docs/guard.md` tells how it works.
//!
//! A refusal knows its own answer: [`Rejection`]. A handler demands more in one line:
//!
//! ```
//! # use counterfoil_guard::{CurrentUser, Rejection};
//! async fn invoices(user: CurrentUser) -> Result<String, Rejection> {
//!     user.require_scope("invoices:read")?;
//!     Ok(format!("the invoices of {}", user.account()))
//! }
//! ```

mod bearer;
mod cookies;
mod current_user;
mod extend;
mod extract;
#[cfg(feature = "follow")]
mod follow;
mod guard;
mod identity_headers;
mod introspected;
mod keys;
mod layer;
mod looked_up;
mod lookup;
mod min_seq;
mod rejection;
mod revocations;
mod scheme;
mod scope;
mod stale;
mod standing;
mod status;
mod telemetry;
mod token_claims;
mod upstream;
mod verified_cache;
mod while_stale;

pub use cookies::{CookieKind, CookieRules};
pub use current_user::CurrentUser;
pub use extend::{
    EXTENDED_AFTER, EXTENDED_TOKEN, Extend, ExtendFuture, ExtendLayer, ExtendedToken, NotExtended, SessionExtender,
};
#[cfg(feature = "follow")]
pub use follow::{Follow, FollowError, FollowKeys, Subject, SubjectGuard};
pub use guard::{Guard, GuardOptions};
pub use keys::GuardKeys;
pub use layer::{RequireUser, RequireUserLayer};
pub use lookup::{FoundSession, LookupError, LookupFuture, SessionLookup};
pub use rejection::Rejection;
pub use revocations::Revocations;
pub use scope::{RequireScope, RequiredScope};
pub use stale::{StalePolicy, WhenStale};
pub use status::{GuardState, GuardStatus};
