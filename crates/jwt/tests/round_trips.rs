//! What is signed verifies, what is changed does not, and keys survive being written down.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly too")]

use std::sync::LazyLock;

use counterfoil_jwt::{
    Algorithm, AlgorithmSet, Error, KeyId, KeySet, Policy, PrivatePem, PublicJwkSet, PublicPem, SigningKey, Verified,
    VerifyingKey, sign, verify, verify_borrowed,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const NOW: u64 = 1_750_000_000;

/// One key of each kind, made once: RSA keys take a while.
static KEYS: LazyLock<Vec<SigningKey>> =
    LazyLock::new(|| Algorithm::ALL.into_iter().map(|algorithm| SigningKey::generate(algorithm).unwrap()).collect());

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: Vec<String>,
    sub: String,
    exp: u64,
    scope: Option<String>,
}

fn claims() -> impl Strategy<Value = Claims> {
    (".*", prop::collection::vec(".*", 1..4), ".*", NOW + 1..1 << 53, proptest::option::of(".*"))
        .prop_map(|(iss, aud, sub, exp, scope)| Claims { iss, aud, sub, exp, scope })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_signed_verifies(claims in claims(), which in 0..12_usize, token_type in "[a-z]{1,8}\\+jwt") {
        let key = &KEYS[which];
        let token = sign(key, &token_type, &claims).unwrap();
        let policy = Policy::new(key.algorithm())
            .issuer(claims.iss.as_str())
            .audience(claims.aud[0].as_str())
            .token_type(token_type.as_str());
        let verified: Verified<Claims> = verify(&token, key.verifying_key(), &policy, NOW).unwrap();
        prop_assert_eq!(verified.expires_at().unwrap().unix_seconds(), claims.exp);
        prop_assert_eq!(verified.header().key_id(), key.key_id().map(KeyId::as_str));
        prop_assert_eq!(verified.header().token_type(), Some(token_type.as_str()));
        prop_assert_eq!(verified.into_inner(), claims);
    }

    #[test]
    fn no_text_makes_it_panic(token in ".*", header in ".*", claims in ".*") {
        let policy = Policy::new(AlgorithmSet::from(Algorithm::ALL));
        prop_assert!(verify::<Value>(&token, KEYS[0].verifying_key(), &policy, NOW).is_err());
        let encode = |text: &str| base64_simd::URL_SAFE_NO_PAD.encode_to_string(text);
        let token = format!("{}.{}.AAAA", encode(&header), encode(&claims));
        prop_assert!(verify::<Value>(&token, KEYS[0].verifying_key(), &policy, NOW).is_err());
    }

    #[test]
    fn no_document_makes_a_key_panic(text in ".*", members in prop::collection::vec(("kty|crv|x|y|n|e|d|k|alg|use|kid", "EC|OKP|oct|RSA|P-256|Ed25519|[A-Za-z0-9_-]{0,90}"), 0..8)) {
        let object: serde_json::Map<String, Value> = members.into_iter().map(|(name, value)| (name, value.into())).collect();
        for json in [text.clone(), Value::Object(object).to_string()] {
            let _ = VerifyingKey::from_jwk(&json, None);
            let _ = SigningKey::from_jwk(&json, Some(Algorithm::Hs256));
            let _ = KeySet::from_json(&format!("{{\"keys\":[{json}]}}"), AlgorithmSet::from(Algorithm::ALL));
            let _ = counterfoil_jwt::jwk_thumbprint(&json);
        }
        let _ = VerifyingKey::from_pem(&text, None);
        let _ = VerifyingKey::from_pem(&format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----"), None);
    }
}

/// Every byte of a token, replaced by every other byte that a token may have and some that it may not.
#[test]
fn every_single_byte_change_is_refused() {
    for key in KEYS.iter() {
        let policy = Policy::new(AlgorithmSet::from(Algorithm::ALL)).allow_missing_expiry();
        let token = sign(key, "JWT", &json!({"sub": "alice"})).unwrap();
        assert!(verify::<Value>(&token, key.verifying_key(), &policy, NOW).is_ok());
        // All replacements for the cheap algorithms, a few for those whose check takes long.
        let replacements: &[u8] = if key.algorithm().is_symmetric() {
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0"
        } else {
            b"AQ_.="
        };
        for place in 0..token.len() {
            for &byte in replacements {
                let mut changed = token.clone().into_bytes();
                if changed[place] != byte {
                    changed[place] = byte;
                    let changed = String::from_utf8(changed).unwrap();
                    let outcome = verify::<Value>(&changed, key.verifying_key(), &policy, NOW);
                    assert!(outcome.is_err(), "{}: byte {place} became {}", key.algorithm(), byte.escape_ascii());
                }
            }
            // Lost and doubled bytes.
            let mut shorter = token.clone();
            shorter.remove(place);
            assert!(verify::<Value>(&shorter, key.verifying_key(), &policy, NOW).is_err());
            let mut longer = token.clone();
            longer.insert(place, token.as_bytes()[place].into());
            assert!(verify::<Value>(&longer, key.verifying_key(), &policy, NOW).is_err());
        }
    }
}

#[test]
fn no_key_verifies_another_keys_token() {
    let policy = Policy::new(AlgorithmSet::from(Algorithm::ALL)).allow_missing_expiry();
    for key in KEYS.iter() {
        let token = sign(key, "JWT", &json!({})).unwrap();
        let stranger = SigningKey::generate(key.algorithm()).unwrap().with_key_id(key.key_id().unwrap().clone());
        let refusal = verify::<Value>(&token, stranger.verifying_key(), &policy, NOW).err();
        assert_eq!(refusal, Some(Error::SignatureInvalid), "{}", key.algorithm());
    }
}

#[test]
fn private_keys_survive_being_written_down() {
    for key in KEYS.iter() {
        let json = key.to_private_jwk().unwrap();
        let again = SigningKey::from_jwk(&json, None).unwrap();
        assert_eq!(again.algorithm(), key.algorithm());
        assert_eq!(again.key_id(), key.key_id());
        assert_eq!(*again.to_private_jwk().unwrap(), *json);
        let policy = Policy::new(key.algorithm()).allow_missing_expiry();
        let token = sign(&again, "JWT", &json!({})).unwrap();
        assert!(verify::<Value>(&token, key.verifying_key(), &policy, NOW).is_ok());
        // The private document also serves where only the public half is needed.
        assert!(verify::<Value>(&token, &VerifyingKey::from_jwk(&json, None).unwrap(), &policy, NOW).is_ok());
    }
}

#[test]
fn the_published_set_verifies_and_holds_nothing_private() {
    let document = serde_json::to_value(KEYS.iter().collect::<PublicJwkSet>()).unwrap();
    let published = document["keys"].as_array().unwrap();
    assert_eq!(published.len(), 9, "all but the three symmetric ones");
    for jwk in published {
        let names: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(!names.contains(&private), "{names:?}");
        }
        assert_eq!((&jwk["use"], jwk["alg"].is_string(), jwk["kid"].is_string()), (&json!("sig"), true, true));
    }
    let set = KeySet::from_json(&document.to_string(), AlgorithmSet::EMPTY).unwrap();
    assert_eq!(set.skipped(), []);
    for key in KEYS.iter().filter(|key| !key.algorithm().is_symmetric()) {
        let policy = Policy::new(key.algorithm()).allow_missing_expiry();
        let token = sign(key, "JWT", &json!({})).unwrap();
        assert!(verify::<Value>(&token, &set, &policy, NOW).is_ok());
    }
}

#[test]
fn claims_may_borrow_and_the_buffer_may_be_used_again() {
    #[derive(Deserialize)]
    struct Borrowed<'a> {
        sub: &'a str,
    }
    let key = &KEYS[0];
    let policy = Policy::new(key.algorithm()).allow_missing_expiry();
    let mut buffer = Vec::new();
    for subject in ["alice", "bob"] {
        let token = sign(key, "JWT", &json!({"sub": subject})).unwrap();
        let verified: Verified<Borrowed<'_>> =
            verify_borrowed(&token, key.verifying_key(), &policy, NOW, &mut buffer).unwrap();
        assert_eq!(verified.sub, subject);
    }
}

#[test]
fn claims_that_do_not_fit_are_refused_after_the_checks() {
    let key = &KEYS[0];
    let policy = Policy::new(key.algorithm());
    let token = sign(key, "JWT", &json!({"exp": NOW + 1})).unwrap();
    assert_eq!(verify::<Claims>(&token, key.verifying_key(), &policy, NOW).err(), Some(Error::ClaimsDoNotFit));
    let expired = verify::<Claims>(&token, key.verifying_key(), &policy, NOW + 1).err();
    assert_eq!(expired, Some(Error::TokenExpired { ago_seconds: 0 }));
}

#[test]
fn keys_survive_being_written_as_pem() {
    for key in KEYS.iter() {
        let (algorithm, public) = (key.algorithm(), key.verifying_key());
        if algorithm.is_symmetric() {
            assert_eq!(key.to_private_pem(PrivatePem::Pkcs8).err().unwrap().code(), "key_unsupported");
            assert_eq!(public.to_public_pem(PublicPem::SubjectPublicKeyInfo).err().unwrap().code(), "key_unsupported");
            continue;
        }
        let (is_rsa, is_ec) = (
            algorithm.name().contains('S') && key.to_private_jwk().unwrap().contains("\"RSA\""),
            algorithm.name().starts_with("ES"),
        );
        for (form, label, fits) in [
            (PrivatePem::Pkcs8, "PRIVATE KEY", true),
            (PrivatePem::Pkcs1, "RSA PRIVATE KEY", is_rsa),
            (PrivatePem::Sec1, "EC PRIVATE KEY", is_ec),
        ] {
            match key.to_private_pem(form) {
                Ok(pem) => {
                    assert!(fits && pem.starts_with(&format!("-----BEGIN {label}-----\n")), "{algorithm} {form:?}");
                    let again = SigningKey::from_pem(&pem, Some(algorithm)).unwrap();
                    assert_eq!(again.verifying_key().thumbprint(), public.thumbprint());
                    assert_eq!(*again.to_private_pem(form).unwrap(), *pem);
                }
                Err(refusal) => assert!(!fits && refusal.code() == "key_unsupported", "{algorithm} {form:?}"),
            }
        }
        for (form, label, fits) in
            [(PublicPem::SubjectPublicKeyInfo, "PUBLIC KEY", true), (PublicPem::Pkcs1, "RSA PUBLIC KEY", is_rsa)]
        {
            match public.to_public_pem(form) {
                Ok(pem) => {
                    assert!(fits && pem.starts_with(&format!("-----BEGIN {label}-----\n")), "{algorithm} {form:?}");
                    let again = VerifyingKey::from_pem(&pem, Some(algorithm)).unwrap();
                    assert_eq!(again.thumbprint(), public.thumbprint());
                }
                Err(refusal) => assert!(!fits && refusal.code() == "key_unsupported", "{algorithm} {form:?}"),
            }
        }
    }
}
