//! Setting and clearing cookies.

use super::{CookieKind, CookieRules, read::COOKIE_BYTES_MAX};
use http::HeaderValue;
use std::time::Duration;

impl CookieRules {
    /// A `Set-Cookie` field: not readable by script, for this host only, sent to every path of it.
    ///
    /// A refresh token goes to no request that comes from elsewhere. The others come along when a person follows a link,
    /// or the page behind it would not know them; what changes something is checked for its origin besides
    /// (ASVS 3.3.2, 3.5.1).
    ///
    /// `None` if the cookie is longer than browsers keep, or `value` is none.
    pub fn set(&self, kind: CookieKind, value: &str, max_age: Duration) -> Option<HeaderValue> {
        let in_a_value = |byte: u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
        let name = self.name(kind);
        if name.len() + 1 + value.len() > COOKIE_BYTES_MAX || !value.bytes().all(in_a_value) {
            return None;
        }
        HeaderValue::try_from(format!("{name}={value}; Max-Age={}; {}", max_age.as_secs(), self.attributes(kind))).ok()
    }

    /// A `Set-Cookie` field that makes the browser forget the cookie: same name and attributes, an end in the past
    /// (6265bis §4.1.2).
    pub fn clear(&self, kind: CookieKind) -> Option<HeaderValue> {
        let name = self.name(kind);
        HeaderValue::try_from(format!(
            "{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; {}",
            self.attributes(kind)
        ))
        .ok()
    }

    fn attributes(&self, kind: CookieKind) -> String {
        let same_site = match kind {
            CookieKind::Refresh => "Strict",
            CookieKind::Session | CookieKind::Access => "Lax",
        };
        let secure = if self.is_secure() { "; Secure" } else { "" };
        format!("Path=/; HttpOnly; SameSite={same_site}{secure}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn over_https_they_are_bound_to_the_host() {
        let rules = CookieRules::new("https://auth.example.com");
        assert_eq!(
            rules.set(CookieKind::Session, "abc", HOUR).unwrap(),
            "__Host-counterfoil-session=abc; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            rules.clear(CookieKind::Refresh).unwrap(),
            "__Host-counterfoil-refresh=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; \
             SameSite=Strict; Secure"
        );
    }

    #[test]
    fn on_loopback_they_go_without() {
        let rules = CookieRules::new("http://127.0.0.1:8080");
        assert_eq!(
            rules.set(CookieKind::Access, "a.b.c", HOUR).unwrap(),
            "counterfoil-access=a.b.c; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn what_a_browser_would_not_keep_is_not_set() {
        let rules = CookieRules::new("https://auth.example.com");
        for value in ["a;b", "a b", "a,b", "a\"b", "a\\b", "é", "a\nb"] {
            assert_eq!(rules.set(CookieKind::Session, value, HOUR), None, "{value:?}");
        }
        let room = COOKIE_BYTES_MAX - "__Host-counterfoil-session=".len();
        assert!(rules.set(CookieKind::Session, &"x".repeat(room), HOUR).is_some());
        assert_eq!(rules.set(CookieKind::Session, &"x".repeat(room + 1), HOUR), None);
    }
}
