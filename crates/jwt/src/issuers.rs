//! Several issuers, each with its own keys and rules (RFC 8725 §3.8).

use serde::de::DeserializeOwned;

use crate::error::{Part, RegisteredClaim};
use crate::json::{self, Value};
use crate::verify::split;
use crate::{Error, KeySet, Policy, Verified, base64url, verify};

/// The issuers that a verifier trusts.
///
/// A token's `iss` is read before its signature is checked, for one purpose: to choose among the issuers configured here.
/// From then on only that issuer's keys and policy count, and the policy asks for the same `iss` again, now signed. So a
/// key of one issuer can never vouch for another.
///
/// ```
/// use counterfoil_jwt::{Algorithm, Issuers, KeySet, Policy, SigningKey, sign};
/// use serde_json::{Value, json};
///
/// # fn main() -> Result<(), counterfoil_jwt::Error> {
/// let (ours, partners) = (SigningKey::generate(Algorithm::EdDsa)?, SigningKey::generate(Algorithm::Es256)?);
/// let mut issuers = Issuers::default();
/// let keys: KeySet = [ours.verifying_key().clone()].into_iter().collect();
/// issuers.add("https://login.example", keys, Policy::new(Algorithm::EdDsa))?;
/// let keys: KeySet = [partners.verifying_key().clone()].into_iter().collect();
/// issuers.add("https://partner.example", keys, Policy::new(Algorithm::Es256))?;
///
/// let good = sign(&partners, "JWT", &json!({"iss": "https://partner.example", "exp": 20}))?;
/// assert!(issuers.verify::<Value>(&good, 10).is_ok());
/// let forged = sign(&partners, "JWT", &json!({"iss": "https://login.example", "exp": 20}))?;
/// assert!(issuers.verify::<Value>(&forged, 10).is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Issuers {
    trusted: Vec<Issuer>,
}

#[derive(Debug, Clone)]
struct Issuer {
    name: Box<str>,
    keys: KeySet,
    policy: Policy,
}

impl Issuers {
    /// Trusts an issuer: `iss` must be exactly this name, the keys are its own, and the policy is for its tokens alone
    /// (its issuer is set to this name). Refused if the name has been given before.
    pub fn add(&mut self, name: impl Into<Box<str>>, keys: KeySet, policy: Policy) -> Result<(), Error> {
        let name = name.into();
        if self.of(&name).is_some() {
            return Err(Error::IssuerRepeated);
        }
        let policy = policy.issuer(name.clone());
        self.trusted.push(Issuer { name, keys, policy });
        Ok(())
    }

    /// The keys of an issuer, to exchange them for newer ones.
    pub fn keys_mut(&mut self, name: &str) -> Option<&mut KeySet> {
        self.trusted.iter_mut().find(|issuer| *issuer.name == *name).map(|issuer| &mut issuer.keys)
    }

    /// Verifies a token by the keys and the policy of the issuer that it names, as [`verify()`] does.
    pub fn verify<C: DeserializeOwned>(&self, token: &str, now_unix_seconds: u64) -> Result<Verified<C>, Error> {
        let limit_bytes = self.trusted.iter().map(|issuer| issuer.policy.max_token_bytes).max().unwrap_or_default();
        if token.len() > limit_bytes {
            return Err(Error::TooLarge { what: "token", limit_bytes });
        }
        let issuer = self.named_in(split(token)?.payload)?;
        verify(token, &issuer.keys, &issuer.policy, now_unix_seconds)
    }

    /// The trusted issuer that an unverified payload names.
    fn named_in(&self, payload: &str) -> Result<&Issuer, Error> {
        let payload = base64url::decode(payload).map_err(|_| Error::Base64UrlNotCanonical(Part::Payload))?;
        let claims_json = std::str::from_utf8(&payload).map_err(|_| Error::NotUtf8(Part::Payload))?;
        let max_depth = self.trusted.iter().map(|issuer| issuer.policy.max_depth).max().unwrap_or_default();
        let mut named = Err(Error::ClaimMissing(RegisteredClaim::Issuer));
        json::walk_object(claims_json, max_depth, |name, value| {
            if name == "iss" {
                named = match value {
                    Value::String(iss) => self.of(&iss).ok_or(Error::IssuerMismatch),
                    _ => Err(Error::ClaimWrongType(RegisteredClaim::Issuer)),
                };
            }
        })
        .map_err(|fault| fault.in_payload(max_depth))?;
        named
    }

    fn of(&self, name: &str) -> Option<&Issuer> {
        self.trusted.iter().find(|issuer| *issuer.name == *name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Algorithm, SigningKey, sign};

    #[test]
    fn each_issuer_is_held_to_its_own_keys_and_rules() {
        let keys = [Algorithm::EdDsa, Algorithm::EdDsa, Algorithm::Hs256].map(|a| SigningKey::generate(a).unwrap());
        let mut issuers = Issuers::default();
        for (name, key, policy) in [
            ("a", &keys[0], Policy::new(Algorithm::EdDsa).audience("api")),
            ("b", &keys[1], Policy::new(Algorithm::EdDsa)),
            ("c", &keys[2], Policy::new(Algorithm::Hs256).max_token_bytes(200)),
        ] {
            issuers.add(name, [key.verifying_key().clone()].into_iter().collect(), policy).unwrap();
        }
        assert_eq!(issuers.add("a", KeySet::default(), Policy::new(Algorithm::EdDsa)), Err(Error::IssuerRepeated));
        let long = "x".repeat(200);
        for (key, claims, expected) in [
            (0, json!({"iss": "a", "aud": "api", "exp": 2}), "accepted"),
            (1, json!({"iss": "b", "exp": 2}), "accepted"),
            (2, json!({"iss": "c", "exp": 2}), "accepted"),
            (0, json!({"iss": "a", "exp": 2}), "claim_missing"),
            (0, json!({"iss": "b", "exp": 2}), "unknown_key"),
            (1, json!({"iss": "a", "aud": "api", "exp": 2}), "unknown_key"),
            (2, json!({"iss": "b", "exp": 2}), "algorithm_not_allowed"),
            (0, json!({"iss": "d", "exp": 2}), "issuer_mismatch"),
            (0, json!({"iss": "A", "exp": 2}), "issuer_mismatch"),
            (0, json!({"iss": ["a"], "exp": 2}), "claim_wrong_type"),
            (0, json!({"exp": 2}), "claim_missing"),
            (1, json!({"iss": "b", "exp": 1}), "token_expired"),
            (1, json!({"iss": "b", "exp": 2, "x": long}), "accepted"),
            (2, json!({"iss": "c", "exp": 2, "x": long}), "too_large"),
        ] {
            let token = sign(&keys[key], "JWT", &claims).unwrap();
            let outcome = issuers.verify::<serde_json::Value>(&token, 1).err();
            assert_eq!(outcome.map_or("accepted", |refusal| refusal.code()), expected, "{key} {claims}");
        }
        let twice = crate::Signer::new(&keys[1]).sign_bytes(br#"{"iss":"b","iss":"a","exp":2}"#).unwrap();
        assert_eq!(issuers.verify::<serde_json::Value>(&twice, 1).unwrap_err().code(), "duplicate_member");
        assert_eq!(Issuers::default().verify::<serde_json::Value>(&twice, 1).unwrap_err().code(), "too_large");
        *issuers.keys_mut("b").unwrap() = KeySet::default();
        let token = sign(&keys[1], "JWT", &json!({"iss": "b", "exp": 2})).unwrap();
        assert_eq!(issuers.verify::<serde_json::Value>(&token, 1).unwrap_err(), Error::UnknownKey);
    }
}
