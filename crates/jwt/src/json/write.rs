//! Writing claims as JSON by serde, and noticing a name that would stand twice.
//!
//! The output is `serde_json`'s to the byte. What claims are rarely made of (fractions, enums with content, names that are
//! not strings, raw values), and anything that might be wrong, is not written: the caller then goes the long way, by
//! `serde_json` and a walk over what it wrote, which also finds the right words for a refusal.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};

use super::names::Names;
use super::scan::{is_plain, plain_end};

/// Not written here.
#[derive(Debug)]
pub(crate) struct Unusual;

/// Appends one object without repeated names. After a refusal `json` holds a fragment.
pub(crate) fn write_object(
    json: &mut Vec<u8>,
    max_depth: usize,
    object: &(impl Serialize + ?Sized),
) -> Result<(), Unusual> {
    let start = json.len();
    object.serialize(Writer { json, depth_left: max_depth })?;
    if json.get(start) == Some(&b'{') { Ok(()) } else { Err(Unusual) }
}

/// Appends a string with its quotes (RFC 8259 §7).
pub(crate) fn write_string(json: &mut Vec<u8>, text: &str) {
    json.reserve(text.len() + 2);
    json.push(b'"');
    if is_plain(text.as_bytes()) {
        json.extend_from_slice(text.as_bytes());
    } else {
        write_escaped(json, text.as_bytes());
    }
    json.push(b'"');
}

#[cold]
fn write_escaped(json: &mut Vec<u8>, mut rest: &[u8]) {
    loop {
        let (plain, special) = rest.split_at(plain_end(rest, 0).min(rest.len()));
        json.extend_from_slice(plain);
        let Some((special, after)) = special.split_first() else { break };
        escape(json, *special);
        rest = after;
    }
}

fn escape(json: &mut Vec<u8>, byte: u8) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    let letter = match byte {
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        b'"' | b'\\' => byte,
        _ => {
            json.extend_from_slice(b"\\u00");
            json.extend([byte >> 4, byte & 15].iter().filter_map(|digit| HEX.get(usize::from(*digit))));
            return;
        }
    };
    json.extend_from_slice(&[b'\\', letter]);
}

fn write_number(json: &mut Vec<u8>, is_negative: bool, mut number: u64) {
    let mut digits = [0; 20];
    let mut count = 0;
    for place in digits.iter_mut().rev() {
        // The remainder is below ten.
        *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
        count += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if is_negative {
        json.push(b'-');
    }
    json.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

impl fmt::Display for Unusual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not written here")
    }
}

impl std::error::Error for Unusual {}

impl ser::Error for Unusual {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Writer<'w> {
    json: &'w mut Vec<u8>,
    depth_left: usize,
}

macro_rules! write_integers {
    ($($method:ident $type:ty;)*) => {$(
        fn $method(self, number: $type) -> Result<(), Unusual> {
            // Every integer of 64 bits and less fits one of the two.
            match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => write_number(self.json, false, number),
                (_, Ok(number)) => write_number(self.json, true, number.unsigned_abs()),
                _ => return Err(Unusual),
            }
            Ok(())
        }
    )*};
}

impl<'w> Serializer for Writer<'w> {
    type Ok = ();
    type Error = Unusual;
    type SerializeSeq = Items<'w>;
    type SerializeTuple = Items<'w>;
    type SerializeTupleStruct = Items<'w>;
    type SerializeTupleVariant = Impossible<(), Unusual>;
    type SerializeMap = Members<'w>;
    type SerializeStruct = Members<'w>;
    type SerializeStructVariant = Impossible<(), Unusual>;

    write_integers! {
        serialize_i8 i8; serialize_i16 i16; serialize_i32 i32; serialize_i64 i64; serialize_i128 i128;
        serialize_u8 u8; serialize_u16 u16; serialize_u32 u32; serialize_u64 u64; serialize_u128 u128;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unusual> {
        self.json.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Unusual> {
        write_string(self.json, text);
        Ok(())
    }

    fn serialize_char(self, character: char) -> Result<(), Unusual> {
        self.serialize_str(character.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit(self) -> Result<(), Unusual> {
        self.json.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unusual> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unusual> {
        value.serialize(self)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unusual> {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unusual> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unusual> {
        self.serialize_str(variant)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'w>, Unusual> {
        let depth_left = self.depth_left.checked_sub(1).ok_or(Unusual)?;
        self.json.push(b'[');
        Ok(Items { json: self.json, depth_left, is_first: true })
    }

    fn serialize_tuple(self, count: usize) -> Result<Items<'w>, Unusual> {
        self.serialize_seq(Some(count))
    }

    fn serialize_tuple_struct(self, _: &'static str, count: usize) -> Result<Items<'w>, Unusual> {
        self.serialize_seq(Some(count))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'w>, Unusual> {
        let depth_left = self.depth_left.checked_sub(1).ok_or(Unusual)?;
        self.json.push(b'{');
        Ok(Members { json: self.json, depth_left, is_first: true, names: Names::default() })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'w>, Unusual> {
        // By names like this `serde_json` passes itself what is no struct at all.
        if name.starts_with('$') { Err(Unusual) } else { self.serialize_map(None) }
    }

    fn serialize_f32(self, _: f32) -> Result<(), Unusual> {
        Err(Unusual)
    }

    fn serialize_f64(self, _: f64) -> Result<(), Unusual> {
        Err(Unusual)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unusual> {
        Err(Unusual)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unusual> {
        Err(Unusual)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unusual> {
        Err(Unusual)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unusual> {
        Err(Unusual)
    }
}

/// An array that is being written.
struct Items<'w> {
    json: &'w mut Vec<u8>,
    depth_left: usize,
    is_first: bool,
}

impl Items<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Unusual> {
        if !std::mem::take(&mut self.is_first) {
            self.json.push(b',');
        }
        item.serialize(Writer { json: self.json, depth_left: self.depth_left })
    }
}

macro_rules! items {
    ($($trait:ident $method:ident;)*) => {$(
        impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Unusual;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Unusual> {
                self.item(item)
            }

            fn end(self) -> Result<(), Unusual> {
                self.json.push(b']');
                Ok(())
            }
        }
    )*};
}

items! { SerializeSeq serialize_element; SerializeTuple serialize_element; SerializeTupleStruct serialize_field; }

/// An object that is being written.
struct Members<'w> {
    json: &'w mut Vec<u8>,
    depth_left: usize,
    is_first: bool,
    names: Names,
}

impl Members<'_> {
    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.is_first) {
            self.json.push(b',');
        }
        self.names.remember(name);
        write_string(self.json, name);
        self.json.push(b':');
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unusual> {
        value.serialize(Writer { json: self.json, depth_left: self.depth_left })
    }

    fn finish(self) -> Result<(), Unusual> {
        self.json.push(b'}');
        if self.names.must_be_compared() { Err(Unusual) } else { Ok(()) }
    }
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = Unusual;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unusual> {
        self.name(name);
        self.value(value)
    }

    fn end(self) -> Result<(), Unusual> {
        self.finish()
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Unusual;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Unusual> {
        if !std::mem::take(&mut self.is_first) {
            self.json.push(b',');
        }
        let start = self.json.len();
        name.serialize(Writer { json: self.json, depth_left: 0 })?;
        // A string, and one without escapes, so that what stands there is the name itself.
        let name = match self.json.get(start..) {
            Some([b'"', name @ .., b'"']) if !name.contains(&b'\\') => {
                std::str::from_utf8(name).map_err(|_| Unusual)?
            }
            _ => return Err(Unusual),
        };
        self.names.remember(name);
        self.json.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unusual> {
        self.value(value)
    }

    fn end(self) -> Result<(), Unusual> {
        self.finish()
    }
}
