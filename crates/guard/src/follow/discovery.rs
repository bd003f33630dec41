//! Where a server's endpoints are: its metadata (RFC 8414; for others OpenID Connect Discovery 1.0).

use super::{
    error::{Failure, FollowError},
    http::Http,
};
use reqwest::Url;
use serde::Deserialize;
use std::time::Duration;

const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
const METADATA_BYTES_MAX: usize = 256 * 1024;

/// What of the metadata is read. Others are ignored (RFC 8414 §2).
#[derive(Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    jwks_uri: Option<String>,
    counterfoil_feed_endpoint: Option<String>,
    introspection_endpoint: Option<String>,
}

/// The addresses of one server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Endpoints {
    pub(crate) keys: Url,
    pub(crate) feed: Option<Url>,
    pub(crate) introspection: Option<Url>,
}

/// Which server is looked for, and how it may be reached.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) issuer: String,
    pub(crate) allow_plain_http: bool,
    /// Where the issuer's host is reached from here, if not under its own name.
    pub(crate) reached_at: Option<Url>,
}

impl Target {
    /// Asks for the metadata at the addresses given, in turn, and reads the endpoints from it.
    pub(crate) async fn discover(&self, http: &Http, addresses: &[Url]) -> Result<Endpoints, Failure> {
        let mut not_there = None;
        for address in addresses {
            let url = &self.route(address.clone());
            match http.get_public(url, METADATA_TIMEOUT, METADATA_BYTES_MAX).await {
                Ok(answer) => {
                    let metadata = serde_json::from_slice(&answer.body);
                    let metadata =
                        metadata.map_err(|error| Failure::unreadable(format!("the metadata at {url}: {error}")))?;
                    return Ok(self.endpoints(&metadata)?);
                }
                Err(Failure::Status { status, url }) if (400..500).contains(&status) && status != 429 => {
                    let issuer = self.issuer.clone();
                    not_there.get_or_insert(FollowError::NoMetadata { issuer, url, status });
                }
                Err(other) => return Err(other),
            }
        }
        let nowhere = FollowError::NoMetadata { issuer: self.issuer.clone(), url: String::new(), status: 404 };
        Err(not_there.unwrap_or(nowhere).into())
    }

    /// The address of RFC 8414 §3: the well-known part goes between host and path.
    ///
    /// # Errors
    /// [`FollowError::BadIssuer`].
    pub(crate) fn oauth_metadata(&self) -> Result<Url, FollowError> {
        let mut url = self.issuer_url()?;
        let path = format!("/.well-known/oauth-authorization-server{}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(url)
    }

    /// The address of OpenID Connect Discovery 1.0, section 4: the well-known part comes last.
    ///
    /// # Errors
    /// [`FollowError::BadIssuer`].
    pub(crate) fn openid_metadata(&self) -> Result<Url, FollowError> {
        let mut url = self.issuer_url()?;
        let path = format!("{}/.well-known/openid-configuration", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(url)
    }

    fn issuer_url(&self) -> Result<Url, FollowError> {
        let bad = |problem| FollowError::BadIssuer { issuer: self.issuer.clone(), problem };
        let url = Url::parse(&self.issuer).map_err(|_| bad("it is no URL"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("an issuer has no query and no fragment (RFC 8414, section 2)"));
        }
        // Whoever is reached elsewhere is asked there and nowhere else, so its own scheme is a name only.
        if self.reached_at.is_none() {
            self.check_scheme(&url).map_err(bad)?;
        }
        if let Some(reached_at) = &self.reached_at {
            self.check_scheme(reached_at).map_err(bad)?;
        }
        Ok(url)
    }

    /// What the metadata says, if it speaks for the issuer asked for: RFC 8414 §3.3 has it compared as it stands.
    fn endpoints(&self, metadata: &Metadata) -> Result<Endpoints, FollowError> {
        if metadata.issuer != self.issuer {
            return Err(FollowError::IssuerMismatch { asked: self.issuer.clone(), told: metadata.issuer.clone() });
        }
        let url = |member: &'static str, text: &Option<String>| {
            text.as_ref().map(|text| self.endpoint(member, text)).transpose()
        };
        let own = |member: &'static str, text: &Option<String>| {
            text.as_ref().map(|text| self.own_endpoint(member, text)).transpose()
        };
        let missing = FollowError::BadEndpoint { member: "jwks_uri", url: String::new(), problem: "it is missing" };
        Ok(Endpoints {
            keys: url("jwks_uri", &metadata.jwks_uri)?.ok_or(missing)?,
            feed: own("counterfoil_feed_endpoint", &metadata.counterfoil_feed_endpoint)?,
            introspection: own("introspection_endpoint", &metadata.introspection_endpoint)?,
        })
    }

    fn endpoint(&self, member: &'static str, text: &str) -> Result<Url, FollowError> {
        let bad = |problem| FollowError::BadEndpoint { member, url: text.to_owned(), problem };
        let url = self.route(Url::parse(text).map_err(|_| bad("it is no URL"))?);
        self.check_scheme(&url).map_err(bad)?;
        Ok(url)
    }

    /// One that is asked with the client's secret: on the issuer's own host, whatever the metadata says.
    fn own_endpoint(&self, member: &'static str, text: &str) -> Result<Url, FollowError> {
        let origin = |text: &str| Url::parse(text).map(|url| url.origin()).ok();
        if origin(text) == origin(&self.issuer) {
            return self.endpoint(member, text);
        }
        let problem = "it is on another host than the issuer, and the client's secret is sent to the issuer only";
        Err(FollowError::BadEndpoint { member, url: text.to_owned(), problem })
    }

    /// Where an address of the issuer's own host is reached from here.
    fn route(&self, mut url: Url) -> Url {
        let is_of_the_issuer = Url::parse(&self.issuer).is_ok_and(|issuer| issuer.origin() == url.origin());
        if let Some(there) = self.reached_at.as_ref().filter(|_| is_of_the_issuer) {
            // Both are http or https and have a host, for which none of these fail.
            let _ = url.set_scheme(there.scheme());
            let _ = url.set_host(there.host_str());
            let _ = url.set_port(there.port());
        }
        url
    }

    fn check_scheme(&self, url: &Url) -> Result<(), &'static str> {
        let host = url.host_str().unwrap_or_default();
        // The brackets of an IPv6 address belong to the URL.
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => Ok(()),
            "http" if is_loopback || self.allow_plain_http => Ok(()),
            "http" => Err("only https is safe here; allow_plain_http() says that the network between is your own"),
            _ => Err("it is neither https nor http"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(issuer: &str) -> Target {
        Target { issuer: issuer.to_owned(), allow_plain_http: false, reached_at: None }
    }

    fn metadata(issuer: &str, keys: &str) -> Metadata {
        let feed = Some(format!("{issuer}/v1/feed"));
        let jwks_uri = Some(keys.to_owned());
        Metadata { issuer: issuer.to_owned(), jwks_uri, counterfoil_feed_endpoint: feed, introspection_endpoint: None }
    }

    #[test]
    fn the_well_known_part_has_its_place() {
        for (issuer, oauth, openid) in [
            (
                "https://a.example",
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration",
            ),
            (
                "https://a.example/tenant/",
                "https://a.example/.well-known/oauth-authorization-server/tenant",
                "https://a.example/tenant/.well-known/openid-configuration",
            ),
        ] {
            assert_eq!(target(issuer).oauth_metadata().unwrap().as_str(), oauth);
            assert_eq!(target(issuer).openid_metadata().unwrap().as_str(), openid);
        }
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for (issuer, is_good) in [
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost", true),
            ("http://auth.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("ftp://auth.example.com", false),
            ("https://auth.example.com?x=1", false),
            ("auth.example.com", false),
        ] {
            assert_eq!(target(issuer).oauth_metadata().is_ok(), is_good, "{issuer}");
        }
        let allowed = Target { allow_plain_http: true, ..target("http://auth.example.com") };
        assert!(allowed.oauth_metadata().is_ok());
    }

    #[test]
    fn metadata_speaks_for_its_own_issuer() {
        let target = target("https://a.example");
        assert!(target.endpoints(&metadata("https://a.example", "https://a.example/keys")).is_ok());
        for told in ["https://a.example/", "https://A.example", "https://b.example"] {
            let error = target.endpoints(&metadata(told, "https://a.example/keys")).unwrap_err();
            assert!(matches!(error, FollowError::IssuerMismatch { .. }), "{told}");
        }
        let error = target.endpoints(&metadata("https://a.example", "http://a.example/keys")).unwrap_err();
        assert!(matches!(error, FollowError::BadEndpoint { member: "jwks_uri", .. }));
    }

    #[test]
    fn the_issuers_host_may_be_reached_elsewhere() {
        let target = Target {
            allow_plain_http: true,
            reached_at: Some(Url::parse("http://auth.internal:8080").unwrap()),
            ..target("https://a.example")
        };
        let endpoints = target.endpoints(&metadata("https://a.example", "https://keys.example/set")).unwrap();
        assert_eq!(endpoints.feed.unwrap().as_str(), "http://auth.internal:8080/v1/feed");
        assert_eq!(endpoints.keys.as_str(), "https://keys.example/set", "another host's address stays");
    }
}
