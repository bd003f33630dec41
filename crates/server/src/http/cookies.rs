//! Cookies on their way in and out. Names and attributes are the guard's ([`CookieRules`]).

use super::HttpError;
use crate::app::{App, HeldBefore, IssuedCookie};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
};
use counterfoil_guard::{CookieKind, CookieRules, Rejection};
use std::sync::Once;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// What a request brought in cookies that are ours, and whether it may come from one of our own pages.
pub(super) struct Cookies {
    values: [Option<String>; 3],
    /// `None` for a request that says nothing of where it comes from, as programs do.
    is_same_origin: Option<bool>,
}

impl FromRequestParts<App> for Cookies {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, HttpError> {
        let rules = &app.settings().cookies;
        let read = |kind| rules.read(&parts.headers, kind);
        let [session, refresh, access] = CookieKind::ALL;
        let values = [read(session)?, read(refresh)?, read(access)?];
        Ok(Self { values, is_same_origin: rules.is_same_origin(&parts.headers) })
    }
}

impl Cookies {
    /// The value of one.
    pub(super) fn get(&self, kind: CookieKind) -> Option<&str> {
        let [session, refresh, access] = &self.values;
        match kind {
            CookieKind::Session => session.as_deref(),
            CookieKind::Refresh => refresh.as_deref(),
            CookieKind::Access => access.as_deref(),
        }
    }

    /// Refuses a request that says it comes from somewhere else: for a sign-in, which no cookie vouches for yet. Who says
    /// nothing is no browser.
    ///
    /// # Errors
    /// 403 `cross_origin`.
    pub(super) fn refuse_foreign(&self) -> Result<(), HttpError> {
        if self.is_same_origin == Some(false) { Err(Rejection::CrossOrigin.into()) } else { Ok(()) }
    }

    /// Refuses a request that does not say it comes from one of our pages: for what is done because of a cookie.
    ///
    /// # Errors
    /// 403 `cross_origin`.
    pub(super) fn demand_same_origin(&self) -> Result<(), HttpError> {
        if self.is_same_origin == Some(true) { Ok(()) } else { Err(Rejection::CrossOrigin.into()) }
    }

    /// What the browser held before a sign-in.
    pub(super) fn into_held_before(self) -> HeldBefore {
        let [session_id, refresh_token, access_token] = self.values;
        HeldBefore { session_id, refresh_token, access_token }
    }
}

/// The header fields that set these cookies, and forget those of other kinds that the browser has: what was signed in
/// before is not to be sent beside it.
///
/// # Errors
/// 500 when a browser would not keep one.
pub(super) fn set(issued: &[IssuedCookie], held: &HeldKinds, rules: &CookieRules) -> Result<HeaderMap, HttpError> {
    if !issued.is_empty() && !rules.is_secure() {
        tell_of_plain_http();
    }
    let mut headers = HeaderMap::new();
    for IssuedCookie { kind, value, max_age } in issued {
        let field = rules.set(*kind, value, *max_age).ok_or_else(|| {
            tracing::error!(?kind, "a cookie is longer than browsers keep: shorten the configured claims or scopes");
            HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "cookie_too_large", "the server made a cookie too long")
        })?;
        headers.append(header::SET_COOKIE, field);
    }
    for kind in held.0.iter().filter(|kind| issued.iter().all(|issued| issued.kind != **kind)) {
        headers.extend(rules.clear(*kind).map(|field| (header::SET_COOKIE, field)));
    }
    Ok(headers)
}

/// Which of our cookies a browser has.
#[derive(Default)]
pub(super) struct HeldKinds(Vec<CookieKind>);

impl HeldKinds {
    pub(super) fn of(cookies: &Cookies) -> Self {
        Self(CookieKind::ALL.into_iter().filter(|kind| cookies.get(*kind).is_some()).collect())
    }
}

/// The header fields that make a browser forget every cookie of ours and whatever else it keeps of the site (ASVS 14.3.1):
/// for a sign-out. None for a client that has no cookie of ours.
pub(super) fn forget(held: &HeldKinds, rules: &CookieRules) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if held.0.is_empty() {
        return headers;
    }
    for kind in CookieKind::ALL {
        headers.extend(rules.clear(kind).map(|field| (header::SET_COOKIE, field)));
    }
    headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cookies\", \"storage\""));
    headers
}

/// Once: on loopback, where nobody listens in, cookies are set without what protects them elsewhere.
fn tell_of_plain_http() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            "cookies are set without `Secure` and `__Host-`, since the public URL is plain http: for trying things out on \
             this machine only"
        );
    });
}
