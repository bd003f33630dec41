//! From where a request with a cookie may come.
//!
//! A browser adds cookies by itself, whoever's page makes it send a request. `SameSite` keeps them off most requests from
//! other sites, but not from other hosts of the same site, and not on every way; so it is not the only guard: what may
//! change something must say that it comes from the server's own origin (ASVS 3.5.1; the algorithm is that of Filippo
//! Valsorda, "Cross-Site Request Forgery", 2025, without its exception for requests that say nothing).

use super::CookieRules;
use crate::Rejection;
use http::{HeaderMap, HeaderName, Method, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a request that brings a cookie is about to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Intent {
    /// It reads (RFC 9110 §9.2.1).
    Safe,
    /// It may change something.
    Unsafe,
    /// A gateway asks about a request and does not say which. Browsers send `Origin` with whatever might change something
    /// (Fetch, "append a request `Origin` header"), so a request without one reads.
    Unknown,
}

impl Intent {
    pub(crate) fn of(method: &Method) -> Self {
        // Not `Method::is_safe`: TRACE sends back what it was sent, cookies included.
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) { Self::Safe } else { Self::Unsafe }
    }
}

/// Whether a request with a cookie may be taken for its owner's.
///
/// # Errors
/// [`Rejection::CrossOrigin`].
pub(crate) fn check(intent: Intent, headers: &HeaderMap, rules: &CookieRules) -> Result<(), Rejection> {
    let is_let_in = match intent {
        Intent::Safe => true,
        Intent::Unsafe => is_same_origin(headers, rules) == Some(true),
        // `Sec-Fetch-Site` says nothing of reading or changing: whoever follows a link from a mail is `cross-site`.
        Intent::Unknown => has_our_origin(headers, rules).unwrap_or(true),
    };
    if is_let_in { Ok(()) } else { Err(Rejection::CrossOrigin) }
}

/// Whether a request says that it comes from the server's own pages. `None` if it says nothing, as programs do that are
/// no browsers.
pub(crate) fn is_same_origin(headers: &HeaderMap, rules: &CookieRules) -> Option<bool> {
    let origin = has_our_origin(headers, rules);
    // `none` is what the person did, not a page: typed, or from a bookmark.
    let sites = headers.get_all(SEC_FETCH_SITE).iter();
    let site = sites.map(|site| site == "same-origin" || site == "none").reduce(|_, _| false);
    match (origin, site) {
        (None, None) => None,
        (origin, site) => Some(origin.unwrap_or(true) && site.unwrap_or(true)),
    }
}

/// Whether the `Origin` is ours, if there is one. Who says it twice is not believed: which of them counts, others on the way
/// may decide differently.
fn has_our_origin(headers: &HeaderMap, rules: &CookieRules) -> Option<bool> {
    let origins = headers.get_all(header::ORIGIN).iter();
    origins.map(|origin| rules.origins.iter().any(|ours| origin == ours.as_str())).reduce(|_, _| false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn verdict(intent: Intent, headers: &[(&'static str, &'static str)]) -> bool {
        let fields =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        check(intent, &fields.collect(), &CookieRules::new("https://auth.example.com")).is_ok()
    }

    #[test]
    fn what_may_change_something_must_say_that_it_is_ours() {
        for (headers, is_let_in) in [
            (&[][..], false),
            (&[("origin", "https://auth.example.com")], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("origin", "https://auth.example.com"), ("sec-fetch-site", "same-origin")], true),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "https://evil.auth.example.com")], false),
            (&[("origin", "https://auth.example.com.evil.example")], false),
            (&[("origin", "https://auth.example.com:8443")], false),
            (&[("origin", "http://auth.example.com")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], false),
            (&[("origin", "https://auth.example.com"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://auth.example.com"), ("origin", "https://evil.example")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")], false),
            (&[("origin", "https://other.example"), ("host", "other.example"), ("host", "auth.example.com")], false),
            // Whatever the request says of its host.
            (&[("origin", "https://other.example"), ("host", "other.example")], false),
            (&[("origin", "https://127.0.0.1"), ("host", "127.0.0.1")], false),
        ] {
            assert_eq!(verdict(Intent::Unsafe, headers), is_let_in, "{headers:?}");
            assert!(verdict(Intent::Safe, headers));
            // The same, but that a request without an origin is taken for reading.
            let has_origin = headers.iter().any(|(name, _)| *name == "origin");
            let only_origin: Vec<_> = headers.iter().copied().filter(|(name, _)| *name != "sec-fetch-site").collect();
            let of_origin = verdict(Intent::Unsafe, &only_origin);
            assert_eq!(verdict(Intent::Unknown, headers), !has_origin || of_origin, "{headers:?}");
        }
    }

    #[test]
    fn on_loopback_every_name_of_it_is_home() {
        let rules = CookieRules::new("http://127.0.0.1:8080");
        for (origin, is_ours) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8081", false),
            ("http://localhost", false),
            ("https://localhost:8080", false),
            ("http://evil.example:8080", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
            assert_eq!(is_same_origin(&headers, &rules), Some(is_ours), "{origin}");
        }
    }

    #[test]
    fn methods_that_read_are_few() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(Intent::of(&method.parse().unwrap()), Intent::Safe);
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "PURGE"] {
            assert_eq!(Intent::of(&method.parse().unwrap()), Intent::Unsafe, "{method}");
        }
    }
}
