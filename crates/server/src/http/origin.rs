//! Where a request came from.

use crate::app::RequestOrigin;
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{header, request::Parts},
};
use std::{convert::Infallible, net::SocketAddr};

impl<S: Send + Sync> FromRequestParts<S> for RequestOrigin {
    type Rejection = Infallible;

    /// The peer's own address: `X-Forwarded-For` is whatever a client likes to say (ASVS 4.1.3).
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            ip: peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()),
            user_agent: user_agent.map(str::to_owned),
        })
    }
}
