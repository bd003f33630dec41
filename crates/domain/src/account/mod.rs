//! Accounts: who may sign in.

mod attributes;
mod change;
mod standing;
#[cfg(test)]
mod tests;

pub use attributes::{ATTRIBUTES_MAX, Attributes, InvalidAttribute};
pub use change::{
    Change, NewPassword, PasswordChange, ProfileChange, ProfileChanged, change_password, change_profile, set_password,
};
pub use standing::{StandingOutcome, delete_account, delete_own_account, disable_account, enable_account, set_roles};

use crate::{email::Email, entropy::Entropy, id::AccountId, text::first_misplaced, time::UnixMillis};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Counts the times all tokens of an account were ended at once.
///
/// A token carries the generation it was minted in (claim `gen`); raising the account's ends every older token. It is a
/// counter and no time, so two sign-outs in one second cannot be confused (a `min-iat` scheme has that hole).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct AccountGeneration(i64);

impl AccountGeneration {
    /// A generation as a store or a token kept it.
    pub const fn from_raw(raw: i64) -> Self {
        Self(raw)
    }

    /// The number, to store it or to put it into a token.
    pub const fn as_raw(self) -> i64 {
        self.0
    }

    /// The generation after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The longest name a person can give, in characters (code points).
pub const NAME_CHARACTERS_MAX: usize = 100;

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing is there, or nothing but space.
    #[error("a name has at least one character that can be seen; leave it out if there is none")]
    Blank,
    /// It is too long.
    #[error("a name has at most {NAME_CHARACTERS_MAX} characters")]
    TooLong,
    /// It holds something that hides or reorders text.
    #[error("a name cannot hold U+{:04X}, which cannot be seen or changes how others are shown: leave it out", u32::from(*.0))]
    Misplaced(char),
}

/// Checks a name that a person gave for themselves or for a device, and gives it in Unicode NFC without space around it.
/// What hides text or changes its order is refused, since others read the name and act on it.
///
/// # Errors
/// [`InvalidName`].
pub fn parse_name(text: &str) -> Result<String, InvalidName> {
    let name: String = text.trim().nfc().collect();
    if name.is_empty() {
        return Err(InvalidName::Blank);
    }
    if name.chars().count() > NAME_CHARACTERS_MAX {
        return Err(InvalidName::TooLong);
    }
    match first_misplaced(&name) {
        Some(character) => Err(InvalidName::Misplaced(character)),
        None => Ok(name),
    }
}

/// One account, without its credentials.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The account's id, the `sub` of its tokens. It never changes.
    pub id: AccountId,
    /// The address by which the person signs in.
    pub email: Email,
    /// Whether the person has shown that the address is theirs.
    pub email_verified: bool,
    /// What the person calls themselves.
    pub name: Option<String>,
    /// Roles that the operator gave, such as `admin`.
    pub roles: Vec<String>,
    /// What the operator knows of the person besides, for claims of one's own.
    pub attributes: Attributes,
    /// Raised to end every token at once.
    pub generation: AccountGeneration,
    /// When the password was last changed; `None` while it is the first one.
    pub password_changed_at: Option<UnixMillis>,
    /// Set while the account may not sign in.
    pub disabled_at: Option<UnixMillis>,
    /// When the account was made.
    pub created_at: UnixMillis,
}

impl Account {
    /// A new account for `email`, made at `now`.
    pub fn new(email: Email, name: Option<String>, now: UnixMillis, entropy: &dyn Entropy) -> Self {
        Self {
            id: AccountId::generate(now, entropy),
            email,
            email_verified: false,
            name,
            roles: Vec::new(),
            attributes: Attributes::default(),
            password_changed_at: None,
            generation: AccountGeneration::default(),
            disabled_at: None,
            created_at: now,
        }
    }
}

/// A password hash as a PHC string (`$argon2id$…`). It is no secret in the sense of a key, but worth guessing at, so it
/// does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl PasswordHash {
    /// Takes a PHC string, as the hash function or a store gave it.
    pub const fn from_phc(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, for the verifying function or a store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// An account and what it signs in with: read only where a password is checked.
pub struct AccountWithPassword {
    /// The account.
    pub account: Account,
    /// The hash of its password; an account made without one has none.
    pub password_hash: Option<PasswordHash>,
}
