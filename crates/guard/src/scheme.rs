//! Which credential a request brings.
//!
//! Each scheme has three outcomes: not presented, accepted, refused. Schemes are looked for in this order, and nothing
//! hangs on it, because a request that presents two credentials is refused whatever they are (RFC 6750 §2): which of them
//! counts would be for each server on the way to decide, and they would decide differently.
//!
//! | scheme | where | what |
//! |---|---|---|
//! | bearer | `Authorization: Bearer …` | a signed access token, or a personal token (`cfp_…`) |
//! | session cookie | `__Host-counterfoil-session` | the opaque id of a session |
//! | access cookie | `__Host-counterfoil-access` | a signed access token |
//!
//! Another scheme of `Authorization`, such as `Basic`, is not presented here. The cookie with a refresh token is no
//! credential for a request.

use crate::{
    Rejection, bearer,
    cookies::{self, CookieKind, CookieRules},
};
use http::HeaderMap;

/// A credential as sent; nothing is known of it yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Credential<'h> {
    /// What stands after `Bearer`.
    Bearer(&'h [u8]),
    /// The value of the session cookie.
    SessionCookie(&'h [u8]),
    /// The value of the access cookie.
    AccessCookie(&'h [u8]),
}

/// Finds the one credential of a request. Cookies are looked for where there are rules for them.
///
/// # Errors
/// [`Rejection::NotPresented`]; [`Rejection::Ambiguous`]; what is wrong with the place where one was looked for.
pub(crate) fn presented<'h>(
    headers: &'h HeaderMap,
    cookies: Option<&CookieRules>,
) -> Result<Credential<'h>, Rejection> {
    let bearer = bearer::presented(headers)?.map(Credential::Bearer);
    // Nearly every request with a token has no cookie, and none is looked for where there can be none.
    let Some(rules) = cookies.filter(|_| headers.contains_key(http::header::COOKIE)) else {
        return bearer.ok_or(Rejection::NotPresented);
    };
    let session = cookies::find(headers, rules, CookieKind::Session)?.map(Credential::SessionCookie);
    let access = cookies::find(headers, rules, CookieKind::Access)?.map(Credential::AccessCookie);
    let mut all = [bearer, session, access].into_iter().flatten();
    match (all.next(), all.next()) {
        (None, _) => Err(Rejection::NotPresented),
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Rejection::Ambiguous),
    }
}

impl Credential<'_> {
    /// Whether a browser adds it by itself.
    pub(crate) const fn is_cookie(&self) -> bool {
        matches!(self, Self::SessionCookie(_) | Self::AccessCookie(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn found(fields: &[(&'static str, &'static str)]) -> Result<String, &'static str> {
        let fields = fields.iter();
        let fields = fields.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let (headers, rules): (HeaderMap, _) = (fields.collect(), CookieRules::new("https://auth.example.com"));
        let show = |credential| match credential {
            Credential::Bearer(text) => format!("bearer {}", String::from_utf8_lossy(text)),
            Credential::SessionCookie(text) => format!("session {}", String::from_utf8_lossy(text)),
            Credential::AccessCookie(text) => format!("access {}", String::from_utf8_lossy(text)),
        };
        presented(&headers, Some(&rules)).map(show).map_err(|rejection| rejection.code())
    }

    #[test]
    fn one_is_found_and_two_are_refused() {
        let (bearer, basic) = (("authorization", "Bearer a"), ("authorization", "Basic YTpi"));
        let session = ("cookie", "__Host-counterfoil-session=b");
        let access = ("cookie", "__Host-counterfoil-access=c");
        let refresh = ("cookie", "__Host-counterfoil-refresh=d");
        for (fields, expected) in [
            (&[][..], Err("token_missing")),
            (&[basic], Err("token_missing")),
            (&[refresh], Err("token_missing")),
            (&[bearer], Ok("bearer a")),
            (&[bearer, refresh], Ok("bearer a")),
            (&[session], Ok("session b")),
            (&[basic, session], Ok("session b")),
            (&[access], Ok("access c")),
            (&[access, refresh], Ok("access c")),
            (&[bearer, session], Err("credentials_ambiguous")),
            (&[bearer, access], Err("credentials_ambiguous")),
            (&[session, access], Err("credentials_ambiguous")),
            (&[bearer, session, access], Err("credentials_ambiguous")),
            (&[session, session], Err("cookie_repeated")),
            (&[bearer, bearer], Err("authorization_malformed")),
        ] {
            assert_eq!(found(fields), expected.map(str::to_owned), "{fields:?}");
        }
    }

    #[test]
    fn without_rules_for_them_cookies_are_not_looked_at() {
        let cookie = HeaderValue::from_static("__Host-counterfoil-session=b; __Host-counterfoil-session=b");
        let headers = HeaderMap::from_iter([(http::header::COOKIE, cookie)]);
        assert_eq!(presented(&headers, None), Err(Rejection::NotPresented));
    }
}
