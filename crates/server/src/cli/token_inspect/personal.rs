//! Claims that a payload had better not hold: it is readable by everybody who sees the token (RFC 9068 §6).
//!
//! A guess by names and shapes, for a person to judge. It is made to be useful, not complete.

use super::text::Text;
use serde_json::{Map, Value};

/// What was found, each as the path of its claim.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Findings {
    /// Personal data, and by what it was known if not by its name.
    pub(super) personal: Vec<(String, Option<Text>)>,
    /// What looks like a secret.
    pub(super) secrets: Vec<String>,
}

/// Names of `OpenID` Connect's profile claims (Core §5.1) and their usual cousins, without case and separators.
const PERSONAL_NAMES: [&str; 31] = [
    "address",
    "birthdate",
    "birthday",
    "birthyear",
    "cardnumber",
    "creditcard",
    "dateofbirth",
    "dob",
    "email",
    "emailaddress",
    "familyname",
    "firstname",
    "fullname",
    "gender",
    "givenname",
    "homeaddress",
    "lastname",
    "middlename",
    "mobile",
    "mobilenumber",
    "name",
    "nickname",
    "passportnumber",
    "phone",
    "phonenumber",
    "postalcode",
    "residentregistrationnumber",
    "rrn",
    "ssn",
    "streetaddress",
    "surname",
];

const SECRET_NAMES: [&str; 8] =
    ["accesskey", "apikey", "clientsecret", "passwd", "password", "privatekey", "pwd", "secret"];

/// Objects are looked into as deep as this.
const DEPTH_MAX: usize = 4;

/// Looks through all claims.
pub(super) fn find(claims: &Map<String, Value>) -> Findings {
    let mut findings = Findings::default();
    look_into(claims, "", 0, &mut findings);
    findings
}

fn look_into(object: &Map<String, Value>, prefix: &str, depth: usize, findings: &mut Findings) {
    for (name, value) in object {
        let path = format!("{prefix}{name}");
        let plain = plain_name(name);
        if is_empty(value) {
            continue;
        }
        if SECRET_NAMES.contains(&plain.as_str()) {
            findings.secrets.push(path);
        } else if is_personal_name(name) {
            findings.personal.push((path, None));
        } else if let Some(inner) = value.as_object().filter(|_| depth < DEPTH_MAX) {
            look_into(inner, &format!("{path}."), depth + 1, findings);
        } else if let Some(kind) = kind_of(value) {
            findings.personal.push((path, Some(kind)));
        }
    }
}

/// Whether a claim of this name is about a person.
pub(super) fn is_personal_name(name: &str) -> bool {
    PERSONAL_NAMES.contains(&plain_name(name).as_str())
}

/// `given_name`, `givenName` and `https://example.com/given-name` are one name.
fn plain_name(name: &str) -> String {
    let name = name.rsplit(['/', ':', '#']).next().unwrap_or(name);
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Number(_) => false,
    }
}

/// By its shape, a text's kind; of a list, that of the first text with one.
fn kind_of(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) => kind_of_text(text.trim()),
        Value::Array(values) => values.iter().find_map(kind_of),
        _ => None,
    }
}

fn kind_of_text(text: &str) -> Option<Text> {
    if is_email(text) {
        Some(Text::LooksLikeEmail)
    } else if is_resident_number(text) {
        Some(Text::LooksLikeResidentNumber)
    } else if is_card_number(text) {
        Some(Text::LooksLikeCard)
    } else if is_phone_number(text) {
        Some(Text::LooksLikePhone)
    } else {
        None
    }
}

fn is_email(text: &str) -> bool {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_word =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '/' | ':' | '@'));
    is_word(local)
        && is_word(domain)
        && domain.split('.').count() > 1
        && domain.split('.').all(|label| !label.is_empty())
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|character| character.to_digit(10)).collect()
}

/// 13 to 19 digits, perhaps in groups, that begin like a card (ISO/IEC 7812: 2 to 6) and whose check digit (Luhn) is right.
fn is_card_number(text: &str) -> bool {
    let digits = digits(text);
    let is_plain = text.chars().all(|character| character.is_ascii_digit() || matches!(character, ' ' | '-'));
    let sum: u32 = digits.iter().rev().enumerate().map(|(place, digit)| luhn(place, *digit)).sum();
    let begins_right = digits.first().is_some_and(|digit| (2..=6).contains(digit));
    is_plain && (13..=19).contains(&digits.len()) && begins_right && sum.is_multiple_of(10)
}

const fn luhn(place: usize, digit: u32) -> u32 {
    if place.is_multiple_of(2) {
        digit
    } else if digit > 4 {
        digit * 2 - 9
    } else {
        digit * 2
    }
}

/// Of the Republic of Korea: date of birth, a hyphen, and a digit for century and sex before six more.
fn is_resident_number(text: &str) -> bool {
    let Some((birth, rest)) = text.split_once('-') else { return false };
    let all_digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |range| birth.get(range).and_then(|text: &str| text.parse::<u8>().ok()).unwrap_or(0);
    let is_date = (1..=12).contains(&number(2..4)) && (1..=31).contains(&number(4..6));
    all_digits(birth, 6) && all_digits(rest, 7) && is_date && !rest.starts_with(['0', '9'])
}

/// International (E.164, with its plus), or a mobile number as written in Korea.
fn is_phone_number(text: &str) -> bool {
    let count = digits(text).len();
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')'));
    match text.strip_prefix('+') {
        Some(rest) => is_plain(rest) && (8..=15).contains(&count),
        None => text.starts_with("010-") && is_plain(text) && count == 11,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(claims: &Value) -> Findings {
        find(claims.as_object().unwrap())
    }

    #[test]
    fn names_are_known_however_they_are_spelt() {
        let claims = json!({
            "email": "a", "https://example.com/Given-Name": "b", "phone_number": "c", "birthDate": "d",
            "user": {"address": {"street": "e"}, "apiKey": "f"}, "password": "g",
        });
        let Findings { personal, secrets } = found(&claims);
        let mut names: Vec<_> = personal.into_iter().map(|(name, kind)| (name, kind.is_none())).collect();
        names.sort();
        let expected = ["birthDate", "email", "https://example.com/Given-Name", "phone_number", "user.address"];
        assert_eq!(names, expected.map(|name| (name.to_owned(), true)));
        let mut secrets = secrets;
        secrets.sort();
        assert_eq!(secrets, ["password", "user.apiKey"]);
    }

    #[test]
    fn values_are_known_by_their_shape() {
        for (value, kind) in [
            (json!("minsu@example.com"), Text::LooksLikeEmail),
            (json!(["x", "mailto:a@b.kr"]), Text::LooksLikeEmail),
            (json!("4111 1111 1111 1111"), Text::LooksLikeCard),
            (json!("5500-0000-0000-0004"), Text::LooksLikeCard),
            (json!("900101-1234567"), Text::LooksLikeResidentNumber),
            (json!("+82 10-1234-5678"), Text::LooksLikePhone),
            (json!("010-1234-5678"), Text::LooksLikePhone),
        ] {
            let Findings { personal, .. } = found(&json!({"sub": value}));
            assert_eq!(personal, [("sub".to_owned(), Some(kind))], "{value}");
        }
    }

    #[test]
    fn what_tokens_usually_hold_is_left_alone() {
        let claims = json!({
            "iss": "https://user@auth.example.com/x", "sub": "01980b4e-7c1d-7c3a-9f7e-0242ac120002", "exp": 1_750_000_000,
            "iat": 4_111_111_111_111_111_u64, "jti": "4111111111111112", "scope": "email openid phone", "email_verified": true,
            "nonce": "900101-12345678", "name": "", "aud": ["a@b", "api"], "order": "901301-1234567",
            "sid": "10000000000000000008", "client_id": "1234567890128",
        });
        assert_eq!(found(&claims), Findings::default());
    }
}
