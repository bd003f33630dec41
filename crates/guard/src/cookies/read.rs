//! Finding a cookie in a request.

use super::{CookieKind, CookieRules};
use crate::Rejection;
use http::{HeaderMap, header::COOKIE};

/// The longest name and value that a browser keeps together (6265bis §5.6). What is longer was not set by us.
pub(super) const COOKIE_BYTES_MAX: usize = 4096;

/// The value of a cookie, as sent. Browsers may spread cookies over several header fields (6265bis §4.2).
///
/// # Errors
/// [`Rejection::CookieRepeated`] when two have the name: their order tells nothing of which one is ours.
/// [`Rejection::CookieTooLarge`] when it is longer than any of ours.
pub(crate) fn find<'h>(
    headers: &'h HeaderMap,
    rules: &CookieRules,
    kind: CookieKind,
) -> Result<Option<&'h [u8]>, Rejection> {
    let name = rules.name(kind).as_bytes();
    let pairs = headers.get_all(COOKIE).iter().flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    let mut found = None;
    for pair in pairs.map(<[u8]>::trim_ascii) {
        let Some(value) = pair.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"=")) else { continue };
        if pair.len() > COOKIE_BYTES_MAX {
            return Err(Rejection::CookieTooLarge);
        }
        if found.replace(value).is_some() {
            return Err(Rejection::CookieRepeated);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn session(fields: &[&str]) -> Result<Option<String>, Rejection> {
        let fields = fields.iter().map(|field| (COOKIE, HeaderValue::from_str(field).unwrap()));
        let headers: HeaderMap = fields.collect();
        let found = find(&headers, &CookieRules::new("http://127.0.0.1:8080"), CookieKind::Session)?;
        Ok(found.map(|value| String::from_utf8(value.to_vec()).unwrap()))
    }

    #[test]
    fn one_is_found_among_others() {
        for fields in [
            &["counterfoil-session=abc"][..],
            &["a=b; counterfoil-session=abc; c=d"],
            &["a=b;counterfoil-session=abc"],
            &["a=b", "counterfoil-session=abc"],
            &["xcounterfoil-session=1; counterfoil-sessionx=2; counterfoil-session=abc; =3; 4"],
        ] {
            assert_eq!(session(fields), Ok(Some("abc".to_owned())), "{fields:?}");
        }
        assert_eq!(session(&["counterfoil-session="]), Ok(Some(String::new())));
        for fields in [&[][..], &[""], &["counterfoil-session"], &["Counterfoil-Session=abc"]] {
            assert_eq!(session(fields), Ok(None), "{fields:?}");
        }
    }

    #[test]
    fn repeated_and_oversized_ones_are_refused() {
        for fields in
            [&["counterfoil-session=a; counterfoil-session=a"][..], &["counterfoil-session=a", "counterfoil-session=b"]]
        {
            assert_eq!(session(fields), Err(Rejection::CookieRepeated), "{fields:?}");
        }
        let value = |bytes| format!("counterfoil-session={}", "x".repeat(bytes));
        let name_bytes = "counterfoil-session=".len();
        assert!(session(&[&value(COOKIE_BYTES_MAX - name_bytes)]).is_ok());
        assert_eq!(session(&[&value(COOKIE_BYTES_MAX - name_bytes + 1)]), Err(Rejection::CookieTooLarge));
    }
}
