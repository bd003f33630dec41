//! Why a JSON value is not what was asked for, in words for whoever wrote it: at which member, what was expected there,
//! what was found, what can be.
//!
//! serde's own texts speak of Rust's types and of line and column, repeat values (which may be passwords), and do not
//! name the member. So a body that was refused is read a second time, by a deserializer whose errors are ours.

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
    },
    forward_to_deserialize_any,
};
use std::{fmt, vec};
use zeroize::Zeroizing;

/// The longest name of a member that is repeated to whoever sent it.
const NAME_CHARACTERS_MAX: usize = 40;

/// Says why `bytes`, which are JSON, are no `T`.
pub(super) fn explain<T: DeserializeOwned>(bytes: &[u8]) -> String {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    // What is nested too deeply, or broken further on.
    let unclear = || "the body is not what this path takes: GET /v1/openapi.json says what it does".to_owned();
    let Ok(value) = Value::deserialize(&mut json) else { return unclear() };
    T::deserialize(value).err().map_or_else(unclear, |fault| fault.to_string())
}

/// Any JSON value.
enum Value {
    Null,
    Bool(bool),
    /// Of no interest: nothing that is asked for is a number.
    Number,
    /// May be a password.
    Text(Zeroizing<String>),
    Array,
    Object(Vec<(String, Value)>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Number)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Number)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Number)
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(Zeroizing::new(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                while items.next_element::<Value>()?.is_some() {}
                Ok(Value::Array)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Value::Object(members))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Number => Err(Fault::invalid_type(Unexpected::Other("a number"), &visitor)),
            Self::Text(mut text) => visitor.visit_string(std::mem::take(&mut *text)),
            Self::Array => Err(Fault::invalid_type(Unexpected::Seq, &visitor)),
            Self::Object(members) => visitor.visit_map(Members { rest: members.into_iter(), current: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if matches!(self, Self::Null) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

struct Members {
    rest: vec::IntoIter<(String, Value)>,
    current: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Members {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.current = self.rest.next();
        let name = self.current.as_ref().map(|(name, _)| name.as_str());
        name.map(|name| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, value) = self.current.take().ok_or_else(|| Fault::custom("a value without a name"))?;
        seed.deserialize(value).map_err(|fault| fault.within(&name))
    }
}

/// What is wrong, and at which member.
#[derive(Debug)]
struct Fault {
    /// From the outside in.
    path: Vec<String>,
    what: String,
}

impl Fault {
    fn at(name: &str, what: String) -> Self {
        Self { path: vec![cut(name)], what }
    }

    fn within(mut self, name: &str) -> Self {
        self.path.insert(0, cut(name));
        self
    }
}

/// A name that a stranger made up.
fn cut(name: &str) -> String {
    name.chars().take(NAME_CHARACTERS_MAX).flat_map(char::escape_debug).collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "the body: {}", self.what)
        } else {
            write!(f, "`{}`: {}", self.path.join("."), self.what)
        }
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self { path: Vec::new(), what: what.to_string() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(true) => "`true`",
            Unexpected::Bool(false) => "`false`",
            Unexpected::Unit | Unexpected::Option => "`null`",
            Unexpected::Str(_) => "a string",
            Unexpected::Seq => "an array",
            Unexpected::Map => "an object",
            Unexpected::Other(what) => what,
            _ => "something else",
        };
        Self::custom(format_args!("expected {expected}, found {found}"))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        let known: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
        Self::at(name, format!("nothing is known by this name; there can be {}", known.join(", ")))
    }

    fn missing_field(name: &'static str) -> Self {
        Self::at(name, "it is missing".to_owned())
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::at(name, "it is there twice; send it once".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Object, *};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, expecting = "a JSON object")]
    #[expect(dead_code, reason = "only what cannot be read is looked at")]
    struct Request {
        email: String,
        name: Option<String>,
        sign_in: Option<Object<Inner>>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, expecting = "a JSON object")]
    #[expect(dead_code, reason = "only what cannot be read is looked at")]
    struct Inner {
        policy: Option<String>,
        keep: Option<bool>,
    }

    #[test]
    fn the_member_what_was_expected_and_what_was_found() {
        for (body, expected) in [
            ("[1,[2]]", "the body: expected a JSON object, found an array"),
            ("7", "the body: expected a JSON object, found a number"),
            ("{}", "`email`: it is missing"),
            (r#"{"email":12345678}"#, "`email`: expected a string, found a number"),
            (r#"{"email":null}"#, "`email`: expected a string, found `null`"),
            (r#"{"email":{"a":1}}"#, "`email`: expected a string, found an object"),
            (r#"{"email":"a","email":"b"}"#, "`email`: it is there twice; send it once"),
            (r#"{"email":"a","sign_in":true}"#, "`sign_in`: expected a JSON object, found `true`"),
            (r#"{"email":"a","sign_in":{"policy":[]}}"#, "`sign_in.policy`: expected a string, found an array"),
            (r#"{"email":"a","sign_in":{"keep":"secret"}}"#, "`sign_in.keep`: expected a boolean, found a string"),
            (
                r#"{"email":"a","sign_in":{"polici":"b"}}"#,
                "`sign_in.polici`: nothing is known by this name; there can be `policy`, `keep`",
            ),
            (
                "{\"\\u0000\\n`\":1}",
                "`\\0\\n``: nothing is known by this name; there can be `email`, `name`, `sign_in`",
            ),
            // What follows is not looked at.
            ("{} {}", "`email`: it is missing"),
        ] {
            assert_eq!(explain::<Object<Request>>(body.as_bytes()), expected, "{body}");
        }
        let long = format!("{{\"{}\":1}}", "x".repeat(1_000));
        assert!(explain::<Object<Request>>(long.as_bytes()).len() < 200);
        let deep = format!("{{\"email\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
        assert!(explain::<Object<Request>>(deep.as_bytes()).contains("/v1/openapi.json"));
    }
}
