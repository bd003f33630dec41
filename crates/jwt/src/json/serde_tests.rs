//! The quick reader and the quick writer against `serde_json`: where they answer at all, they answer the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::*;

struct Unwatched;

impl<'a> Watch<'a> for Unwatched {
    type Name = ();

    fn name(name: &str) -> Option<()> {
        (name.len() == 1).then_some(())
    }

    fn see(&mut self, (): (), _: Value<'a>) {}
    fn see_text(&mut self, (): (), _: &'a str) {}
    fn see_whole(&mut self, (): (), _: u64) {}
}

/// What claims may be read into, with all that serde's derive does to a type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Everything<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    number: i64,
    small: Option<u8>,
    flag: bool,
    role: Role,
    list: Vec<Id>,
    pair: (u8, String),
    nested: Option<Box<Nested>>,
    names: BTreeMap<String, Option<u32>>,
    nothing: (),
    letter: char,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Nested {
    x: u64,
    #[serde(flatten)]
    rest: Map<String, Json>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Id(String);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Admin,
    Guest,
}

fn read<'a, C: Deserialize<'a>>(text: &'a str) -> Option<C> {
    read_object(text, 16, &mut Unwatched).ok()
}

fn written(object: &impl Serialize) -> Option<String> {
    let mut json = Vec::new();
    write_object(&mut json, 16, object).ok().map(|()| String::from_utf8(json).unwrap())
}

/// Objects of all that JSON has but fractions, on which `serde_json` rounds in its own way.
fn objects() -> impl Strategy<Value = Json> {
    let scalar = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        ".*".prop_map(Json::from),
        "[a-zA-Z0-9:/._-]{0,40}".prop_map(Json::from),
    ];
    let value = scalar.prop_recursive(4, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map("[a-z]{0,9}|.*", inner, 0..20).prop_map(|map| map.into_iter().collect()),
        ]
    });
    prop::collection::btree_map("[a-z]{0,3}|.*", value, 0..24).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_object_is_read_and_written_as_the_reference_does(object in objects()) {
        let compact = object.to_string();
        if let Some(ours) = written(&object) {
            prop_assert_eq!(&ours, &compact);
        }
        for text in [compact, serde_json::to_string_pretty(&object).unwrap()] {
            prop_assert_eq!(read::<Json>(&text), Some(object.clone()));
            prop_assert_eq!(walk_object(&text, 16, |_, _| ()), Ok(()));
        }
    }

    /// A changed text is read only if the walk would let it pass, and then as the reference reads it.
    #[test]
    fn the_reader_accepts_nothing_that_the_walk_refuses(object in objects(), place in any::<prop::sample::Index>(), with in "[\"\\\\{}\\[\\]:,a0 -]") {
        let mut text = object.to_string();
        let mut place = place.index(text.len());
        while !text.is_char_boundary(place) {
            place -= 1;
        }
        let end = text[place..].chars().next().map_or(place, |character| place + character.len_utf8());
        text.replace_range(place..end, &with);
        if let Some(ours) = read::<Json>(&text) {
            prop_assert_eq!(walk_object(&text, 16, |_, _| ()), Ok(()));
            prop_assert_eq!(Some(ours), serde_json::from_str(&text).ok());
        }
    }

    #[test]
    fn types_are_read_and_written_as_the_reference_does(
        text in ".*", number in any::<i64>(), small in proptest::option::of(any::<u8>()), flag in any::<bool>(),
        list in prop::collection::vec(".*", 0..3), names in prop::collection::btree_map("[a-z]{1,4}", proptest::option::of(any::<u32>()), 0..5),
        rest in proptest::option::of(objects()), letter in any::<char>(),
    ) {
        let mut rest = rest.map(|rest| serde_json::from_value::<Map<_, _>>(rest).unwrap());
        if let Some(rest) = &mut rest {
            rest.remove("x");
        }
        let everything = Everything {
            text: text.clone().into(), number, small, flag, role: if flag { Role::Admin } else { Role::Guest },
            list: list.into_iter().map(Id).collect(), pair: (7, text.clone()),
            nested: rest.map(|rest| Box::new(Nested { x: 3, rest })), names, nothing: (), letter, absent: None,
        };
        let reference = serde_json::to_string(&everything).unwrap();
        if let Some(ours) = written(&everything) {
            prop_assert_eq!(&ours, &reference);
        }
        prop_assert_eq!(read::<Everything<'_>>(&reference), Some(everything));
    }
}

#[test]
fn everyday_claims_take_the_quick_way() {
    let everyday =
        json!({"iss": "a", "aud": ["b", "c"], "exp": 1_750_000_000, "cnf": {"jkt": "x"}, "amr": ["pwd"], "f": true});
    assert_eq!(written(&everyday), Some(everyday.to_string()));
    assert_eq!(read::<Json>(&everyday.to_string()), Some(everyday));
}

/// Claims as services write them: what may be missing, types of their own. `s` and `e` are watched, the others are not.
#[test]
fn a_services_own_types_take_the_quick_way() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Seconds(u64);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Claims<'a> {
        #[serde(borrow)]
        s: Option<&'a str>,
        subject: Option<Id>,
        e: Option<Seconds>,
        expiry: Option<Seconds>,
        r: Role,
        role: Option<Role>,
    }
    let text = r#"{"s":"x","subject":"y","e":7,"expiry":8,"r":"admin","role":"guest","more":1,"m":"z"}"#;
    let expected = Claims {
        s: Some("x"),
        subject: Some(Id("y".into())),
        e: Some(Seconds(7)),
        expiry: Some(Seconds(8)),
        r: Role::Admin,
        role: Some(Role::Guest),
    };
    assert_eq!(read(text), Some(expected));
    let expected = Claims { s: None, subject: None, e: None, expiry: None, r: Role::Admin, role: None };
    assert_eq!(read(r#"{"s":null,"r":"admin"}"#), Some(expected));
}

#[test]
fn numbers_are_read_as_the_reference_does() {
    for number in [
        "0",
        "-0",
        "1",
        "-1",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "9999999999999999999",
        "99999999999999999999999",
        "0.5",
        "-1.25",
        "1e3",
        "1E-2",
        "1e400",
        "-1e400",
        "5e-324",
    ] {
        let text = format!("{{\"n\":{number}}}");
        assert_eq!(read::<Json>(&text), serde_json::from_str(&text).ok(), "{number}");
        assert_eq!(read::<BTreeMap<&str, u64>>(&text), serde_json::from_str(&text).ok(), "{number}");
        assert_eq!(read::<BTreeMap<&str, i8>>(&text), serde_json::from_str(&text).ok(), "{number}");
        assert_eq!(read::<BTreeMap<&str, f64>>(&text), serde_json::from_str(&text).ok(), "{number}");
    }
}

/// What a type leaves unread is looked through all the same.
#[test]
fn what_is_ignored_is_still_judged() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct One {
        a: u8,
    }
    assert_eq!(read(r#"{"z":{"b":[1]},"a":1}"#), Some(One { a: 1 }));
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"z":1,"z":1}"#,
        r#"{"a":1,"z":{"b":1,"b":2}}"#,
        r#"{"a":1,"z":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}"#,
        r#"{"a":1}x"#,
        r#"{"a":1,}"#,
        "[1]",
    ] {
        assert_eq!(read::<One>(text), None, "{text}");
        assert_eq!(read::<serde::de::IgnoredAny>(text).map(|_| ()), None, "{text}");
        assert_eq!(read::<()>(text), None, "{text}");
    }
}

#[test]
fn what_would_be_no_single_truth_is_not_written() {
    #[derive(Serialize)]
    struct Twice {
        a: u8,
        #[serde(flatten)]
        rest: BTreeMap<&'static str, u8>,
    }
    assert_eq!(written(&Twice { a: 1, rest: BTreeMap::from([("b", 2)]) }), Some(r#"{"a":1,"b":2}"#.into()));
    assert_eq!(written(&Twice { a: 1, rest: BTreeMap::from([("a", 2)]) }), None);
    assert_eq!(written(&["not an object"]), None);
    assert_eq!(written(&BTreeMap::from([(1, 2)])), None);
    assert_eq!(written(&json!({"a": 0.5})), None);
}
