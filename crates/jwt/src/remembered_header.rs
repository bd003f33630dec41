//! The header of a key's tokens, read once.
//!
//! The signer writes the header in a fixed order, so all tokens of one type under one key begin with the same characters.
//! A key that has verified one such token remembers what they say, and the next token that begins so needs no decoding
//! and no reading of its header. Nothing else is remembered: whether the policy lets the header pass, which key answers
//! and whether its signature is good are asked for each token anew. So a verdict is the same with and without.

use std::sync::OnceLock;

use crate::Header;
use crate::header::{AdmittedHeader, plain_members};

/// Room for one header, filled once.
#[derive(Clone, Default)]
pub(crate) struct RememberedHeader(OnceLock<Box<Remembered>>);

/// A header as it was sent, and what it says.
#[derive(Clone)]
pub struct Remembered {
    encoded: Box<str>,
    pub(crate) read: AdmittedHeader<'static>,
    /// The same, for handing out.
    pub(crate) header: Header,
}

impl RememberedHeader {
    /// What the encoded header says, if it is the remembered one.
    #[inline]
    pub(crate) fn find(&self, encoded: &str) -> Option<&Remembered> {
        self.0.get().filter(|remembered| *remembered.encoded == *encoded).map(|remembered| &**remembered)
    }

    /// Remembers a header that came with a good signature, unless there is one already.
    ///
    /// `json` is `encoded`, decoded; `header` is what was read in it. Kept is only what reads the same under every policy:
    /// `alg`, `typ` and `kid` alone, and no name of an algorithm that a policy must allow (`Ed25519`).
    pub(crate) fn remember(&self, encoded: &str, json: &[u8], header: &AdmittedHeader<'_>) {
        if self.0.get().is_some() {
            return;
        }
        let members = std::str::from_utf8(json).ok().and_then(plain_members);
        if members.is_some_and(|[alg, ..]| alg == Some(header.algorithm.name())) {
            let (read, header) = (header.to_owned_text(), header.to_header());
            self.0.get_or_init(|| Box::new(Remembered { encoded: encoded.into(), read, header }));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Algorithm, Error, KeyId, KeySet, Policy, Signer, SigningKey, VerifyingKey, verify};

    fn remembers(key: &VerifyingKey, token: &str) -> bool {
        key.remembered_header.find(token.split_once('.').unwrap().0).is_some()
    }

    #[test]
    fn a_remembered_header_is_held_against_each_policy_and_key_anew() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap().with_key_id(KeyId::new("a").unwrap());
        let policy = Policy::new(Algorithm::EdDsa).token_type("at+jwt");
        let token = Signer::new(&key).token_type("at+jwt").sign_json(r#"{"exp":20}"#).unwrap();
        let ours = key.verifying_key().clone();
        let code = |key: &VerifyingKey, policy: &Policy, token: &str| {
            verify::<serde_json::Value>(token, key, policy, 10).map_or_else(|error| error.code(), |_| "accepted")
        };
        let forged = format!("{}.{}", token.rsplit_once('.').unwrap().0, "A".repeat(86));
        assert_eq!(code(&ours, &policy, &forged), "signature_invalid");
        assert!(!remembers(&ours, &token), "a stranger wrote it");
        assert_eq!(code(&ours, &policy, &token), "accepted");
        assert!(remembers(&ours, &token));

        let other_kind = policy.clone().token_type("JWT");
        let other_algorithm = Policy::new(Algorithm::Es256).token_type("at+jwt");
        assert_eq!(code(&ours, &policy, &token), "accepted");
        assert_eq!(code(&ours, &policy, &forged), "signature_invalid");
        assert_eq!(code(&ours, &other_kind, &token), "type_mismatch");
        assert_eq!(code(&ours, &other_algorithm, &token), "algorithm_not_allowed");
        let again = verify::<serde_json::Value>(&token, &ours, &policy, 10).unwrap();
        let header = again.header();
        assert_eq!(
            (header.algorithm(), header.key_id(), header.token_type()),
            (ours.algorithm(), Some("a"), Some("at+jwt"))
        );

        // A key that remembers does not answer for another of its name.
        let mut set = KeySet::default();
        set.add(ours.clone()).unwrap();
        assert!(verify::<serde_json::Value>(&token, &set, &policy, 10).is_ok());
        let renamed: KeySet = [ours.with_key_id(KeyId::new("b").unwrap())].into_iter().collect();
        assert_eq!(verify::<serde_json::Value>(&token, &renamed, &policy, 10).unwrap_err(), Error::UnknownKey);
    }

    #[test]
    fn what_depends_on_the_policy_is_not_remembered() {
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let newer_name = Policy::new(Algorithm::EdDsa).allow_ed25519_name();
        for signer in [Signer::new(&key).ed25519_name(), Signer::new(&key).header("deep", json!([[1]])).unwrap()] {
            let (ours, token) = (key.verifying_key().clone(), signer.sign_json(r#"{"exp":20}"#).unwrap());
            let strict = Policy::new(Algorithm::EdDsa).max_depth(1);
            for _ in 0..2 {
                assert!(verify::<serde_json::Value>(&token, &ours, &newer_name, 10).is_ok());
                assert!(verify::<serde_json::Value>(&token, &ours, &strict, 10).is_err());
            }
            assert!(!remembers(&ours, &token));
        }
    }
}
