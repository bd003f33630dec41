//! A walk over a JSON object that is strict where tokens need it (RFC 8259, RFC 7515 §4, RFC 7519 §4).
//!
//! A general JSON reader answers "what is the value of x"; a verifier must also know that there is exactly one x, at any
//! depth, that nothing follows the object, and that nesting has a bound. So there is one scanner that knows all this
//! ([`scan`], [`members`]), and two ways to drive it: [`walk_object`] hands the top-level members to a closure, and
//! [`read_object`] puts the object into the caller's type by serde while the same scanner looks. Either way each byte is
//! read once, and whatever is accepted is valid JSON: nothing is left for a more lenient reader to see differently.

mod members;
mod names;
mod read;
mod scan;
#[cfg(test)]
mod serde_tests;
#[cfg(test)]
mod tests;
mod values;
mod write;

use std::borrow::Cow;

use crate::Error;
use crate::error::Part;
pub(crate) use read::{Watch, read_object};
use scan::Scanner;
pub(crate) use write::{write_object, write_string};

/// Why a text is not one acceptable JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not exactly one JSON object.
    NotAnObject,
    /// The same member name twice in one object.
    DuplicateMember,
    /// Nested deeper than the limit.
    TooDeep,
}

impl Fault {
    /// The refusal of a token whose header has this fault.
    pub(crate) fn in_header(self, limit_levels: usize) -> Error {
        self.in_part(Part::Header, Error::HeaderNotJsonObject, limit_levels)
    }

    /// The refusal of a token whose claims have this fault.
    pub(crate) fn in_payload(self, limit_levels: usize) -> Error {
        self.in_part(Part::Payload, Error::ClaimsNotJsonObject, limit_levels)
    }

    fn in_part(self, part: Part, not_an_object: Error, limit_levels: usize) -> Error {
        match self {
            Self::NotAnObject => not_an_object,
            Self::DuplicateMember => Error::DuplicateMember(part),
            Self::TooDeep => Error::TooDeep { part, limit_levels },
        }
    }
}

/// A member's value, as far as a verifier cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A string, unescaped; borrowed unless there was something to unescape.
    String(Cow<'a, str>),
    /// A number.
    Number(Number<'a>),
    /// `true` or `false`.
    Bool(bool),
    /// An array, as written and known to be valid, for [`items`].
    Array(&'a str),
    /// An object, as written and known to be valid.
    Object(&'a str),
    /// `null`.
    Null,
}

/// A number, as written; and its value, if it is a whole one that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<'a> {
    pub(crate) text: &'a str,
    pub(crate) whole: Option<u64>,
}

/// Walks the one object that `text` must be, and calls `on_member` for each member of the outermost level.
///
/// A fault in a later byte may be found after `on_member` has seen earlier members: act only after `Ok`.
pub(crate) fn walk_object<'a>(
    text: &'a str,
    max_depth: usize,
    mut on_member: impl FnMut(&str, Value<'a>),
) -> Result<(), Fault> {
    let mut scanner = Scanner::new(text);
    scanner.skip_white_space();
    if scanner.peek() != Some(b'{') {
        return Err(Fault::NotAnObject);
    }
    let depth_left = max_depth.checked_sub(1).ok_or(Fault::TooDeep)?;
    let mut members = scanner.begin_object()?;
    while let Some(name) = scanner.next_name(&mut members)? {
        let value = scanner.value(depth_left)?;
        on_member(&name, value);
    }
    if scanner.only_white_space_follows() { Ok(()) } else { Err(Fault::NotAnObject) }
}

/// The members of an object as machines write it: only these, in this order, each a string that needs no unescaping, no
/// white space. A member may be left out. None if the text is anything else, which a walk has then to judge.
///
/// The names come with quotes and colon, as they stand in the text.
pub(crate) fn plain_strings<'a, const N: usize>(text: &'a str, names: [&str; N]) -> Option<[Option<&'a str>; N]> {
    let mut scanner = Scanner::new(text);
    scanner.expect(b'{').ok()?;
    let mut found = [None; N];
    let mut needs_comma = false;
    for (name, found) in names.iter().zip(&mut found) {
        let ahead = text.as_bytes().get(scanner.at + usize::from(needs_comma)..)?;
        if ahead.starts_with(name.as_bytes()) {
            if std::mem::replace(&mut needs_comma, true) {
                scanner.expect(b',').ok()?;
            }
            scanner.at += name.len();
            *found = Some(scanner.plain_string()?);
        }
    }
    scanner.expect(b'}').ok()?;
    (scanner.at == text.len()).then_some(found)
}

/// Calls `on_item` for each item of an array that a walk has handed out.
pub(crate) fn items<'a>(array: &'a str, mut on_item: impl FnMut(Value<'a>)) {
    // The array has been walked once with a limit, so it is valid and no deeper than that.
    let mut scanner = Scanner::new(array);
    let mut walk = || {
        let mut items = scanner.begin_array()?;
        while scanner.next_item(&mut items)? {
            on_item(scanner.value(usize::MAX)?);
        }
        Ok::<(), Fault>(())
    };
    let walked = walk();
    debug_assert_eq!(walked, Ok(()));
}

/// Calls `on_item` for each item of an array that a walk has handed out; false if one of them is not a string.
pub(crate) fn strings<'a>(array: &'a str, mut on_item: impl FnMut(Cow<'a, str>)) -> bool {
    let mut all_strings = true;
    items(array, |item| match item {
        Value::String(item) => on_item(item),
        _ => all_strings = false,
    });
    all_strings
}
