//! What an operator knows of a person besides: small values by name, which configuration may turn into claims.

use serde_json::{Map, Value};

/// The most attributes that an account has.
pub const ATTRIBUTES_MAX: usize = 32;
/// The longest name of an attribute, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The longest value of an attribute, in bytes of JSON.
const VALUE_BYTES_MAX: usize = 512;

/// Values by name, each any JSON. They are the operator's: a person cannot write their own into a token.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attributes(Map<String, Value>);

/// Why an attribute is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAttribute {
    /// Its name is none.
    #[error("an attribute's name has 1 to {NAME_BYTES_MAX} letters of ASCII, digits, `_`, `-` or `.`")]
    Name,
    /// Its value is too large.
    #[error("an attribute's value has at most {VALUE_BYTES_MAX} bytes of JSON")]
    TooLarge,
    /// There are too many already.
    #[error("an account has at most {ATTRIBUTES_MAX} attributes")]
    TooMany,
}

impl Attributes {
    /// Those that a store kept.
    pub const fn from_json(values: Map<String, Value>) -> Self {
        Self(values)
    }

    /// All of them, as a JSON object.
    pub const fn as_json(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets one; null takes it away.
    ///
    /// # Errors
    /// [`InvalidAttribute`]; nothing has changed then.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), InvalidAttribute> {
        let in_a_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(in_a_name) {
            return Err(InvalidAttribute::Name);
        }
        if value.is_null() {
            self.0.remove(name);
            return Ok(());
        }
        if value.to_string().len() > VALUE_BYTES_MAX {
            return Err(InvalidAttribute::TooLarge);
        }
        if self.0.len() >= ATTRIBUTES_MAX && !self.0.contains_key(name) {
            return Err(InvalidAttribute::TooMany);
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn they_are_set_replaced_and_taken_away() {
        let mut attributes = Attributes::default();
        attributes.set("department", json!("sales")).unwrap();
        attributes.set("department", json!(["sales", 7])).unwrap();
        assert_eq!(attributes.get("department"), Some(&json!(["sales", 7])));
        attributes.set("department", Value::Null).unwrap();
        assert!(attributes.is_empty());
    }

    #[test]
    fn they_are_bounded() {
        let mut attributes = Attributes::default();
        for name in ["", "a b", "부서", "a\"b", &"x".repeat(65)] {
            assert_eq!(attributes.set(name, json!(1)), Err(InvalidAttribute::Name), "{name:?}");
        }
        assert_eq!(attributes.set("long", json!("x".repeat(511))), Err(InvalidAttribute::TooLarge));
        for number in 0..ATTRIBUTES_MAX {
            attributes.set(&format!("a{number}"), json!("x".repeat(510))).unwrap();
        }
        assert_eq!(attributes.set("more", json!(1)), Err(InvalidAttribute::TooMany));
        attributes.set("a0", json!(2)).unwrap();
    }
}
