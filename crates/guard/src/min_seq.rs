//! `Counterfoil-Min-Seq`: a request that must not be answered from knowledge older than a place of the feed.
//!
//! Whoever has just signed somebody out knows the place of it. Sending that along makes sure that the very next request is
//! refused, even at a service that would have heard of it only some milliseconds later.

use crate::Rejection;
use counterfoil_domain::revocation::{Epoch, FeedPosition};
use counterfoil_wire::MIN_SEQ_HEADER;
use http::{HeaderMap, HeaderName};
use std::time::Duration;

/// How long a request waits for its place.
pub(crate) const MIN_SEQ_WAIT: Duration = Duration::from_millis(250);

const MIN_SEQ: HeaderName = HeaderName::from_static(MIN_SEQ_HEADER);

/// The place that a request asks for, if it does.
///
/// # Errors
/// [`Rejection::PlaceMalformed`]: it is none, or there are two.
pub(crate) fn wanted(headers: &HeaderMap) -> Result<Option<FeedPosition>, Rejection> {
    // `get_all` costs more, and nearly no request has one.
    if !headers.contains_key(&MIN_SEQ) {
        return Ok(None);
    }
    let mut fields = headers.get_all(&MIN_SEQ).iter();
    let place = fields.next().filter(|_| fields.next().is_none()).and_then(|field| parse(field.to_str().ok()?));
    place.map(Some).ok_or(Rejection::PlaceMalformed)
}

fn parse(text: &str) -> Option<FeedPosition> {
    let (epoch, seq) = text.split_once('.')?;
    // `i64` would take signs as well.
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    Some(FeedPosition { epoch: Epoch(number(epoch)?), seq: number(seq)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn asked(values: &[&'static str]) -> Result<Option<FeedPosition>, Rejection> {
        wanted(&values.iter().map(|value| (MIN_SEQ, HeaderValue::from_static(value))).collect())
    }

    #[test]
    fn one_place_or_none() {
        assert_eq!(asked(&[]), Ok(None));
        assert_eq!(asked(&["5.12"]), Ok(Some(FeedPosition { epoch: Epoch(5), seq: 12 })));
        let malformed: &[&[&str]] =
            &[&[""], &["5"], &["5."], &[".5"], &["-1.2"], &["+1.2"], &["1.2.3"], &["1 .2"], &["5.12", "5.12"]];
        for values in malformed {
            assert_eq!(asked(values), Err(Rejection::PlaceMalformed), "{values:?}");
        }
    }
}
