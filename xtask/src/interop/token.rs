//! Altering a token by exactly one bit, without decoding it.

use std::fmt;

use anyhow::Context;

/// RFC 4648, section 5; the place in the list is the character's six bits.
const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A character of the payload that is part of the issuer's URL: claims begin `{"iss":"http`, eight bytes before it.
const WITHIN_THE_ISSUER: usize = 16;

/// The part of a compact JWS to alter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The claims.
    Payload,
    /// What proves them.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// The token with one bit within `part` turned over.
///
/// Not at the end, because the last character may hold unused bits: turning one of those makes an invalid spelling of the
/// same bytes, which is another question. And in the payload within the issuer, where what comes out is JSON as before: some
/// libraries read the claims first, and would refuse for another reason than the signature.
pub(super) fn with_flipped_bit(token: &str, part: Part) -> anyhow::Result<String> {
    let mut segments: Vec<&str> = token.split('.').collect();
    let [_, payload, signature] = segments.as_mut_slice() else {
        anyhow::bail!("not three parts joined by dots: {token}");
    };
    let (segment, place_max) = match part {
        Part::Payload => (payload, WITHIN_THE_ISSUER),
        Part::Signature => (signature, usize::MAX),
    };
    let place = (segment.len() / 2).min(place_max);
    let flipped = flip_at(segment, place).context("not base64url")?;
    *segment = &flipped;
    Ok(segments.join("."))
}

fn flip_at(segment: &str, place: usize) -> Option<String> {
    let (before, rest) = segment.split_at_checked(place)?;
    let mut rest = rest.chars();
    let sextet = BASE64URL.find(rest.next()?)? ^ 1;
    let other = BASE64URL.chars().nth(sextet)?;
    Some(format!("{before}{other}{}", rest.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_of_the_chosen_part_differs() {
        let token = "aaaa.bbbbb.cccccc";
        assert_eq!(with_flipped_bit(token, Part::Payload).unwrap(), "aaaa.bbabb.cccccc");
        assert_eq!(with_flipped_bit(token, Part::Signature).unwrap(), "aaaa.bbbbb.cccdcc");
    }

    #[test]
    fn flipping_twice_restores() {
        let token = "e30.e30-_09AZaz.AbC_-9";
        for part in [Part::Payload, Part::Signature] {
            let flipped = with_flipped_bit(token, part).unwrap();
            assert_ne!(flipped, token);
            assert_eq!(with_flipped_bit(&flipped, part).unwrap(), token);
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "a.b", "a.b.c.d", "a..c", "a.b.=", "a.é.c"] {
            let flipped = Part::Payload;
            assert!(
                with_flipped_bit(text, flipped).is_err() || with_flipped_bit(text, Part::Signature).is_err(),
                "{text}"
            );
        }
    }
}
