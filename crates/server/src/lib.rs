//! Counterfoil: an authentication server, as a binary and as a router to mount in an axum app.
//!
//! The binary is `counterfoil serve`. The same server inside one's own process:
//!
//! ```no_run
//! use counterfoil::{Config, Counterfoil};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let counterfoil = Counterfoil::open(&Config::default(), "http://127.0.0.1:8080").await?;
//! let app = axum::Router::new()
//!     // your own routes, whose handlers take `CurrentUser`, with `counterfoil.guard()` as state …
//!     .merge(counterfoil.router());
//! counterfoil::serve(listener, app, Default::default(), std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Rooms: [`app`] holds the use cases, [`http`] the outside, [`keys`] the server's own keys, [`hashing`] the password
//! threads, [`config`] the options; [`startup`] joins them.

pub mod app;
pub mod cli;
pub mod config;
mod data_folder;
pub mod hashing;
pub mod http;
pub mod keys;
mod receipt_socket;
pub mod startup;
pub mod system;

pub use config::Config;
pub use counterfoil_guard::{CurrentUser, Guard};
pub use http::{ServeOptions, openapi_document, serve};
pub use startup::{Counterfoil, StartError};
