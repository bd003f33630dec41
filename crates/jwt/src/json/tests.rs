//! What the walk must accept, refuse, and hand out.

use super::scan::{Scanner, is_plain, plain_end, stop_bytes};
use super::*;

fn members(text: &str) -> Result<Vec<(String, Value<'_>)>, Fault> {
    let mut found = Vec::new();
    walk_object(text, 4, |name, value| found.push((name.to_owned(), value)))?;
    Ok(found)
}

#[test]
fn members_of_the_outermost_level_are_handed_out() {
    let found = members(r#" {"a":"x","b\u0041":-1.5e3 , "c":[1,{"d":[]}],"e":{"a":1},"f":true,"g":null} "#).unwrap();
    assert_eq!(
        found,
        [
            ("a".into(), Value::String("x".into())),
            ("bA".into(), Value::Number(Number { text: "-1.5e3", whole: None })),
            ("c".into(), Value::Array(r#"[1,{"d":[]}]"#)),
            ("e".into(), Value::Object(r#"{"a":1}"#)),
            ("f".into(), Value::Bool(true)),
            ("g".into(), Value::Null),
        ]
    );
    assert_eq!(members("{}"), Ok(vec![]));
}

#[test]
fn what_it_accepts_is_what_a_json_reader_accepts() {
    // One list, judged by both: the walk may refuse more (duplicates, depth), never accept more.
    let cases = [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "1",
        "\"a\"",
        "{}{}",
        "{}x",
        "{} ",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r"{a:1}",
        r"{'a':1}",
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":1e}"#,
        r#"{"a":-}"#,
        r#"{"a":-0}"#,
        r#"{"a":0.0e-0}"#,
        r#"{"a":1E+2}"#,
        r#"{"a":NaN}"#,
        r#"{"a":Infinity}"#,
        r#"{"a":tru}"#,
        r#"{"a":truee}"#,
        r#"{"a":nul}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[,1]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\u12g4"}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\ud800\u0041"}"#,
        r#"{"a":"\udc00"}"#,
        r#"{"a":"\ud83d\ude00"}"#,
        r#"{"a":"unended}"#,
        r#"{"a":"x\"}"#,
        "{\"a\":\"tab\there\"}",
        "{\"a\":\"line\nhere and then some more text\"}",
        "{\"a\":\"nul\0\"}",
        "{\"a\":\"del\u{7f}\"}",
        "{\"a\":\"high é, 한글, 😀, and text beyond eight bytes\"}",
        "{\"a\":1/**/}",
        "\u{feff}{}",
        "{\"a\":1}\0",
        "\u{a0}{}",
        "{\u{c}}",
    ];
    for text in cases {
        let reference = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text);
        assert_eq!(members(text).is_ok(), reference.is_ok(), "{text:?}: {:?}, reference {reference:?}", members(text));
    }
}

#[test]
fn strings_are_unescaped_as_the_reference_does() {
    for text in
        [r#""""#, r#""\"\\\/\b\f\n\r\t""#, r#""\u00e9\ud83d\ude00x""#, r#""plain and long enough to skip by eights""#]
    {
        let object = format!("{{\"a\":{text}}}");
        let reference: String = serde_json::from_str(text).unwrap();
        assert_eq!(members(&object).unwrap(), [("a".into(), Value::String(reference.into()))]);
    }
}

#[test]
fn a_name_may_not_stand_twice_at_any_depth_however_spelt() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"{"x":{"a":1,"a":2}}"#,
        r#"{"x":[0,{"y":{"a":1,"b":1,"a":2}}]}"#,
        r#"{"":1,"":2}"#,
    ] {
        assert_eq!(members(text), Err(Fault::DuplicateMember), "{text}");
    }
    assert!(members(r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#).is_ok(), "other objects may reuse a name");
}

#[test]
fn many_names_are_compared_too() {
    for count in [2, 15, 16, 17, 18, 100] {
        for (one, other) in [(0, count - 1), ((count - 1) / 2, count - 1), (count - 2, count - 1)] {
            let name = |i: usize| if i == other { one } else { i };
            let text: Vec<String> = (0..count).map(|i| format!("\"n{}\":{i}", name(i))).collect();
            assert_eq!(members(&format!("{{{}}}", text.join(","))), Err(Fault::DuplicateMember), "{count}: {one}");
        }
        let text: Vec<String> = (0..count).map(|i| format!("\"n{i}\":{{\"n0\":1}}")).collect();
        assert!(members(&format!("{{{}}}", text.join(","))).is_ok());
    }
}

#[test]
fn depth_has_a_limit() {
    assert!(members(r#"{"a":[[[1]]]}"#).is_ok());
    assert_eq!(members(r#"{"a":[[[[1]]]]}"#), Err(Fault::TooDeep));
    assert_eq!(members(r#"{"a":{"a":{"a":{"a":{}}}}}"#), Err(Fault::TooDeep));
    let hostile = format!("{{\"a\":{}", "[".repeat(1_000_000));
    assert_eq!(members(&hostile), Err(Fault::TooDeep));
}

#[test]
fn an_array_of_strings_is_read_and_nothing_else_passes_for_one() {
    let read = |array: &'static str| {
        let mut items = Vec::new();
        strings(array, |item| items.push(item.into_owned())).then_some(items)
    };
    assert_eq!(read(r#"["a", "\u0062"]"#), Some(vec!["a".into(), "b".into()]));
    assert_eq!(read("[]"), Some(vec![]));
    for other in [r#"["a",1]"#, r#"["a",["b"]]"#, r#"["a",null]"#, r"[{}]"] {
        assert_eq!(read(other), None, "{other}");
    }
}

#[test]
fn the_lowest_mark_is_always_true() {
    for byte in 0..=255_u8 {
        let stop = byte < 0x20 || byte == b'"' || byte == b'\\';
        for place in 0..8 {
            let mut eight = *b"plain 8b";
            eight[place] = byte;
            let marks = stop_bytes(u64::from_le_bytes(eight));
            assert_eq!(marks != 0, stop, "{byte:#x} at {place}");
            if stop {
                assert_eq!(marks.trailing_zeros() as usize / 8, place);
            }
        }
    }
}

#[test]
fn the_first_stop_is_found_wherever_it_stands() {
    for length in 0..70 {
        let plain = vec![0xe9_u8; length];
        assert!(is_plain(&plain) && plain_end(&plain, 0) == length, "{length}");
        for place in 0..length {
            for stop in [0, 0x1f, b'"', b'\\'] {
                let mut bytes = plain.clone();
                bytes[place] = stop;
                // A second one behind it is not the first.
                *bytes.last_mut().unwrap() = b'"';
                let first = if place + 1 == length { length - 1 } else { place };
                assert!(!is_plain(&bytes), "{stop:#x} at {place} of {length}");
                for start in 0..=first {
                    assert_eq!(plain_end(&bytes, start), first, "{stop:#x} at {place} of {length} from {start}");
                }
            }
        }
    }
}

#[test]
fn a_whole_number_is_read_or_nothing_is_passed() {
    for (text, expected) in [
        ("1,", Some((1, 1))),
        ("1750000000}", Some((1_750_000_000, 10))),
        ("9999999999999999999", Some((9_999_999_999_999_999_999, 19))),
        ("10000000000000000000", None),
        ("1.0", None),
        ("1750000000.5", None),
        ("1e3", None),
        ("17E1", None),
        ("0", None),
        ("01", None),
        ("-1", None),
        ("", None),
        ("x", None),
    ] {
        let mut scanner = Scanner::new(text);
        let read = scanner.plain_whole();
        assert_eq!(read.map(|whole| (whole, scanner.at)), expected, "{text}");
        assert!(read.is_some() || scanner.at == 0, "{text}");
    }
}

#[test]
fn eight_digits_are_read_as_one_number() {
    use super::scan::eight_digits;
    for text in ["00000000", "12345678", "99999999", "17500009", "90000001", "01020304"] {
        let bytes: [u8; 8] = text.as_bytes().try_into().unwrap();
        assert_eq!(eight_digits(u64::from_le_bytes(bytes)), text.parse().ok());
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut other = bytes;
                other[place] = byte;
                let expected = std::str::from_utf8(&other).ok().filter(|text| !text.contains('+'));
                let expected = expected.and_then(|text| text.parse().ok());
                assert_eq!(eight_digits(u64::from_le_bytes(other)), expected, "{other:?}");
            }
        }
    }
}
