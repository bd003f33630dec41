//! Base64url without padding (RFC 7515 §2, RFC 4648 §5), in its one canonical spelling.
//!
//! A decoder that tolerates padding, white space or left-over bits gives one value several spellings, and a list of
//! revoked or remembered tokens can then be walked around by respelling. So decoding is exact: `decode` succeeds only
//! for the text that `encode` would have produced (RFC 4648 §3.5).

use std::mem::MaybeUninit;

use base64_simd::{Out, URL_SAFE_NO_PAD};

/// The text is not base64url, or not in its canonical spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotCanonical;

/// Appends the encoding of `bytes`.
pub(crate) fn encode_onto(text: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_append(bytes, text);
}

/// The encoding of `bytes` as a string of its own.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// How many characters `encode` makes of so many bytes.
pub(crate) fn encoded_len(byte_count: usize) -> usize {
    URL_SAFE_NO_PAD.encoded_length(byte_count)
}

/// Decodes onto the heap: for keys, and for payloads whose length has been checked.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, NotCanonical> {
    URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| NotCanonical)
}

/// Decodes into `buffer`, replacing what it held; its capacity is kept for the next token.
pub(crate) fn decode_into(text: &str, buffer: &mut Vec<u8>) -> Result<(), NotCanonical> {
    buffer.clear();
    URL_SAFE_NO_PAD.decode_append(text, buffer).map_err(|_| NotCanonical)
}

/// Room on the stack for [`decode_small`]. It is not filled with zeros first: that would take as long as the decoding.
pub(crate) type Room<const BYTES: usize> = [MaybeUninit<u8>; BYTES];

/// Room with nothing in it yet.
pub(crate) const fn room<const BYTES: usize>() -> Room<BYTES> {
    [const { MaybeUninit::uninit() }; BYTES]
}

/// Decodes into `small` if the text fits in there, and else into `large`.
#[inline]
pub(crate) fn decode_small<'b>(
    text: &str,
    small: &'b mut [MaybeUninit<u8>],
    large: &'b mut Vec<u8>,
) -> Result<&'b [u8], NotCanonical> {
    if URL_SAFE_NO_PAD.estimated_decoded_length(text.len()) > small.len() {
        decode_into(text, large)?;
        return Ok(large);
    }
    match URL_SAFE_NO_PAD.decode(text.as_bytes(), Out::from_uninit_slice(small)) {
        Ok(decoded) => Ok(decoded),
        Err(_) => Err(NotCanonical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tail_of_two_and_three_characters_has_one_spelling() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for &first in alphabet {
            for &second in alphabet {
                // Long prefixes drive the SIMD path, the short one the scalar path.
                for prefix in ["", "AAAA", &"AAAA".repeat(20)] {
                    let two = format!("{prefix}{}{}", first as char, second as char);
                    match decode(&two) {
                        Ok(bytes) => assert_eq!(encode(&bytes), two),
                        Err(NotCanonical) => assert_ne!(alphabet.iter().position(|c| *c == second).unwrap() & 0x0f, 0),
                    }
                    let three = format!("{prefix}A{}{}", first as char, second as char);
                    match decode(&three) {
                        Ok(bytes) => assert_eq!(encode(&bytes), three),
                        Err(NotCanonical) => assert_ne!(alphabet.iter().position(|c| *c == second).unwrap() & 0x03, 0),
                    }
                }
            }
        }
    }

    #[test]
    fn foreign_spellings_are_refused_at_every_length() {
        for filler in 0..80 {
            let start = "A".repeat(filler);
            for bad in ["=", "==", " ", "\n", "\r\n", "+", "/", ".", "\0", "é", "%41"] {
                assert_eq!(decode(&format!("{start}{bad}")), Err(NotCanonical), "{filler} characters, then {bad:?}");
                assert_eq!(decode(&format!("{start}{bad}AAA")), Err(NotCanonical), "{bad:?} in the middle");
            }
        }
    }

    #[test]
    fn one_left_over_character_is_no_byte() {
        assert_eq!(decode("A"), Err(NotCanonical));
        assert_eq!(decode("AAAAA"), Err(NotCanonical));
    }

    #[test]
    fn the_three_ways_to_decode_agree() {
        for length in 0..100_usize {
            let bytes: Vec<u8> = (0..=255).cycle().step_by(7).take(length).collect();
            let text = encode(&bytes);
            assert_eq!(text.len(), encoded_len(length));
            let mut vec = b"something that was here before".to_vec();
            decode_into(&text, &mut vec).unwrap();
            for room in [0, 16, 128] {
                let (mut small, mut large) = (vec![MaybeUninit::uninit(); room], Vec::new());
                assert_eq!(decode_small(&text, &mut small, &mut large), Ok(bytes.as_slice()));
            }
            assert_eq!(vec, bytes);
        }
    }
}
