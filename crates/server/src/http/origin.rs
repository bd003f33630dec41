//! Where a request came from.

use crate::{
    app::{App, RequestOrigin},
    config::Network,
};
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Once,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl FromRequestParts<App> for RequestOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            ip: peer.map(|ConnectInfo(peer)| client_ip(peer.ip(), &parts.headers, &app.settings().trusted_proxies)),
            user_agent: user_agent.map(str::to_owned),
        })
    }
}

/// The address of the client: the peer's own, unless the peer is one of our proxies. Then it is whom that proxy says it
/// serves, and so on, for as long as the one who says it is a proxy of ours.
///
/// `X-Forwarded-For` is whatever a client likes to say (ASVS 4.1.3): each proxy appends whom it saw, so only what our own
/// appended, from the right, is known. No peer is trusted by default, not even on loopback: a proxy that passes the
/// header on as it came, as nginx does unless told otherwise, would let everybody choose an address.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[Network]) -> IpAddr {
    let is_proxy = |ip: IpAddr| trusted_proxies.iter().any(|network| network.contains(ip));
    let mut client = peer.to_canonical();
    if !is_proxy(client) {
        if headers.contains_key(FORWARDED_FOR) {
            tell_of_unknown_proxy(client);
        }
        return client;
    }
    let fields = headers.get_all(FORWARDED_FOR).iter().rev();
    // Each entry by itself: what a client put before our proxy's must not spoil it, whatever bytes it has.
    let entries = fields.flat_map(|field| field.as_bytes().rsplit(|byte| *byte == b','));
    for entry in entries {
        let Some(ip) = str::from_utf8(entry).ok().and_then(|entry| parse_entry(entry.trim())) else { break };
        client = ip;
        if !is_proxy(client) {
            break;
        }
    }
    client
}

/// An address, with a port behind it as some proxies write.
fn parse_entry(entry: &str) -> Option<IpAddr> {
    let without_brackets = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let ip = entry.parse::<IpAddr>().ok().or_else(without_brackets);
    let ip = ip.or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()));
    ip.map(|ip| ip.to_canonical())
}

/// Once, and only for peers that are likely to be somebody's proxy, so that strangers cannot make the log say it.
fn tell_of_unknown_proxy(peer: IpAddr) {
    static TOLD: Once = Once::new();
    let is_near = match peer {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    if is_near {
        TOLD.call_once(|| {
            tracing::warn!(
                %peer,
                "a proxy seems to be in front: everybody behind it counts as one client, under its address. If it \
                 appends to X-Forwarded-For, or sets it anew, name it in the option trusted_proxies"
            );
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(peer: &str, fields: &[&'static str]) -> String {
        let proxies: Vec<Network> = ["10.0.0.0/8", "127.0.0.1"].iter().map(|text| text.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(field));
        }
        client_ip(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_what_our_own_proxies_appended_counts() {
        for (peer, fields, expected) in [
            // Not a proxy of ours: what it says is its own business.
            ("203.0.113.9", &["192.0.2.1"][..], "203.0.113.9"),
            ("127.0.0.2", &["192.0.2.1"], "127.0.0.2"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            ("::ffff:127.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            // The client itself wrote the first; our proxy appended the second.
            ("127.0.0.1", &["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["198.51.100.7", "192.0.2.1"], "192.0.2.1"),
            // Two proxies in a row.
            ("127.0.0.1", &["198.51.100.7, 192.0.2.1, 10.1.2.3"], "192.0.2.1"),
            ("127.0.0.1", &["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
            ("127.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            // No address: whoever was known last.
            ("127.0.0.1", &["192.0.2.1, unknown"], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.1, unknown, 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &[""], "127.0.0.1"),
        ] {
            assert_eq!(client(peer, fields), expected, "{peer} {fields:?}");
        }
    }

    #[test]
    fn what_the_client_put_first_spoils_nothing() {
        let proxies: Vec<Network> = vec!["127.0.0.1".parse().unwrap()];
        for before in [&b"\xff"[..], "é".as_bytes(), b"\t"] {
            let field = HeaderValue::from_bytes(&[before, b", 203.0.113.9"].concat()).unwrap();
            let headers = HeaderMap::from_iter([(FORWARDED_FOR, field)]);
            assert_eq!(client_ip("127.0.0.1".parse().unwrap(), &headers, &proxies).to_string(), "203.0.113.9");
        }
    }
}
