//! Scopes: what a token may do (RFC 6749 §3.3).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

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

    /// Each scope, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is no scope at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A scope was asked for that may not be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope was asked for that may not be granted")]
pub struct ScopeNotAllowed;

/// Which scopes may be granted, and to whom.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScopeGrants {
    /// To everybody.
    pub everybody: ScopeSet,
    /// To accounts with a role, besides.
    pub by_role: BTreeMap<String, ScopeSet>,
}

impl ScopeGrants {
    /// What may be granted to an account with these roles.
    pub fn of(&self, roles: &[String]) -> ScopeSet {
        let by_role = roles.iter().filter_map(|role| self.by_role.get(role));
        ScopeSet(by_role.chain([&self.everybody]).flat_map(|scopes| scopes.0.iter().cloned()).collect())
    }

    /// What is granted at sign-in to an account with these roles: what is asked for, or all there is for it.
    ///
    /// # Errors
    /// [`ScopeNotAllowed`]: it asks for more. Nothing is granted in part, or a program would go on without what it needs.
    pub fn grant(&self, roles: &[String], asked: Option<&ScopeSet>) -> Result<ScopeSet, ScopeNotAllowed> {
        let grantable = self.of(roles);
        match asked {
            None => Ok(grantable),
            Some(asked) if asked.is_within(&grantable) => Ok(asked.clone()),
            Some(_) => Err(ScopeNotAllowed),
        }
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
    fn what_is_granted_depends_on_the_roles() {
        let set = |text: &str| text.parse::<ScopeSet>().unwrap();
        let by_role = [("admin", "admin users:write"), ("editor", "articles:write")];
        let by_role = by_role.map(|(role, scopes)| (role.to_owned(), set(scopes))).into();
        let grants = ScopeGrants { everybody: set("account"), by_role };
        let roles = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect::<Vec<_>>();
        assert_eq!(grants.grant(&[], None), Ok(set("account")));
        assert_eq!(grants.grant(&roles(&["editor", "unknown"]), None), Ok(set("account articles:write")));
        assert_eq!(grants.grant(&roles(&["editor"]), Some(&set("articles:write"))), Ok(set("articles:write")));
        assert_eq!(grants.grant(&roles(&["editor"]), Some(&set("account admin"))), Err(ScopeNotAllowed));
        assert_eq!(grants.grant(&roles(&["admin", "editor"]), Some(&set(""))), Ok(set("")));
        assert_eq!(ScopeGrants::default().grant(&[], Some(&set("account"))), Err(ScopeNotAllowed));
    }

    #[test]
    fn only_the_grammar_of_the_rfc() {
        for text in [" ", "a  b", " a", "a ", "a\"b", "a\\b", "a\tb", "é", &"x".repeat(SCOPE_BYTES_MAX + 1)] {
            assert_eq!(text.parse::<ScopeSet>(), Err(InvalidScope), "{text:?}");
        }
    }
}
