//! The names of one object, remembered well enough to know that none of them stands twice.
//!
//! Names are kept as fingerprints, sixteen to an object and on the stack. Honest objects end there. Where two fingerprints
//! are alike, or there are more names than that, somebody has to compare the names themselves.

const FINGERPRINTS: usize = 16;

/// The names seen so far.
#[derive(Default)]
pub(super) struct Names {
    count: usize,
    /// One bit of 64 for each name: while its bit is free, a name is new without comparing.
    bits: u64,
    fingerprints: [u64; FINGERPRINTS],
    must_be_compared: bool,
}

impl Names {
    #[inline]
    pub(super) fn remember(&mut self, name: &str) {
        self.remember_fingerprint(fingerprint(name.as_bytes()));
    }

    /// A name of less than eight bytes, of which the text goes on in `eight`, the first in the lowest byte.
    #[inline]
    pub(super) fn remember_short(&mut self, eight: u64, length: usize) {
        debug_assert!(length < 8);
        self.remember_fingerprint(short_fingerprint(eight & !(u64::MAX << (8 * length)), length));
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a few instructions, and left out of line without it")]
    fn remember_fingerprint(&mut self, fingerprint: u64) {
        let bit = 1 << (fingerprint.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58);
        if self.bits & bit != 0 {
            let seen = self.fingerprints.get(..self.count).unwrap_or_default();
            self.must_be_compared |= seen.contains(&fingerprint);
        }
        self.bits |= bit;
        match self.fingerprints.get_mut(self.count) {
            Some(free) => *free = fingerprint,
            None => self.must_be_compared = true,
        }
        self.count += 1;
    }

    /// Whether a name might stand twice. If not, then none does.
    pub(super) fn must_be_compared(&self) -> bool {
        self.must_be_compared
    }
}

/// Equal for equal names, and different for nearly all others: the length, and the first and last bytes.
#[inline]
fn fingerprint(name: &[u8]) -> u64 {
    match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            first ^ last.rotate_left(29) ^ (name.len() as u64).rotate_left(57)
        }
        _ => short_fingerprint(name.iter().rev().fold(0, |packed, byte| packed << 8 | u64::from(*byte)), name.len()),
    }
}

/// The fingerprint of less than eight bytes, packed with the first in the lowest byte.
#[inline]
const fn short_fingerprint(packed: u64, length: usize) -> u64 {
    packed ^ (length as u64).rotate_left(57)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_honest_claims_need_no_comparing() {
        let mut names = Names::default();
        for name in "iss sub aud exp nbf iat jti client_id scope auth_time acr amr sid gen cnf email".split(' ') {
            names.remember(name);
            assert!(!names.must_be_compared(), "{name}");
        }
        names.remember("one too many");
        assert!(names.must_be_compared());
    }

    #[test]
    fn short_names_have_one_fingerprint_however_they_are_read() {
        for name in ["", "a", "iss", "abcd", "scope", "abcdefg"] {
            let mut eight = *b"\":\"https";
            eight.rotate_right(name.len());
            eight[..name.len()].copy_from_slice(name.as_bytes());
            let mut names = Names::default();
            names.remember_short(u64::from_le_bytes(eight), name.len());
            assert!(!names.must_be_compared());
            names.remember(name);
            assert!(names.must_be_compared(), "{name}");
        }
    }

    #[test]
    fn a_name_that_stands_twice_is_never_overlooked() {
        for name in ["", "a", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefghijklmnopq", "\0", "é"] {
            let mut names = Names::default();
            for name in ["x", name, "y", name] {
                names.remember(name);
            }
            assert!(names.must_be_compared(), "{name}");
        }
    }
}
