//! Whether 32 bytes are a point that may serve as an Ed25519 public key (RFC 8032 §5.1.3, RFC 8725 §3.4).
//!
//! The cryptographic library decodes the point anew at each verification and has no call to do so at load, so a key
//! that can never verify anything would only show as "signature invalid" on every token. And it rightly decodes the
//! eight points of small order, under which one signature fits many messages. Both are found here, once, when the key is
//! loaded. The arithmetic is curve25519-dalek's; no signature is ever computed with it.

use crate::Error;
use curve25519_dalek::edwards::CompressedEdwardsY;

/// Refuses what is no point, a second spelling of one, or a point of small order.
pub(super) fn check(encoded: &[u8; 32]) -> Result<(), Error> {
    let compressed = CompressedEdwardsY(*encoded);
    let point = compressed.decompress().ok_or(Error::KeyInvalid("the point is not on the curve"))?;
    // Decoding takes y modulo p, and a sign of x where x is zero: encoding gives the one canonical spelling back.
    if point.compress() != compressed {
        return Err(Error::KeyInvalid("the Ed25519 point is not in its canonical spelling"));
    }
    if point.is_small_order() { Err(Error::KeyTooWeak("the Ed25519 point has small order")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use curve25519_dalek::constants::EIGHT_TORSION;

    /// The field's prime, p = 2²⁵⁵ − 19, little-endian, plus a small number.
    fn p_plus(number: u8) -> [u8; 32] {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xed + number;
        bytes[31] = 0x7f;
        bytes
    }

    #[test]
    fn real_keys_are_points() {
        for _ in 0..50 {
            let pair = Ed25519KeyPair::generate().unwrap();
            assert_eq!(check(pair.public_key().as_ref().try_into().unwrap()), Ok(()));
        }
    }

    #[test]
    fn about_half_of_all_bytes_are_points() {
        let small = |y: u8| std::array::from_fn(|place| if place == 0 { y } else { 0 });
        let on_curve = (2..202).filter(|y| check(&small(*y)).is_ok()).count();
        assert!((70..130).contains(&on_curve), "{on_curve} of 200");
        assert_eq!(check(&small(2)), Err(Error::KeyInvalid("the point is not on the curve")));
    }

    #[test]
    fn small_order_is_refused() {
        for point in EIGHT_TORSION {
            assert_eq!(check(&point.compress().0).unwrap_err().code(), "key_too_weak");
        }
    }

    #[test]
    fn a_second_spelling_is_refused() {
        // y = p + 1 is y = 1, and "minus zero" is another name of the same x.
        let mut minus_zero = [0; 32];
        (minus_zero[0], minus_zero[31]) = (1, 0x80);
        for spelling in [p_plus(0), p_plus(1), minus_zero] {
            assert_eq!(check(&spelling).unwrap_err().code(), "key_invalid");
        }
    }
}
