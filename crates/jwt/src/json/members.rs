//! Going through an object or an array, and noticing a name that stands twice.
//!
//! Names are remembered as fingerprints, sixteen to an object and on the stack. Honest objects end there. Where two
//! fingerprints are alike, or an object has more names than that, the object is gone through once more at its end and the
//! names themselves are sorted and compared: exact in every case, and n log n for a hostile header with a thousand names.

use std::borrow::Cow;

use super::Fault;
use super::scan::Scanner;

/// An object that is being gone through.
pub(super) struct Members {
    start: usize,
    count: usize,
    bits: u64,
    fingerprints: [u64; FINGERPRINTS],
    must_compare: bool,
}

/// An array that is being gone through.
pub(super) struct Items {
    is_first: bool,
}

const FINGERPRINTS: usize = 16;

impl<'a> Scanner<'a> {
    /// Steps into an object at its `{`.
    pub(super) fn begin_object(&mut self) -> Result<Members, Fault> {
        let start = self.at;
        self.expect(b'{')?;
        Ok(Members { start, count: 0, bits: 0, fingerprints: [0; FINGERPRINTS], must_compare: false })
    }

    /// Goes to the next member's value and says its name; at the end of the object, none. Between two calls the value must
    /// have been read.
    #[inline]
    pub(super) fn next_name(&mut self, members: &mut Members) -> Result<Option<Cow<'a, str>>, Fault> {
        self.skip_white_space();
        match (self.peek(), members.count) {
            (Some(b'}'), _) => {
                self.at += 1;
                return if members.must_compare { self.compare_names(members.start) } else { Ok(None) };
            }
            (Some(b','), 1..) => {
                self.at += 1;
                self.skip_white_space();
            }
            (_, 0) => {}
            _ => return Err(Fault::NotAnObject),
        }
        let name = self.string()?;
        if self.names_matter {
            members.remember(&name);
        }
        members.count += 1;
        self.skip_white_space();
        self.expect(b':')?;
        self.skip_white_space();
        Ok(Some(name))
    }

    /// Steps into an array at its `[`.
    pub(super) fn begin_array(&mut self) -> Result<Items, Fault> {
        self.expect(b'[')?;
        Ok(Items { is_first: true })
    }

    /// Goes to the next item, if there is one.
    pub(super) fn next_item(&mut self, items: &mut Items) -> Result<bool, Fault> {
        self.skip_white_space();
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                return Ok(false);
            }
            _ if items.is_first => items.is_first = false,
            Some(b',') => {
                self.at += 1;
                self.skip_white_space();
            }
            _ => return Err(Fault::NotAnObject),
        }
        Ok(true)
    }

    /// Compares all names of the object that has just ended.
    #[cold]
    fn compare_names(&self, start: usize) -> Result<Option<Cow<'a, str>>, Fault> {
        let mut again = self.again_from(start);
        let mut members = again.begin_object()?;
        let mut names = Vec::new();
        while let Some(name) = again.next_name(&mut members)? {
            names.push(name);
            again.value(usize::MAX)?;
        }
        names.sort_unstable();
        let repeated = names.windows(2).any(|pair| matches!(pair, [one, next] if one == next));
        if repeated { Err(Fault::DuplicateMember) } else { Ok(None) }
    }
}

impl Members {
    #[inline]
    fn remember(&mut self, name: &str) {
        let fingerprint = fingerprint(name.as_bytes());
        // One bit of 64 for each name: while its bit is free, a name is new without comparing.
        let bit = 1 << (fingerprint.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58);
        if self.bits & bit != 0 {
            let seen = self.fingerprints.get(..self.count).unwrap_or_default();
            self.must_compare |= seen.contains(&fingerprint);
        }
        self.bits |= bit;
        match self.fingerprints.get_mut(self.count) {
            Some(free) => *free = fingerprint,
            None => self.must_compare = true,
        }
    }
}

/// Equal for equal names, and different for nearly all others: the length, and the first and last bytes.
fn fingerprint(name: &[u8]) -> u64 {
    let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
            (Some(first), Some(last)) => (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last))),
            _ => (name.iter().fold(0, |packed, byte| packed << 8 | u64::from(*byte)), 0),
        },
    };
    first ^ last.rotate_left(29) ^ (name.len() as u64).rotate_left(57)
}
