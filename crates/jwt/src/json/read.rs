//! Putting an object into the caller's type by serde, under the eyes of the strict scanner.
//!
//! This exists so that claims are gone through once and not twice. It reads what claims are made of; a type that asks for
//! more (raw values, numbers as map keys, enums with content) is told that it does not fit, and the caller goes the long
//! way: first the walk, then `serde_json`.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::members::{Items, Members};
use super::scan::Scanner;
use super::values::{Scalar, Text, Whole};
use super::{Fault, Value};

/// The text is no acceptable object, or the type asks for another, or for more than is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoesNotFit;

/// Something that wants to see some of the top-level members on their way into the caller's type.
pub(crate) trait Watch<'de> {
    /// What tells the members of interest apart.
    type Name: Copy;
    /// Whether a member is of interest.
    fn name(name: &str) -> Option<Self::Name>;
    /// Its value. A fault in a later byte may still be found: act only after all was read.
    fn see(&mut self, name: Self::Name, value: Value<'de>);
    /// Its value if it is text that stands there as it is, which it nearly always does or is a whole number.
    fn see_text(&mut self, name: Self::Name, text: &'de str);
    /// Its value if it is a whole number.
    fn see_whole(&mut self, name: Self::Name, number: u64);
}

/// Reads the one object that `text` must be into `C`, and shows its members to `watch` on the way.
///
/// `Ok` says that the text passed all that [`walk_object`](super::walk_object) asks. A refusal says nothing but that.
#[inline]
pub(crate) fn read_object<'de, C: de::Deserialize<'de>>(
    text: &'de str,
    max_depth: usize,
    watch: &mut impl Watch<'de>,
) -> Result<C, DoesNotFit> {
    let mut scanner = Scanner::new(text);
    scanner.skip_white_space();
    let depth_left = max_depth.checked_sub(1).ok_or(DoesNotFit)?;
    let members = scanner.begin_object()?;
    let mut outermost = Outermost { scanner, members, depth_left, watch, watched: None, ended: false };
    let object = C::deserialize(&mut outermost)?;
    if outermost.ended && outermost.scanner.only_white_space_follows() { Ok(object) } else { Err(DoesNotFit) }
}

struct Outermost<'w, 'de, W: Watch<'de>> {
    scanner: Scanner<'de>,
    members: Members,
    depth_left: usize,
    watch: &'w mut W,
    watched: Option<W::Name>,
    ended: bool,
}

impl<'de, W: Watch<'de>> Deserializer<'de> for &mut Outermost<'_, 'de, W> {
    type Error = DoesNotFit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, W: Watch<'de>> MapAccess<'de> for &mut Outermost<'_, 'de, W> {
    type Error = DoesNotFit;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DoesNotFit> {
        if self.ended {
            return Ok(None);
        }
        if let Some(name) = self.scanner.next_plain_name(&mut self.members) {
            self.watched = W::name(name);
            return seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some);
        }
        let Some(name) = self.scanner.next_name(&mut self.members)? else {
            self.ended = true;
            return Ok(None);
        };
        self.watched = W::name(&name);
        read_name(name, seed).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DoesNotFit> {
        // Text and dates, which is nearly everything, by themselves: so the compiler sees that nothing else can be meant.
        if let Some(text) = self.scanner.plain_string() {
            if let Some(name) = self.watched {
                self.watch.see_text(name, text);
            }
            return seed.deserialize(Text(text));
        }
        if let Some(whole) = self.scanner.plain_whole() {
            if let Some(name) = self.watched {
                self.watch.see_whole(name, whole);
            }
            return seed.deserialize(Whole(whole));
        }
        self.other_value(seed)
    }
}

impl<'de, W: Watch<'de>> Outermost<'_, 'de, W> {
    fn other_value<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DoesNotFit> {
        let Some(name) = self.watched else {
            return seed.deserialize(Reader { scanner: &mut self.scanner, depth_left: self.depth_left });
        };
        if let Some(b'{' | b'[') = self.scanner.peek() {
            let start = self.scanner.at;
            let read = seed.deserialize(Reader { scanner: &mut self.scanner, depth_left: self.depth_left })?;
            let value = self.scanner.again_from(start).value(self.depth_left)?;
            self.watch.see(name, value);
            Ok(read)
        } else {
            let value = self.scanner.scalar()?;
            self.watch.see(name, value.clone());
            seed.deserialize(Scalar(value))
        }
    }
}

/// One value, wherever the scanner is.
struct Reader<'s, 'de> {
    scanner: &'s mut Scanner<'de>,
    depth_left: usize,
}

impl<'de> Deserializer<'de> for Reader<'_, 'de> {
    type Error = DoesNotFit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        match self.scanner.peek() {
            Some(b'{') => {
                let depth_left = self.depth_left.checked_sub(1).ok_or(DoesNotFit)?;
                let members = self.scanner.begin_object()?;
                let mut map = Map { scanner: self.scanner, members, depth_left, ended: false };
                let read = visitor.visit_map(&mut map)?;
                if map.ended || map.scanner.next_name(&mut map.members)?.is_none() { Ok(read) } else { Err(DoesNotFit) }
            }
            Some(b'[') => {
                let depth_left = self.depth_left.checked_sub(1).ok_or(DoesNotFit)?;
                let items = self.scanner.begin_array()?;
                let mut sequence = Sequence { scanner: self.scanner, items, depth_left, ended: false };
                let read = visitor.visit_seq(&mut sequence)?;
                let ended = sequence.ended || !sequence.scanner.next_item(&mut sequence.items)?;
                if ended { Ok(read) } else { Err(DoesNotFit) }
            }
            Some(b'"') => match self.scanner.plain_string() {
                Some(text) => visitor.visit_borrowed_str(text),
                None => Scalar(self.scanner.scalar()?).deserialize_any(visitor),
            },
            _ => Scalar(self.scanner.scalar()?).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        if self.scanner.peek() == Some(b'n') { self.deserialize_any(visitor) } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DoesNotFit> {
        Scalar(self.scanner.scalar()?).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        self.scanner.value(self.depth_left)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

struct Map<'s, 'de> {
    scanner: &'s mut Scanner<'de>,
    members: Members,
    depth_left: usize,
    ended: bool,
}

impl<'de> MapAccess<'de> for &mut Map<'_, 'de> {
    type Error = DoesNotFit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DoesNotFit> {
        if self.ended {
            return Ok(None);
        }
        let Some(name) = self.scanner.next_name(&mut self.members)? else {
            self.ended = true;
            return Ok(None);
        };
        read_name(name, seed).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DoesNotFit> {
        seed.deserialize(Reader { scanner: self.scanner, depth_left: self.depth_left })
    }
}

struct Sequence<'s, 'de> {
    scanner: &'s mut Scanner<'de>,
    items: Items,
    depth_left: usize,
    ended: bool,
}

impl<'de> SeqAccess<'de> for &mut Sequence<'_, 'de> {
    type Error = DoesNotFit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DoesNotFit> {
        self.ended = self.ended || !self.scanner.next_item(&mut self.items)?;
        if self.ended {
            return Ok(None);
        }
        seed.deserialize(Reader { scanner: self.scanner, depth_left: self.depth_left }).map(Some)
    }
}

fn read_name<'de, K: DeserializeSeed<'de>>(name: Cow<'de, str>, seed: K) -> Result<K::Value, DoesNotFit> {
    match name {
        Cow::Borrowed(name) => seed.deserialize(BorrowedStrDeserializer::new(name)),
        Cow::Owned(name) => seed.deserialize(StringDeserializer::new(name)),
    }
}

impl From<Fault> for DoesNotFit {
    fn from(_: Fault) -> Self {
        Self
    }
}

impl fmt::Display for DoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("does not fit")
    }
}

impl std::error::Error for DoesNotFit {}

impl de::Error for DoesNotFit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
