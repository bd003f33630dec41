//! Whether 32 bytes are a point that may serve as an Ed25519 public key (RFC 8032 §5.1.3, RFC 8725 §3.4).
//!
//! The cryptographic library decodes the point anew at each verification and has no call to do so at load, so a key
//! that can never verify anything would only show as "signature invalid" on every token. And it rightly decodes the
//! eight points of small order, under which one signature fits many messages. Both are found here, once, when the key is
//! loaded. Nothing is secret in a public key, so this arithmetic may take its time and branch as it likes; no signature is
//! ever computed with it.
#![expect(clippy::indexing_slicing, reason = "fixed loops over fixed arrays: every index is below the length")]

use crate::Error;

/// An integer modulo p = 2²⁵⁵ − 19, little-endian, below 2²⁵⁶ but not always below p.
type Field = [u64; 4];

const P: Field = [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff];
const ONE: Field = [1, 0, 0, 0];
/// p − 1.
const MINUS_ONE: Field = [P[0] - 1, P[1], P[2], P[3]];
/// The constant of the curve −x² + y² = 1 + d x² y², d = −121665/121666.
const D: Field = [0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73];
/// The y of the four points of order eight.
const ORDER_EIGHT: [Field; 2] = [
    [0xb027_b2c2_8f95_e826, 0xf098_eff2_89f4_c345, 0x3933_c6d3_05ac_dfd5, 0x05fc_536d_8802_38b1],
    [0x4fd8_4d3d_706a_17c7, 0x0f67_100d_760b_3cba, 0xc6cc_392c_fa53_202a, 0x7a03_ac92_77fd_c74e],
];

/// Refuses what is no point, a second spelling of one, or a point of small order.
pub(super) fn check(encoded: &[u8; 32]) -> Result<(), Error> {
    let mut y: Field = [0; 4];
    for (limb, bytes) in y.iter_mut().zip(encoded.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    // The highest bit is the sign of x.
    y[3] &= u64::MAX >> 1;

    if !is_below_p(&y) {
        return Err(Error::KeyInvalid("the Ed25519 point is not in its canonical spelling"));
    }
    if y == [0; 4] || y == ONE || y == MINUS_ONE || ORDER_EIGHT.contains(&y) {
        return Err(Error::KeyTooWeak("the Ed25519 point has small order"));
    }
    // x² = (y² − 1) / (d y² + 1) must have a root, and a quotient is a square exactly if the product is.
    let y_squared = multiply(&y, &y);
    let product = multiply(&add(&y_squared, &MINUS_ONE), &add(&multiply(&D, &y_squared), &ONE));
    if is_square(&product) { Ok(()) } else { Err(Error::KeyInvalid("the point is not on the curve")) }
}

/// Euler's criterion: a number other than zero is a square if its power of (p − 1)/2 = 2²⁵⁴ − 10 is one.
fn is_square(number: &Field) -> bool {
    // In binary the exponent is 250 ones and then 0110.
    let mut power = ONE;
    for bit in (0..254).rev() {
        power = multiply(&power, &power);
        let is_set = bit >= 4 || bit == 1 || bit == 2;
        if is_set {
            power = multiply(&power, number);
        }
    }
    canonical(power) == ONE
}

fn multiply(a: &Field, b: &Field) -> Field {
    let mut wide = [0_u64; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            let sum = u128::from(a[i]) * u128::from(b[j]) + u128::from(wide[i + j]) + carry;
            wide[i + j] = low(sum);
            carry = sum >> 64;
        }
        wide[i + 4] = low(carry);
    }
    // 2²⁵⁶ = 38 modulo p: the upper half comes down 38 times.
    let mut folded = [0; 4];
    let mut carry = 0;
    for i in 0..4 {
        let sum = u128::from(wide[i]) + 38 * u128::from(wide[i + 4]) + carry;
        folded[i] = low(sum);
        carry = sum >> 64;
    }
    fold(folded, carry)
}

fn add(a: &Field, b: &Field) -> Field {
    let mut total = [0; 4];
    let mut carry = 0;
    for i in 0..4 {
        let sum = u128::from(a[i]) + u128::from(b[i]) + carry;
        total[i] = low(sum);
        carry = sum >> 64;
    }
    fold(total, carry)
}

/// Brings what overflowed 2²⁵⁶ down again, until nothing does.
fn fold(mut number: Field, mut overflow: u128) -> Field {
    while overflow != 0 {
        overflow *= 38;
        for limb in &mut number {
            let sum = u128::from(*limb) + overflow;
            *limb = low(sum);
            overflow = sum >> 64;
        }
    }
    number
}

/// The one representative below p.
fn canonical(mut number: Field) -> Field {
    while !is_below_p(&number) {
        let mut borrow = false;
        for (limb, prime) in number.iter_mut().zip(P) {
            let (difference, first) = limb.overflowing_sub(prime);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            *limb = difference;
            borrow = first || second;
        }
    }
    number
}

fn is_below_p(number: &Field) -> bool {
    number.iter().rev().lt(P.iter().rev())
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
const fn low(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn bytes(number: Field) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (eight, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(number) {
            *eight = limb.to_le_bytes();
        }
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
        // The base point's neighbours: enough to see that both answers occur, and as often as they should.
        let on_curve = (2..202_u64).filter(|y| check(&bytes([*y, 0, 0, 0])).is_ok()).count();
        assert!((70..130).contains(&on_curve), "{on_curve} of 200");
        assert_eq!(check(&bytes([2, 0, 0, 0])), Err(Error::KeyInvalid("the point is not on the curve")));
    }

    #[test]
    fn small_order_is_refused_with_either_sign() {
        for mut y in [[0; 4], ONE, MINUS_ONE, ORDER_EIGHT[0], ORDER_EIGHT[1]] {
            assert_eq!(check(&bytes(y)).unwrap_err().code(), "key_too_weak");
            y[3] |= 1 << 63;
            assert_eq!(check(&bytes(y)).unwrap_err().code(), "key_too_weak");
        }
    }

    #[test]
    fn a_second_spelling_is_refused() {
        for y in [P, [P[0] + 1, P[1], P[2], P[3]], [u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1]] {
            assert_eq!(check(&bytes(y)).unwrap_err().code(), "key_invalid");
        }
    }

    #[test]
    fn arithmetic_folds_at_the_edges() {
        let largest = [u64::MAX; 4]; // 2²⁵⁶ − 1 = 37 modulo p
        assert_eq!(canonical(largest), [37, 0, 0, 0]);
        assert_eq!(canonical(multiply(&largest, &largest)), [37 * 37, 0, 0, 0]);
        assert_eq!(canonical(add(&largest, &largest)), [74, 0, 0, 0]);
        assert_eq!(canonical(multiply(&MINUS_ONE, &MINUS_ONE)), ONE);
        assert_eq!(canonical(add(&MINUS_ONE, &ONE)), [0; 4]);
    }
}
