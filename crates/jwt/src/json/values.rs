//! Values that have been read already, on their way into the caller's type.

use std::borrow::Cow;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserializer, IntoDeserializer as _, Visitor};
use serde::forward_to_deserialize_any;

use super::read::DoesNotFit;
use super::{Number, Value};

/// Text that stood there as it is.
pub(super) struct Text<'de>(pub(super) &'de str);

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = DoesNotFit;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_borrowed_str(self.0)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DoesNotFit> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// A whole number, such as a date.
pub(super) struct Whole(pub(super) u64);

impl<'de> Deserializer<'de> for Whole {
    type Error = DoesNotFit;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_u64(self.0)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

/// A value that has been read already.
pub(super) struct Scalar<'de>(pub(super) Value<'de>);

impl<'de> Deserializer<'de> for Scalar<'de> {
    type Error = DoesNotFit;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        match self.0 {
            Value::String(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Value::String(Cow::Owned(text)) => visitor.visit_string(text),
            Value::Number(number) => read_number(number, visitor),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Null => visitor.visit_unit(),
            Value::Array(_) | Value::Object(_) => Err(DoesNotFit),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        if self.0 == Value::Null { visitor.visit_unit() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DoesNotFit> {
        match self.0 {
            Value::String(Cow::Borrowed(variant)) => visitor.visit_enum(BorrowedStrDeserializer::new(variant)),
            Value::String(Cow::Owned(variant)) => visitor.visit_enum(variant.into_deserializer()),
            _ => Err(DoesNotFit),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DoesNotFit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// As `serde_json` does it: whole numbers as such while they fit 64 bits, all others as doubles, and no infinity.
#[inline]
fn read_number<'de, V: Visitor<'de>>(number: Number<'_>, visitor: V) -> Result<V::Value, DoesNotFit> {
    if let Some(whole) = number.whole {
        return visitor.visit_u64(whole);
    }
    if let Ok(whole) = number.text.parse::<u64>() {
        return visitor.visit_u64(whole);
    }
    match number.text.parse::<i64>() {
        Ok(whole) if whole != 0 => visitor.visit_i64(whole),
        _ => match number.text.parse::<f64>() {
            Ok(double) if double.is_finite() => visitor.visit_f64(double),
            _ => Err(DoesNotFit),
        },
    }
}
