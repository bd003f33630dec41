//! Going through an object or an array, and noticing a name that stands twice.

use std::borrow::Cow;

use super::Fault;
use super::names::Names;
use super::scan::{Scanner, plain_end, stop_bytes};

/// An object that is being gone through.
pub(super) struct Members {
    start: usize,
    is_first: bool,
    names: Names,
}

/// An array that is being gone through.
pub(super) struct Items {
    is_first: bool,
}

impl<'a> Scanner<'a> {
    /// Steps into an object at its `{`.
    #[inline]
    pub(super) fn begin_object(&mut self) -> Result<Members, Fault> {
        let start = self.at;
        self.expect(b'{')?;
        Ok(Members { start, is_first: true, names: Names::default() })
    }

    /// Goes to the next member's value and says its name; at the end of the object, none. Between two calls the value must
    /// have been read.
    #[inline]
    pub(super) fn next_name(&mut self, members: &mut Members) -> Result<Option<Cow<'a, str>>, Fault> {
        self.skip_white_space();
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                return if members.names.must_be_compared() { self.compare_names(members.start) } else { Ok(None) };
            }
            _ if members.is_first => members.is_first = false,
            Some(b',') => {
                self.at += 1;
                self.skip_white_space();
            }
            _ => return Err(Fault::NotAnObject),
        }
        let name = self.string()?;
        if self.names_matter {
            members.names.remember(&name);
        }
        self.skip_white_space();
        self.expect(b':')?;
        self.skip_white_space();
        Ok(Some(name))
    }

    /// The same where a name stands as machines write it, `,"name":` and no white space before the colon. None if it does
    /// not, or is the first; then nothing was passed.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a tenth of reading claims, and left out of line without it")]
    pub(super) fn next_plain_name(&mut self, members: &mut Members) -> Option<&'a str> {
        let bytes = self.text().as_bytes();
        let ahead = bytes.get(self.at..)?.first_chunk::<10>()?;
        let [b',', b'"', eight @ ..] = ahead else {
            return None;
        };
        if members.is_first {
            return None;
        }
        let start = self.at + 2;
        let eight = u64::from_le_bytes(*eight);
        let stops = stop_bytes(eight);
        let length = (stops.trailing_zeros() / 8) as usize;
        let end = if stops == 0 { plain_end(bytes, start + length) } else { start + length };
        if bytes.get(end..)?.first_chunk::<2>()? != b"\":" {
            return None;
        }
        let name = self.text().get(start..end)?;
        self.at = end + 2;
        if self.names_matter {
            if stops == 0 { members.names.remember(name) } else { members.names.remember_short(eight, length) }
        }
        self.skip_white_space();
        Some(name)
    }

    /// Steps into an array at its `[`.
    #[inline]
    pub(super) fn begin_array(&mut self) -> Result<Items, Fault> {
        self.expect(b'[')?;
        Ok(Items { is_first: true })
    }

    /// Goes to the next item, if there is one.
    #[inline]
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

    /// Compares all names of the object that has just ended, at n log n for a hostile header with a thousand of them.
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
