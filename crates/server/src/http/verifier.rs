//! Whoever checks tokens, demanded by the type that a handler takes: a client with its name and secret in the
//! `Authorization` header (RFC 6749 §2.3.1, RFC 7617), or anybody on this machine where only this machine is served.

use super::HttpError;
use crate::{
    app::{App, AppError, RequestOrigin},
    config::is_loopback_name,
};
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use base64_simd::STANDARD;
use counterfoil_domain::client::ClientId;
use std::net::SocketAddr;
use zeroize::Zeroizing;

/// Headers by which a proxy tells whom it serves, or a browser from which page it asks. Where one is set, it is no program
/// on this machine that asks for itself.
const OF_OTHERS: [HeaderName; 12] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("via"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
    header::ORIGIN,
    HeaderName::from_static("sec-fetch-site"),
];

/// Who checks tokens.
pub(super) struct Verifier {
    /// Its client; `None` where nobody has to say who they are.
    pub(super) client: Option<ClientId>,
}

impl FromRequestParts<App> for Verifier {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, HttpError> {
        let Some(presented) = parts.headers.get(header::AUTHORIZATION) else {
            if app.settings().is_open_on_loopback && comes_from_this_machine(parts) {
                return Ok(Self { client: None });
            }
            return Err(AppError::InvalidClient.into());
        };
        let (id, secret) = parse_basic(presented.as_bytes()).ok_or(AppError::InvalidClient)?;
        let Ok(origin) = RequestOrigin::from_request_parts(parts, app).await;
        let client = app.authenticate_client(&id, &secret, &origin).await?;
        Ok(Self { client: Some(client) })
    }
}

/// Whether a program on this machine asks, and for itself. A browser's page may reach loopback too, under a name that leads
/// there: the name must be ours.
fn comes_from_this_machine(parts: &Parts) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let is_loopback = peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback());
    is_loopback && !OF_OTHERS.iter().any(|name| parts.headers.contains_key(name)) && names_this_machine(&parts.headers)
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = host.to_str().unwrap_or_default();
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    is_loopback_name(Some(name))
}

/// The name and the secret, each of them encoded as a form is (RFC 6749 §2.3.1).
fn parse_basic(header: &[u8]) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode_to_vec(encoded.trim_ascii()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((form_decoded(id)?, Zeroizing::new(form_decoded(secret)?)))
}

fn form_decoded(text: &str) -> Option<String> {
    // What separates the parts of a form is encoded in a part.
    if text.contains(['&', '=']) {
        return None;
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(decoded, _)| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_secret_are_read_as_they_are_encoded() {
        for (text, expected) in [
            ("orders:cfk_x", Some(("orders", "cfk_x"))),
            ("or%64ers:a%3Ab+c", Some(("orders", "a:b c"))),
            ("orders:a:b", Some(("orders", "a:b"))),
            ("orders", None),
            (":secret", None),
            ("orders:", None),
            ("a&b:c", None),
        ] {
            let header = format!("bAsIc {}", STANDARD.encode_to_string(text));
            let parsed = parse_basic(header.as_bytes());
            let parsed = parsed.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
            assert_eq!(parsed, expected, "{text}");
        }
        for header in ["", "Basic", "Basic ", "Basic ?", "Bearer b3JkZXJzOmNma194", "Basic b3JkZXJzOmNma194 x"] {
            assert!(parse_basic(header.as_bytes()).is_none(), "{header}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let names = |host: &str| names_this_machine(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]));
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "[::1]"] {
            assert!(names(host), "{host}");
        }
        for host in
            ["auth.example.com", "localhost.example.com", "127.0.0.1.example.com:80", "::1", "evil:80:127.0.0.1"]
        {
            assert!(!names(host), "{host}");
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
