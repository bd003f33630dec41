//! The bearer token of a request (RFC 6750 §2.1). Only the header: tokens in URLs end up in logs (OAuth 2.1 §7.1.3.7).

use crate::Rejection;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

/// Takes out of the `Authorization` header what stands where a token should, as sent; `None` without a bearer token.
/// Another scheme, such as `Basic`, is not presented here.
///
/// Whether it has the form of one is asked later, by [`well_formed`]: a token that is known needs no looking at.
///
/// # Errors
/// [`Rejection::Malformed`] when there is more than one `Authorization` header.
pub(crate) fn presented(headers: &HeaderMap) -> Result<Option<&[u8]>, Rejection> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let Some(field) = fields.next().map(HeaderValue::as_bytes) else { return Ok(None) };
    if fields.next().is_some() {
        return Err(Rejection::Malformed("more than one Authorization header"));
    }
    // RFC 9110 §11.1: the scheme is compared without regard to case.
    let scheme_ends = field.iter().position(|byte| *byte == b' ').unwrap_or(field.len());
    match field.split_at_checked(scheme_ends) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer") => Ok(Some(trim_spaces(rest))),
        _ => Ok(None),
    }
}

/// One word of visible ASCII (RFC 6750 §2.1).
///
/// # Errors
/// [`Rejection::Malformed`] for anything else: nothing, several words, a list.
pub(crate) fn well_formed(presented: &[u8]) -> Result<&str, Rejection> {
    let token = std::str::from_utf8(presented).ok().filter(|text| {
        let in_a_token = |byte: u8| byte.is_ascii_graphic() && byte != b',';
        !text.is_empty() && text.bytes().all(in_a_token)
    });
    token.ok_or(Rejection::Malformed("expected one token after `Bearer`"))
}

fn trim_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect()
    }

    fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, Rejection> {
        presented(headers)?.map(well_formed).transpose()
    }

    #[test]
    fn one_token_after_the_scheme() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(bearer_token(&headers(&[value])), Ok(Some("abc")), "{value}");
        }
    }

    #[test]
    fn absent_and_malformed_are_told_apart() {
        let refused = |values: &[&str]| bearer_token(&headers(values)).unwrap_err();
        assert_eq!(bearer_token(&headers(&[])), Ok(None));
        assert_eq!(bearer_token(&headers(&["Basic YTpi"])), Ok(None));
        for values in [
            &["Bearer"][..],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a,b"],
            &["Bearer é"],
            &["Bearer a\tb"],
            &["Bearer a", "Bearer a"],
        ] {
            assert!(matches!(refused(values), Rejection::Malformed(_)), "{values:?}");
        }
    }
}
