//! Claims of the operator's own in access tokens: the same in all of them, or taken from the account's attributes.

use super::AppError;
use counterfoil_domain::account::Account;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The most that all of them take, in bytes of JSON: a token with them still fits into a cookie beside the others.
pub const CUSTOM_CLAIMS_BYTES_MAX: usize = 1_536;

/// Names with a meaning of their own: those that the server writes, those registered for JWTs that verifiers act upon
/// (RFC 7519 §4.1, RFC 9068, RFC 7800, RFC 8693, OpenID Connect), and those that we may come to write.
const RESERVED: [&str; 33] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "scp",
    "sid",
    "gen",
    "auth_time",
    "amr",
    "acr",
    "azp",
    "policy",
    "roles",
    "cnf",
    "act",
    "may_act",
    "typ",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "events",
    "toe",
    "txn",
    "email",
    "email_verified",
    "token_type",
    "active",
];

/// Claims of the operator's own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CustomClaims {
    fixed: Map<String, Value>,
    /// The claim's name, and the attribute's.
    from_attributes: BTreeMap<String, String>,
}

impl CustomClaims {
    /// Claims by these rules.
    ///
    /// # Errors
    /// Which option is wrong, and what about it.
    pub(crate) fn new(
        fixed: Map<String, Value>,
        from_attributes: BTreeMap<String, String>,
    ) -> Result<Self, (&'static str, String)> {
        let named = fixed.keys().map(|name| ("claims.fixed", name));
        let named = named.chain(from_attributes.keys().map(|name| ("claims.from_attributes", name)));
        for (option, name) in named {
            if name.is_empty() || RESERVED.contains(&name.as_str()) {
                return Err((option, format!("`{name}` has a meaning of its own in a token: choose another name")));
            }
        }
        if let Some(name) = from_attributes.keys().find(|name| fixed.contains_key(*name)) {
            return Err(("claims.from_attributes", format!("`{name}` is in claims.fixed as well")));
        }
        if bytes_of(&fixed) > CUSTOM_CLAIMS_BYTES_MAX {
            let problem = format!("expected at most {CUSTOM_CLAIMS_BYTES_MAX} bytes of JSON in all");
            return Err(("claims.fixed", problem));
        }
        Ok(Self { fixed, from_attributes })
    }

    /// The claims in a token of this account. An attribute that it has not makes no claim.
    ///
    /// # Errors
    /// [`AppError::ClaimsTooLarge`]. None is left out quietly: a service may refuse somebody by one of them.
    pub(crate) fn of(&self, account: &Account) -> Result<Map<String, Value>, AppError> {
        let mut claims = self.fixed.clone();
        for (claim, attribute) in &self.from_attributes {
            if let Some(value) = account.attributes.get(attribute) {
                claims.insert(claim.clone(), value.clone());
            }
        }
        if bytes_of(&claims) > CUSTOM_CLAIMS_BYTES_MAX { Err(AppError::ClaimsTooLarge) } else { Ok(claims) }
    }
}

fn bytes_of(claims: &Map<String, Value>) -> usize {
    let value_bytes = |value: &Value| value.to_string().len();
    claims.iter().map(|(name, value)| name.len() + value_bytes(value) + 4).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_domain::{entropy::Entropy, time::UnixMillis};
    use serde_json::json;

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn account() -> Account {
        Account::new("a@example.com".parse().unwrap(), None, UnixMillis::from_millis(1), &Zero)
    }

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn from_attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(claim, attribute)| ((*claim).to_owned(), (*attribute).to_owned())).collect()
    }

    #[test]
    fn they_are_fixed_or_the_accounts() {
        let mapped = from_attributes(&[("department", "dept"), ("floor", "floor")]);
        let claims = CustomClaims::new(object(&json!({ "tenant": "acme" })), mapped).unwrap();
        let mut account = account();
        account.attributes.set("dept", json!(["sales", 7])).unwrap();
        account.attributes.set("secret", json!(true)).unwrap();
        assert_eq!(claims.of(&account).unwrap(), object(&json!({ "tenant": "acme", "department": ["sales", 7] })));
    }

    #[test]
    fn reserved_names_are_refused_wherever_they_come_from() {
        for name in RESERVED.into_iter().chain([""]) {
            let fixed = CustomClaims::new(object(&json!({ name: 1 })), BTreeMap::new());
            assert_eq!(fixed.unwrap_err().0, "claims.fixed", "{name}");
            let mapped = CustomClaims::new(Map::new(), from_attributes(&[(name, "x")]));
            assert_eq!(mapped.unwrap_err().0, "claims.from_attributes", "{name}");
        }
        let twice = CustomClaims::new(object(&json!({ "tenant": 1 })), from_attributes(&[("tenant", "t")]));
        assert_eq!(twice.unwrap_err().0, "claims.from_attributes");
    }

    #[test]
    fn they_are_bounded_and_none_is_left_out_quietly() {
        let large = object(&json!({ "a": "x".repeat(CUSTOM_CLAIMS_BYTES_MAX) }));
        assert_eq!(CustomClaims::new(large, BTreeMap::new()).unwrap_err().0, "claims.fixed");
        let mapped = from_attributes(&[("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")]);
        let claims = CustomClaims::new(Map::new(), mapped).unwrap();
        let mut account = account();
        for name in ["a", "b", "c"] {
            account.attributes.set(name, json!("x".repeat(490))).unwrap();
            assert!(claims.of(&account).is_ok());
        }
        account.attributes.set("d", json!("x".repeat(490))).unwrap();
        assert!(matches!(claims.of(&account), Err(AppError::ClaimsTooLarge)));
    }
}
