//! The scanner: JSON's grammar, character by character (RFC 8259).

use std::borrow::Cow;

use super::{Fault, Number, Value};

/// A place in a JSON text. What has been passed is valid.
pub(super) struct Scanner<'a> {
    text: &'a str,
    pub(super) at: usize,
    /// Whether repeated names are looked for; off for a part that has been looked through already.
    pub(super) names_matter: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, names_matter: true }
    }

    /// The whole text.
    #[inline]
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The text from a place that was passed to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The same scanner at the start of a part that was passed, no longer looking for repeated names.
    pub(super) fn again_from(&self, start: usize) -> Self {
        Self { text: self.text, at: start, names_matter: false }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// RFC 8259 §2: four characters and no more.
    #[inline]
    pub(super) fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn only_white_space_follows(&mut self) -> bool {
        self.skip_white_space();
        self.at == self.text.len()
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(Fault::NotAnObject)
        }
    }

    /// Reads a value of any kind; `depth_left` is how many levels may still open.
    pub(super) fn value(&mut self, depth_left: usize) -> Result<Value<'a>, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'{') => {
                let depth_left = depth_left.checked_sub(1).ok_or(Fault::TooDeep)?;
                let mut members = self.begin_object()?;
                while self.next_name(&mut members)?.is_some() {
                    self.value(depth_left)?;
                }
                Ok(Value::Object(self.since(start)))
            }
            Some(b'[') => {
                let depth_left = depth_left.checked_sub(1).ok_or(Fault::TooDeep)?;
                let mut items = self.begin_array()?;
                while self.next_item(&mut items)? {
                    self.value(depth_left)?;
                }
                Ok(Value::Array(self.since(start)))
            }
            _ => self.scalar(),
        }
    }

    /// Reads a value that holds no others.
    pub(super) fn scalar(&mut self) -> Result<Value<'a>, Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Value::Null),
            _ => Err(Fault::NotAnObject),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        let end = self.at + word.len();
        if self.text.as_bytes().get(self.at..end) == Some(word.as_bytes()) {
            self.at = end;
            Ok(())
        } else {
            Err(Fault::NotAnObject)
        }
    }

    /// RFC 8259 §6: no leading zero, no leading plus, digits on both sides of a point.
    pub(super) fn number(&mut self) -> Result<Number<'a>, Fault> {
        let start = self.at;
        let mut whole = Some(0);
        if self.peek() == Some(b'-') {
            self.at += 1;
            whole = None;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            let digits = self.digits()?;
            whole = whole.and(digits);
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
            whole = None;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
            whole = None;
        }
        Ok(Number { text: self.since(start), whole })
    }

    /// A number of one to nineteen digits and nothing else, which is certain to fit. If it is not, nothing is passed.
    #[inline]
    pub(super) fn plain_whole(&mut self) -> Option<u64> {
        let start = self.at;
        match (self.peek()?, self.digits()) {
            (b'1'..=b'9', Ok(Some(value))) if !matches!(self.peek(), Some(b'.' | b'e' | b'E')) => Some(value),
            _ => {
                self.at = start;
                None
            }
        }
    }

    /// Passes one digit or more; their value, if that is certain to fit.
    #[inline]
    fn digits(&mut self) -> Result<Option<u64>, Fault> {
        const ALWAYS_FIT: usize = 19;
        let start = self.at;
        let mut value = 0_u64;
        // A date has ten digits, and adding them up one by one waits for a multiplication each.
        let rest = self.text.as_bytes().get(start..).and_then(|rest| rest.first_chunk::<8>());
        if let Some(eight) = rest.and_then(|eight| eight_digits(u64::from_le_bytes(*eight))) {
            value = eight;
            self.at += 8;
        }
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        match self.at - start {
            0 => Err(Fault::NotAnObject),
            1..=ALWAYS_FIT => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    /// RFC 8259 §7. Text without escapes, which is nearly all of it, is borrowed.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        match self.plain_string() {
            Some(plain) => Ok(Cow::Borrowed(plain)),
            None => self.escaped_string(),
        }
    }

    /// A string that stands there as it is. If it does not, nothing is passed.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        let end = plain_end(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    #[cold]
    fn escaped_string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.expect(b'"')?;
        let mut unescaped = String::new();
        let mut plain_start = self.at;
        loop {
            self.at = plain_end(self.text.as_bytes(), self.at);
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

/// Where the next quote, backslash or control character is: by sixteen bytes while there are as many.
#[inline]
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(sixteen) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        if !all_plain(sixteen) {
            return at + first_stop(u128::from_le_bytes(*sixteen));
        }
        at += 16;
    }
    plain_end_of_rest(bytes, at)
}

/// Where the first stop among sixteen bytes is, of which the first is the lowest; there is one.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves")]
fn first_stop(sixteen: u128) -> usize {
    let (first, second) = (stop_bytes(sixteen as u64), stop_bytes((sixteen >> 64) as u64));
    (if first != 0 { first.trailing_zeros() / 8 } else { 8 + second.trailing_zeros() / 8 }) as usize
}

/// Less than sixteen bytes from the end.
#[cold]
fn plain_end_of_rest(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| is_stop(*byte)).unwrap_or(rest.len())
}

/// Whether nothing in a text has to be escaped. The last bytes of longer texts are looked at twice, which is quicker than
/// one by one.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    match (bytes.last_chunk::<16>(), bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(last), ..) => bytes.as_chunks::<16>().0.iter().all(all_plain) && all_plain(last),
        (None, Some(first), Some(last)) => {
            stop_bytes(u64::from_le_bytes(*first)) | stop_bytes(u64::from_le_bytes(*last)) == 0
        }
        _ => !bytes.iter().any(|byte| is_stop(*byte)),
    }
}

/// Written without an early end, so that the compiler looks at all of them at once.
#[inline]
fn all_plain(sixteen: &[u8; 16]) -> bool {
    !sixteen.iter().fold(false, |stop, byte| stop | is_stop(*byte))
}

/// A quote, a backslash or a control character. Flipping the bit 2 brings the quote (0x22) down to just above the control
/// characters and keeps those where they are, so that one comparison is enough for both.
#[inline]
const fn is_stop(byte: u8) -> bool {
    byte ^ 2 < 0x21 || byte == b'\\'
}

/// The number that eight digits write, the first in the lowest byte; none if one of the bytes is no digit.
pub(super) const fn eight_digits(eight: u64) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let digits = eight.wrapping_sub(ONES * b'0' as u64);
    // What is below '0' borrows its high bit, what is above '9' is lifted to it. Carries run upward, so the lowest byte
    // that is no digit is always seen.
    let above_nine = eight.wrapping_add(ONES * (0x7f - b'9') as u64);
    if (digits | above_nine) & (ONES << 7) != 0 {
        return None;
    }
    // Pairs, then both halves of four, then all: each step in one multiplication.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let first_and_third = (pairs & 0xff_0000_00ff).wrapping_mul((1_000_000 << 32) + 100);
    let second_and_fourth = (pairs >> 16 & 0xff_0000_00ff).wrapping_mul((10_000 << 32) + 1);
    Some(first_and_third.wrapping_add(second_and_fourth) >> 32)
}

/// Marks, in the high bit of each byte, what [`is_stop`]. Marks above the first true one may be false (a borrow runs
/// upward), so only the lowest mark counts.
#[inline]
pub(super) const fn stop_bytes(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let backslash = eight ^ (ONES * b'\\' as u64);
    let below = (eight ^ (ONES * 2)).wrapping_sub(ONES * 0x21) & !eight;
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    (below | backslashes) & (ONES << 7)
}
