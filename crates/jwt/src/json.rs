//! A walk over a JSON object that is strict where tokens need it (RFC 8259, RFC 7515 §4, RFC 7519 §4).
//!
//! A general JSON reader answers "what is the value of x"; a verifier must also know that there is exactly one x, at any
//! depth, that nothing follows the object, and that nesting has a bound — and it must know before anything is acted on.
//! The walk reads each byte once, allocates nothing but its list of names, and hands the top-level members to the
//! caller. Whatever it accepts is valid JSON: nothing is left for a more lenient reader to see differently.

use std::borrow::Cow;

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

/// A member's value, as far as a verifier cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A string, unescaped; borrowed unless there was something to unescape.
    String(Cow<'a, str>),
    /// A number, as written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// An array, as written and known to be valid, for [`items`].
    Array(&'a str),
    /// An object, as written and known to be valid.
    Object(&'a str),
    /// `null`.
    Null,
}

/// Walks the one object that `text` must be, and calls `on_member` for each member of the outermost level.
///
/// A fault in a later byte may be found after `on_member` has seen earlier members: act only after `Ok`.
pub(crate) fn walk_object<'a>(
    text: &'a str,
    max_depth: usize,
    mut on_member: impl FnMut(&str, Value<'a>),
) -> Result<(), Fault> {
    let mut walk = Walk::new(text);
    walk.skip_white_space();
    if walk.peek() != Some(b'{') {
        return Err(Fault::NotAnObject);
    }
    walk.object(max_depth.checked_sub(1).ok_or(Fault::TooDeep)?, &mut on_member)?;
    walk.skip_white_space();
    if walk.at == walk.bytes.len() { Ok(()) } else { Err(Fault::NotAnObject) }
}

/// Calls `on_item` for each item of an array that a walk has handed out.
pub(crate) fn items<'a>(array: &'a str, mut on_item: impl FnMut(Value<'a>)) {
    // The array has been walked once with a limit, so it is valid and no deeper than that.
    let walked = Walk::new(array).array(usize::MAX, &mut on_item);
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

/// Up to here names are compared pairwise as they come; beyond, sorted at the object's end, so that a hostile header
/// with a thousand members costs n log n.
const PAIRWISE_NAMES_MAX: usize = 16;

struct Walk<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The names of every object that is open now, outermost first.
    names: Vec<Cow<'a, str>>,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, names: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// RFC 8259 §2: four characters and no more.
    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(Fault::NotAnObject)
        }
    }

    /// Reads an object from its `{`; `depth_left` is how many levels may still open inside it.
    fn object(&mut self, depth_left: usize, on_member: &mut dyn FnMut(&str, Value<'a>)) -> Result<(), Fault> {
        self.expect(b'{')?;
        let first_name = self.names.len();
        self.skip_white_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_white_space();
            let name = self.string()?;
            let siblings = self.names.get(first_name..).unwrap_or_default();
            if siblings.len() < PAIRWISE_NAMES_MAX && siblings.contains(&name) {
                return Err(Fault::DuplicateMember);
            }
            self.names.push(name.clone());
            self.skip_white_space();
            self.expect(b':')?;
            self.skip_white_space();
            let value = self.value(depth_left)?;
            on_member(&name, value);
            self.skip_white_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(Fault::NotAnObject),
            }
        }
        self.at += 1;
        let siblings = self.names.get_mut(first_name..).unwrap_or_default();
        if siblings.len() > PAIRWISE_NAMES_MAX {
            siblings.sort_unstable();
            if siblings.windows(2).any(|pair| matches!(pair, [one, next] if one == next)) {
                return Err(Fault::DuplicateMember);
            }
        }
        self.names.truncate(first_name);
        Ok(())
    }

    /// Reads an array from its `[`.
    fn array(&mut self, depth_left: usize, on_item: &mut dyn FnMut(Value<'a>)) -> Result<(), Fault> {
        self.expect(b'[')?;
        self.skip_white_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_white_space();
            let item = self.value(depth_left)?;
            on_item(item);
            self.skip_white_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(Fault::NotAnObject),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth_left: usize) -> Result<Value<'a>, Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'{') => {
                let start = self.at;
                self.object(depth_left.checked_sub(1).ok_or(Fault::TooDeep)?, &mut |_, _| ())?;
                Ok(Value::Object(self.text.get(start..self.at).unwrap_or_default()))
            }
            Some(b'[') => {
                let start = self.at;
                self.array(depth_left.checked_sub(1).ok_or(Fault::TooDeep)?, &mut |_| ())?;
                Ok(Value::Array(self.text.get(start..self.at).unwrap_or_default()))
            }
            Some(b't') => self.word("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Value::Null),
            _ => Err(Fault::NotAnObject),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) == Some(word.as_bytes()) {
            self.at = end;
            Ok(())
        } else {
            Err(Fault::NotAnObject)
        }
    }

    /// RFC 8259 §6: no leading zero, no leading plus, digits on both sides of a point.
    fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.text.get(start..self.at).ok_or(Fault::NotAnObject)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Fault::NotAnObject) }
    }

    /// RFC 8259 §7. Text without escapes, which is nearly all of it, is borrowed.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip_plain();
        if self.peek() == Some(b'"') {
            let plain = self.text.get(start..self.at).ok_or(Fault::NotAnObject)?;
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        let mut unescaped = String::new();
        let mut plain_start = start;
        loop {
            self.skip_plain();
            unescaped.push_str(self.text.get(plain_start..self.at).ok_or(Fault::NotAnObject)?);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(unescaped));
                }
                Some(b'\\') => {
                    self.at += 1;
                    unescaped.push(self.escape()?);
                    plain_start = self.at;
                }
                // The end of the text, or a control character that should have been escaped.
                _ => return Err(Fault::NotAnObject),
            }
        }
    }

    /// Moves to the next quote, backslash or control character, eight bytes at a time while there are eight.
    fn skip_plain(&mut self) {
        while let Some(eight) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let stops = stop_bytes(u64::from_le_bytes(*eight));
            if stops != 0 {
                self.at += (stops.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char, Fault> {
        let letter = self.peek().ok_or(Fault::NotAnObject)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                if (0xd800..0xdc00).contains(&first) {
                    // The high half of a pair: the low half must follow. A lone half is no character.
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let second = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return Err(Fault::NotAnObject);
                    }
                    char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(Fault::NotAnObject)?
                } else {
                    char::from_u32(first).ok_or(Fault::NotAnObject)?
                }
            }
            _ => return Err(Fault::NotAnObject),
        })
    }

    fn hex4(&mut self) -> Result<u32, Fault> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(Fault::NotAnObject)?;
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }
}

/// Marks, in the high bit of each byte, a quote, a backslash or a control character. Marks above the first true one may
/// be false (a borrow runs upward), so only the lowest mark counts.
const fn stop_bytes(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let quote = eight ^ (ONES * b'"' as u64);
    let backslash = eight ^ (ONES * b'\\' as u64);
    let quotes = quote.wrapping_sub(ONES) & !quote;
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    let controls = eight.wrapping_sub(ONES * 0x20) & !eight;
    (quotes | backslashes | controls) & HIGHS
}

#[cfg(test)]
mod tests;
