//! Which passwords are taken: long ones, of any characters, that are not what everybody tries first.
//!
//! The rules are NIST SP 800-63B-4 §3.1.1.2: length counts, composition rules do not exist, every Unicode character is
//! one character, nothing is cut or folded, and the password is compared with a list of common ones.

use crate::{email::Email, secret::PasswordText};
use std::{collections::HashSet, sync::LazyLock};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The longest password, in characters. Far beyond what people type, and a bound on the work of normalising it.
pub const PASSWORD_CHARACTERS_MAX: usize = 256;
/// The least that the minimum can be configured to.
pub const PASSWORD_CHARACTERS_FLOOR: usize = 8;

/// What the operator decides about passwords.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PasswordRules {
    characters_min: usize,
}

impl Default for PasswordRules {
    /// Fifteen characters: the minimum where a password is the only factor.
    fn default() -> Self {
        Self { characters_min: 15 }
    }
}

impl PasswordRules {
    /// Rules with another minimum; `None` below [`PASSWORD_CHARACTERS_FLOOR`] or above [`PASSWORD_CHARACTERS_MAX`].
    pub fn with_characters_min(characters_min: usize) -> Option<Self> {
        (PASSWORD_CHARACTERS_FLOOR..=PASSWORD_CHARACTERS_MAX)
            .contains(&characters_min)
            .then_some(Self { characters_min })
    }

    /// The least number of characters.
    pub const fn characters_min(&self) -> usize {
        self.characters_min
    }
}

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Fewer characters than the rules ask for.
    #[error("the password is too short: use at least {characters_min} characters; a few words in a row do well")]
    TooShort {
        /// What the rules ask for.
        characters_min: usize,
    },
    /// More than [`PASSWORD_CHARACTERS_MAX`] characters.
    #[error("the password is too long: at most {PASSWORD_CHARACTERS_MAX} characters")]
    TooLong,
    /// It is, or is built from, something that everybody tries first.
    #[error(
        "the password is too easy to guess: it is on the list of common passwords, or made from one, or from your address"
    )]
    Common,
}

/// A password in the one form in which it is hashed: Unicode NFC, so that the same keys pressed on another system give
/// the same password (RFC 8265 §4.2.2 asks for the same).
pub struct NormalizedPassword(Zeroizing<String>);

impl NormalizedPassword {
    /// The form in which a password is *checked* at sign-in: only normalised. A password that was taken once stays
    /// usable when the rules for new ones rise. `None` if it is longer than any password can be.
    pub fn for_sign_in(text: &PasswordText) -> Option<Self> {
        let normalized: String = text.expose().nfc().take(PASSWORD_CHARACTERS_MAX + 1).collect();
        let normalized = Zeroizing::new(normalized);
        (normalized.chars().count() <= PASSWORD_CHARACTERS_MAX).then_some(Self(normalized))
    }

    /// Checks a *new* password against the rules.
    ///
    /// # Errors
    /// [`PasswordRefusal`], the first rule that it does not meet.
    pub fn for_new_account(text: &PasswordText, email: &Email, rules: PasswordRules) -> Result<Self, PasswordRefusal> {
        let normalized = Self::for_sign_in(text).ok_or(PasswordRefusal::TooLong)?;
        if normalized.0.chars().count() < rules.characters_min {
            return Err(PasswordRefusal::TooShort { characters_min: rules.characters_min });
        }
        if is_common(&normalized.0, email) { Err(PasswordRefusal::Common) } else { Ok(normalized) }
    }

    /// The text to hash.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

static COMMON_PASSWORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../data/common-passwords.txt").lines().collect());

fn is_common(password: &str, email: &Email) -> bool {
    let lower = Zeroizing::new(password.to_lowercase());
    let characters = Zeroizing::new(lower.chars().collect::<Vec<char>>());
    // `Password2026!!!` is `password` with decoration: what stands between the first and last letter is what counts.
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    COMMON_PASSWORDS.contains(lower.as_str())
        || COMMON_PASSWORDS.contains(core)
        || repeats(&characters)
        || is_run(&characters)
        || is_from_email(&lower, email)
}

/// Whether the whole is one short piece again and again: `passwordpassword`, `aaaaaaaaaaaaaaa`.
fn repeats(characters: &[char]) -> bool {
    (1..=characters.len() / 2).any(|period| characters.iter().zip(characters.iter().skip(period)).all(|(a, b)| a == b))
}

/// Whether each character follows the one before it by the same small step: `abcdefghijklmnop`, `987654321098765`.
fn is_run(characters: &[char]) -> bool {
    let step = |from: &char, to: &char| match (from.to_digit(10), to.to_digit(10)) {
        (Some(from), Some(to)) => (10 + to - from) % 10,
        _ => u32::from(*to).wrapping_sub(u32::from(*from)),
    };
    let mut steps = characters.iter().zip(characters.iter().skip(1)).map(|(from, to)| step(from, to));
    let first = steps.next();
    matches!(first, Some(0 | 1 | 9 | u32::MAX)) && steps.all(|step| Some(step) == first)
}

/// Whether the password is the person's own address, or its first part with a little decoration (ASVS 6.2.11).
fn is_from_email(lower: &str, email: &Email) -> bool {
    let address = email.canonical();
    let local = email.local_part().to_lowercase();
    let rest = lower.replace(&address, "").replace(&local, "");
    // A one- or two-letter name is in any password.
    local.chars().count() > 2 && lower.contains(&local) && rest.chars().filter(|c| c.is_alphabetic()).count() < 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, characters_min: usize) -> Result<(), PasswordRefusal> {
        let rules = PasswordRules::with_characters_min(characters_min).unwrap();
        let email = "minsu.kim@example.com".parse().unwrap();
        NormalizedPassword::for_new_account(&PasswordText::new(text.to_owned()), &email, rules).map(drop)
    }

    #[test]
    fn length_is_counted_in_characters_after_normalising() {
        assert_eq!(check("gorilla-umbrell", 15), Ok(()));
        assert_eq!(check("gorilla-umbrel", 15), Err(PasswordRefusal::TooShort { characters_min: 15 }));
        // An `e` and a combining accent are one character after NFC.
        assert!(check("gorilla-umbrel\u{65}\u{301}", 15).is_ok());
        assert!(matches!(check("gorilla-umbre\u{65}\u{301}", 15), Err(PasswordRefusal::TooShort { .. })));
        assert_eq!(check("한글로된긴비밀번호입니다정말로", 15), Ok(()));
        let long: String = ('\u{4e00}'..).step_by(7).take(256).collect();
        assert_eq!(check(&long, 15), Ok(()));
        assert_eq!(check(&format!("{long}x"), 15), Err(PasswordRefusal::TooLong));
    }

    #[test]
    fn no_composition_rules() {
        for text in [
            "correct horse battery staple",
            "                   x y",
            "1a1b1c1d1e1f1g1",
            "😀🎈🚗🌊🔑📦🧭🪁🥁🎻🍐🧊🛶🪐🧵",
        ] {
            assert_eq!(check(text, 15), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for text in [
            "password123",
            "iloveyou",
            "PASSWORD",
            "passwordpassword",
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "123456789012345",
            "987654321098765",
            "abcdefghijklmnop",
            "Password2026!!!",
            "123456789987654321",
            "minsu.kim@example.com",
            "minsu.kim1234567",
            "Minsu.Kim2026!!!",
            "1q2w3e4r5t6y7u8i9o0p",
        ] {
            assert_eq!(check(text, 8), Err(PasswordRefusal::Common), "{text}");
        }
    }

    #[test]
    fn the_minimum_goes_down_to_eight_and_no_further() {
        assert!(PasswordRules::with_characters_min(7).is_none());
        assert!(PasswordRules::with_characters_min(257).is_none());
        assert_eq!(PasswordRules::default().characters_min(), 15);
        assert_eq!(check("tg0rzlk!", 8), Ok(()));
    }

    #[test]
    fn the_embedded_list_is_as_its_readme_says() {
        let lines: Vec<&str> = include_str!("../data/common-passwords.txt").lines().collect();
        assert!(lines.len() > 19_000);
        assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "sorted, no duplicates");
        assert!(lines.iter().all(|line| *line == line.to_lowercase() && !line.is_empty()));
    }
}
