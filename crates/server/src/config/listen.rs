//! Where to listen, as people write it.

use serde::{Deserialize, Deserializer, de::Error};
use std::net::{Ipv4Addr, SocketAddr};

/// Reads `ADDRESS:PORT`, `localhost:PORT`, or `:PORT`.
///
/// `localhost` is this machine (RFC 6761 §6.3) and needs no look-up. Without an address it is every one of the machine, as
/// in other servers. Names are not looked up: what they stand for changes, and who is let in with it.
///
/// # Errors
/// A sentence that says what to write.
pub fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let with_name = || {
        let (host, port) = text.rsplit_once(':')?;
        let address = match host {
            "" | "*" => Ipv4Addr::UNSPECIFIED,
            host if host.eq_ignore_ascii_case("localhost") => Ipv4Addr::LOCALHOST,
            _ => return None,
        };
        Some(SocketAddr::from((address, port.parse().ok()?)))
    };
    text.parse().ok().or_else(with_name).ok_or_else(|| {
        "expected an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080; or localhost:8080; \
         or :8080 for every address of this machine"
            .to_owned()
    })
}

/// For serde.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parse_listen(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, address) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:80", "[::1]:80"),
            ("localhost:0", "127.0.0.1:0"),
            ("LocalHost:9", "127.0.0.1:9"),
            (":8080", "0.0.0.0:8080"),
            ("*:8080", "0.0.0.0:8080"),
        ] {
            assert_eq!(parse_listen(text).unwrap().to_string(), address, "{text}");
        }
        for text in
            ["", "8080", "localhost", "localhost:", "localhost:x", "localhost:65536", "::1:80x", "example.com:80"]
        {
            assert!(parse_listen(text).unwrap_err().contains("127.0.0.1:8080"), "{text}");
        }
    }
}
