//! The bearer token of a request (RFC 6750 §2.1). Only the header: tokens in URLs end up in logs (OAuth 2.1 §7.1.3.7).

use crate::Rejection;
use http::{HeaderMap, header::AUTHORIZATION};

/// Takes the token out of the `Authorization` header.
///
/// # Errors
/// [`Rejection::NotPresented`] without a bearer token; [`Rejection::Malformed`] when there is more than one
/// `Authorization` header, or what follows `Bearer` is no token. Another scheme, such as `Basic`, is not presented here.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let field = fields.next().ok_or(Rejection::NotPresented)?;
    if fields.next().is_some() {
        return Err(Rejection::Malformed("more than one Authorization header"));
    }
    let text = field.to_str().map_err(|_| Rejection::Malformed("the Authorization header is not ASCII"))?;
    // RFC 9110 §11.1: the scheme is compared without regard to case.
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Rejection::NotPresented);
    }
    let token = rest.trim_matches(' ');
    if token.is_empty() || token.contains([' ', '\t', ',']) {
        return Err(Rejection::Malformed("expected one token after `Bearer`"));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn one_token_after_the_scheme() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(bearer_token(&headers(&[value])).ok(), Some("abc"), "{value}");
        }
    }

    #[test]
    fn absent_and_malformed_are_told_apart() {
        let refused = |values: &[&str]| bearer_token(&headers(values)).unwrap_err();
        assert!(matches!(refused(&[]), Rejection::NotPresented));
        assert!(matches!(refused(&["Basic YTpi"]), Rejection::NotPresented));
        for values in [&["Bearer"][..], &["Bearer "], &["Bearer a b"], &["Bearer a,b"], &["Bearer a", "Bearer a"]] {
            assert!(matches!(refused(values), Rejection::Malformed(_)), "{values:?}");
        }
    }
}
