//! Who is asking, as headers for a service behind a gateway.

use crate::current_user::VerifiedUser;
use http::{HeaderMap, HeaderName, HeaderValue, header::CACHE_CONTROL};

const SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
const SESSION: HeaderName = HeaderName::from_static("x-auth-session");
const SCOPE: HeaderName = HeaderName::from_static("x-auth-scope");

/// What these are, and some that a caller may add, without growing.
const HEADERS_USUAL: usize = 12;

/// `X-Auth-Subject`, `X-Auth-Session` and `X-Auth-Scope`, and `Cache-Control: no-store`: an answer that holds while a
/// token is good must not outlive it in a cache.
pub(crate) fn identity_headers(user: &VerifiedUser) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(HEADERS_USUAL);
    let values =
        [(SUBJECT, user.account.to_string()), (SESSION, user.session.to_string()), (SCOPE, user.scope.to_string())];
    for (name, value) in values {
        // Ids are UUIDs, and the words of a scope are visible ASCII (RFC 6749 §3.3): all of them are field values.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers
}
