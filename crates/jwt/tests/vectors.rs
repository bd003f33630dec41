//! Walks `vectors/`: every file there is a case, and a file that nobody reads is a failure.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail loudly too")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use counterfoil_jwt::{
    Algorithm, AlgorithmSet, KeyId, KeySet, Policy, SigningKey, VerifyingKey, jwk_thumbprint, verify_signature,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads every file of one folder, and says which when one fails.
fn each<T: DeserializeOwned>(folder: &str, minimum: usize, check: impl Fn(&str, T)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= minimum, "only {} vectors in {folder}", files.len());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let case = serde_json::from_slice(&std::fs::read(&file).unwrap())
            .unwrap_or_else(|error| panic!("{folder}/{name}: {error}"));
        check(&name, case);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JwsCase {
    source: String,
    key: Value,
    algorithm: String,
    token: String,
    verdict: String,
    payload_base64url: Option<String>,
}

#[test]
fn jws() {
    each("jws", 19, |name, case: JwsCase| {
        assert!(!case.source.is_empty());
        let algorithm: Algorithm = case.algorithm.parse().unwrap();
        let key = VerifyingKey::from_jwk_or_standard_example(&case.key.to_string(), Some(algorithm)).unwrap();
        match verify_signature(&case.token, &key, &Policy::new(algorithm)) {
            Ok(payload) => {
                assert_eq!(case.verdict, "accepted", "{name}");
                assert_eq!(payload.header().algorithm(), algorithm, "{name}");
                let encoded = base64_simd::URL_SAFE_NO_PAD.encode_to_string(payload.bytes());
                assert_eq!(Some(encoded), case.payload_base64url, "{name}");
            }
            Err(refusal) => assert_eq!(refusal.code(), case.verdict, "{name}"),
        }
    });
}

/// The private keys that the RFCs print sign nothing here; with their public halves their tokens are verified, above.
#[test]
fn keys_that_everybody_has_sign_nothing() {
    let count = std::cell::Cell::new(0);
    each("jws", 19, |name, case: JwsCase| {
        if name.starts_with("rfc") {
            let key = SigningKey::from_jwk(&case.key.to_string(), Some(case.algorithm.parse().unwrap()));
            assert_eq!(key.err().map(|refusal| refusal.code()), Some("key_well_known"), "{name}");
            count.set(count.get() + 1);
        }
    });
    assert!(count.get() >= 10);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThumbprintCase {
    source: String,
    key: Value,
    thumbprint: String,
}

#[test]
fn thumbprints() {
    each("thumbprints", 3, |name, case: ThumbprintCase| {
        assert!(!case.source.is_empty());
        let json = case.key.to_string();
        assert_eq!(jwk_thumbprint(&json).as_ref(), Ok(&case.thumbprint), "{name}");
        let key = VerifyingKey::from_jwk(&json, None).unwrap();
        assert_eq!(key.thumbprint().as_ref(), Some(&case.thumbprint), "{name}");
        assert_eq!(key.public_jwk().unwrap().thumbprint(), case.thumbprint, "{name}");
    });
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetCase {
    source: String,
    key_set: Value,
    usable: Vec<String>,
    skipped: BTreeMap<usize, String>,
}

#[test]
fn key_sets() {
    each("key_sets", 1, |name, case: SetCase| {
        assert!(!case.source.is_empty());
        let set = KeySet::from_json(&case.key_set.to_string(), AlgorithmSet::from(Algorithm::ALL)).unwrap();
        let usable: Vec<_> = set.iter().filter_map(VerifyingKey::key_id).map(KeyId::to_string).collect();
        assert_eq!(usable, case.usable, "{name}");
        let skipped: BTreeMap<_, _> =
            set.skipped().iter().map(|skipped| (skipped.index, skipped.reason.code().to_owned())).collect();
        assert_eq!(skipped, case.skipped, "{name}");
    });
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PemCase {
    source: String,
    pem: String,
    asked_for: Option<String>,
    algorithm: Option<String>,
    public_jwk: Option<Value>,
    is_private: Option<bool>,
    verdict: Option<String>,
}

#[test]
fn pem() {
    each("pem", 30, |name, case: PemCase| {
        assert!(!case.source.is_empty());
        let asked_for = case.asked_for.map(|name| name.parse().unwrap());
        let verifying = VerifyingKey::from_pem(&case.pem, asked_for);
        let signing = SigningKey::from_pem(&case.pem, asked_for);
        if let Some(code) = case.verdict {
            assert_eq!(verifying.err().map(|refusal| refusal.code()), Some(code.as_str()), "{name}");
            assert!(signing.is_err(), "{name}");
            return;
        }
        let verifying = verifying.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(Some(verifying.algorithm().to_string()), case.algorithm, "{name}");
        if let Some(expected) = case.public_jwk {
            let ours = serde_json::to_value(verifying.public_jwk()).unwrap();
            for (member, value) in expected.as_object().unwrap() {
                assert_eq!(&ours[member], value, "{name}: {member}");
            }
        }
        match (signing, case.is_private) {
            (Ok(signing), Some(true)) => assert_eq!(signing.verifying_key().thumbprint(), verifying.thumbprint()),
            (Err(refusal), Some(false)) => assert_eq!(refusal.code(), "private_key_missing", "{name}"),
            (outcome, expected) => panic!("{name}: private {expected:?}, {:?}", outcome.err()),
        }
    });
}
