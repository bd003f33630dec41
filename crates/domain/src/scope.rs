//! Scopes: what a token may do (RFC 6749 §3.3).

use std::{collections::BTreeSet, fmt, str::FromStr};

/// The most scopes one token can carry.
pub const SCOPES_MAX: usize = 64;
/// The longest scope, in bytes.
pub const SCOPE_BYTES_MAX: usize = 128;

/// A set of scopes, sorted, so that equal sets are equal texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScopeSet(BTreeSet<String>);

/// A text that is not a list of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a scope list: expected words of printable ASCII without quotes or backslashes, one space between them")]
pub struct InvalidScope;

impl ScopeSet {
    /// Whether every scope of this set is in `granted`.
    pub fn is_within(&self, granted: &Self) -> bool {
        self.0.is_subset(&granted.0)
    }

    /// Whether `scope` is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether there is no scope at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        // scope-token = 1*( %x21 / %x23-5B / %x5D-7E ), RFC 6749 §3.3.
        let scope_char = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let scopes = text.split(' ').map(|scope| {
            let well_formed = (1..=SCOPE_BYTES_MAX).contains(&scope.len()) && scope.bytes().all(scope_char);
            well_formed.then(|| scope.to_owned()).ok_or(InvalidScope)
        });
        let scopes = scopes.collect::<Result<BTreeSet<_>, _>>()?;
        if scopes.len() > SCOPES_MAX { Err(InvalidScope) } else { Ok(Self(scopes)) }
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for scope in &self.0 {
            write!(f, "{separator}{scope}")?;
            separator = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_compared_not_texts() {
        let granted: ScopeSet = "write read".parse().unwrap();
        assert_eq!(granted.to_string(), "read write");
        assert!("read".parse::<ScopeSet>().unwrap().is_within(&granted));
        assert!(!"read admin".parse::<ScopeSet>().unwrap().is_within(&granted));
        assert!("".parse::<ScopeSet>().unwrap().is_empty());
    }

    #[test]
    fn only_the_grammar_of_the_rfc() {
        for text in [" ", "a  b", " a", "a ", "a\"b", "a\\b", "a\tb", "é", &"x".repeat(SCOPE_BYTES_MAX + 1)] {
            assert_eq!(text.parse::<ScopeSet>(), Err(InvalidScope), "{text:?}");
        }
    }
}
