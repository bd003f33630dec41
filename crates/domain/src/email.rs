//! E-mail addresses as account names.

use crate::text::is_hidden;
use email_address::{EmailAddress, Options};
use std::{fmt, str::FromStr};
use unicode_normalization::UnicodeNormalization;

/// The longest address that can be delivered to (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;

/// A well-formed e-mail address, as its owner writes it, in Unicode NFC.
///
/// Two spellings that differ only in case or Unicode composition are one account: compare by [`Email::canonical`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Email(String);

/// A text that is no e-mail address we could write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address: expected something like name@example.com, at most {EMAIL_BYTES_MAX} bytes")]
pub struct InvalidEmail;

impl Email {
    /// The address as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form by which accounts are found: lower case. RFC 5321 §2.4 would let `A@x` and `a@x` be two
    /// people; no provider does that, and a person who types the other spelling must not get a second account.
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(self.as_str(), |(local, _)| local)
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        // Quoted local parts and bare IP domains are lawful and never a person's address; they are a way to smuggle
        // spaces, quotes and commas into mail headers.
        let text: String = text.nfc().collect();
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        // Nor may an address look like another: nothing that cannot be seen, and no space of any kind.
        let smuggles =
            |character: char| matches!(character, '"' | '\\') || character.is_whitespace() || is_hidden(character);
        if text.len() > EMAIL_BYTES_MAX || text.contains(smuggles) {
            return Err(InvalidEmail);
        }
        EmailAddress::parse_with_options(&text, options).map_err(|_| InvalidEmail)?;
        Ok(Self(text))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_people_have_are_taken() {
        for text in ["a@example.com", "first.last+tag@sub.example.co.kr", "o'neil@example.org", "민수@예시.kr"] {
            assert!(text.parse::<Email>().is_ok(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "a",
            "a@",
            "@example.com",
            "a b@example.com",
            "a@b@c.com",
            "a@example..com",
            "Name <a@example.com>",
            "\"a b\"@example.com",
            "a@[127.0.0.1]",
            "a@localhost",
            "a@example.com\n",
            " a@example.com",
            "a\u{200B}@example.com",
            "\u{202E}a@example.com",
            "a\u{200D}b@example.com",
            "a\u{A0}b@example.com",
            "a\u{3164}@example.com",
            "a@exa\u{AD}mple.com",
            &long,
        ] {
            assert_eq!(text.parse::<Email>(), Err(InvalidEmail), "{text}");
        }
    }

    #[test]
    fn case_and_composition_do_not_make_a_second_account() {
        let one: Email = "José@Example.com".parse().unwrap();
        let other: Email = "JOSE\u{301}@example.COM".parse().unwrap();
        assert_eq!(one.canonical(), other.canonical());
    }
}
