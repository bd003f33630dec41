//! Key documents that must be refused, and why; and the few liberties that they may take.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail loudly too")]

use counterfoil_jwt::{Algorithm, SigningKey, VerifyingKey};
use serde_json::{Value, json};

fn refusal(jwk: &Value, algorithm: Option<Algorithm>) -> &'static str {
    VerifyingKey::from_jwk(&jwk.to_string(), algorithm).err().map_or("accepted", |refusal| refusal.code())
}

fn signing_refusal(jwk: &Value) -> &'static str {
    SigningKey::from_jwk(&jwk.to_string(), None).err().map_or("accepted", |refusal| refusal.code())
}

fn private(algorithm: Algorithm) -> Value {
    let mut jwk: Value =
        serde_json::from_str(&SigningKey::generate(algorithm).unwrap().to_private_jwk().unwrap()).unwrap();
    for optional in ["use", "alg", "kid"] {
        jwk.as_object_mut().unwrap().remove(optional);
    }
    jwk
}

fn with(jwk: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut jwk = jwk.clone();
    jwk[name] = value.into();
    jwk
}

fn without(jwk: &Value, name: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

#[test]
fn purpose() {
    let key = private(Algorithm::EdDsa);
    for (jwk, verifying, signing) in [
        (key.clone(), "accepted", "accepted"),
        (with(&key, "use", "sig"), "accepted", "accepted"),
        (with(&key, "use", "enc"), "key_not_for_this_use", "key_not_for_this_use"),
        (with(&key, "use", 1), "key_malformed", "key_malformed"),
        (with(&key, "key_ops", json!(["verify"])), "accepted", "key_not_for_this_use"),
        (with(&key, "key_ops", json!(["sign"])), "accepted", "accepted"),
        (with(&key, "key_ops", json!(["encrypt"])), "key_not_for_this_use", "key_not_for_this_use"),
        (with(&key, "key_ops", json!([])), "key_not_for_this_use", "key_not_for_this_use"),
        (with(&key, "key_ops", json!(["sign", "sign"])), "key_malformed", "key_malformed"),
        (with(&key, "key_ops", json!("sign")), "key_malformed", "key_malformed"),
        (
            with(&with(&key, "use", "sig"), "key_ops", json!(["sign", "encrypt"])),
            "key_not_for_this_use",
            "key_not_for_this_use",
        ),
        (with(&key, "alg", "EdDSA"), "accepted", "accepted"),
        (with(&key, "alg", "Ed25519"), "accepted", "accepted"),
        (with(&key, "alg", "ES256"), "key_not_for_this_use", "key_not_for_this_use"),
        (with(&key, "alg", "HS256"), "key_not_for_this_use", "key_not_for_this_use"),
        (with(&key, "alg", "ECDH-ES"), "key_unsupported", "key_unsupported"),
        (with(&key, "alg", "none"), "key_unsupported", "key_unsupported"),
        (with(&key, "kid", ""), "key_malformed", "key_malformed"),
        (with(&key, "kid", "a\nb"), "key_malformed", "key_malformed"),
        (with(&key, "kid", 7), "key_malformed", "key_malformed"),
        (with(&key, "x5c", json!([{"deep": [1]}])), "accepted", "accepted"),
        (without(&key, "d"), "accepted", "private_key_missing"),
        (without(&key, "kty"), "key_malformed", "key_malformed"),
        (with(&key, "kty", "okp"), "key_unsupported", "key_unsupported"),
    ] {
        assert_eq!(refusal(&jwk, None), verifying, "{jwk}");
        assert_eq!(signing_refusal(&jwk), signing, "{jwk}");
    }
    let twice = key.to_string().replacen('{', "{\"kty\":\"OKP\",", 1);
    assert_eq!(VerifyingKey::from_jwk(&twice, None).err().unwrap().code(), "key_malformed");
}

#[test]
fn algorithms_and_callers_must_agree() {
    let rsa = private(Algorithm::Rs256);
    let oct = json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAqw"});
    assert_eq!(refusal(&rsa, None), "key_algorithm_missing");
    assert_eq!(refusal(&oct, None), "key_algorithm_missing");
    assert_eq!(refusal(&rsa, Some(Algorithm::Ps384)), "accepted");
    assert_eq!(refusal(&rsa, Some(Algorithm::Hs256)), "key_not_for_this_use");
    assert_eq!(refusal(&oct, Some(Algorithm::Hs512)), "accepted");
    assert_eq!(refusal(&oct, Some(Algorithm::Rs256)), "key_not_for_this_use");
    assert_eq!(refusal(&with(&rsa, "alg", "RS256"), Some(Algorithm::Ps256)), "key_not_for_this_use");
    assert_eq!(refusal(&with(&rsa, "alg", "RS256"), Some(Algorithm::Rs256)), "accepted");
}

#[test]
fn ec_points() {
    let key = private(Algorithm::Es256);
    let x = key["x"].as_str().unwrap();
    let other = private(Algorithm::Es256);
    let swapped = with(&with(&key, "x", key["y"].clone()), "y", x);
    for (jwk, expected) in [
        (with(&key, "y", other["y"].clone()), "key_invalid"),
        (swapped, "key_invalid"),
        (with(&with(&key, "x", "A".repeat(43)), "y", "A".repeat(43)), "key_invalid"),
        (with(&key, "x", format!("{}{}", if x.starts_with('A') { 'B' } else { 'A' }, &x[1..])), "key_invalid"),
        (with(&key, "x", &x[..40]), "key_malformed"),
        (with(&key, "x", format!("AAAA{x}")), "key_malformed"),
        (with(&key, "x", format!("{x}=")), "key_malformed"),
        (with(&key, "crv", "P-384"), "key_malformed"),
        (with(&key, "crv", "P-521"), "key_unsupported"),
        (with(&key, "crv", "secp256k1"), "key_unsupported"),
        (with(&key, "crv", "Ed25519"), "key_unsupported"),
        (without(&key, "crv"), "key_malformed"),
        (without(&key, "y"), "key_malformed"),
        (with(&key, "kty", "RSA"), "key_algorithm_missing"),
    ] {
        assert_eq!(refusal(&jwk, None), expected, "{jwk}");
    }
    assert_eq!(signing_refusal(&with(&key, "d", other["d"].clone())), "key_invalid");
    assert_eq!(signing_refusal(&with(&key, "d", "AAAA")), "key_malformed");
    assert_eq!(signing_refusal(&with(&key, "d", "A".repeat(43))), "key_invalid");
}

#[test]
fn ed25519_points() {
    let key = private(Algorithm::EdDsa);
    let encode = |bytes: [u8; 32]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    let mut two = [0; 32];
    two[0] = 2;
    for (x, expected) in [
        (encode([0; 32]), "key_too_weak"),
        (encode(two), "key_invalid"),
        (encode([0xff; 32]), "key_invalid"),
        ("AAAA".into(), "key_malformed"),
        (String::new(), "key_malformed"),
    ] {
        assert_eq!(refusal(&with(&key, "x", x.clone()), None), expected, "{x}");
    }
    let other = private(Algorithm::EdDsa);
    assert_eq!(signing_refusal(&with(&key, "x", other["x"].clone())), "key_invalid");
    assert_eq!(signing_refusal(&with(&key, "d", key["x"].clone())), "key_invalid");
}

#[test]
fn rsa_numbers() {
    let key = with(&private(Algorithm::Rs256), "alg", "RS256");
    let n = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(key["n"].as_str().unwrap()).unwrap();
    let encode = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    for (jwk, expected) in [
        (with(&key, "e", "AQ"), "key_too_weak"),
        (with(&key, "e", "Ag"), "key_too_weak"),
        (with(&key, "e", "AAEAAQ"), "key_malformed"),
        (with(&key, "e", ""), "key_malformed"),
        (with(&key, "n", encode(&n[..128])), "key_too_weak"),
        (with(&key, "n", encode(&[&[0], n.as_slice()].concat())), "key_malformed"),
        (without(&key, "n"), "key_malformed"),
    ] {
        assert_eq!(refusal(&jwk, None), expected);
        assert_eq!(signing_refusal(&jwk), expected);
    }
    let other = private(Algorithm::Rs256);
    for name in ["d", "p", "q", "dp", "dq", "qi"] {
        assert_eq!(signing_refusal(&with(&key, name, other[name].clone())), "key_invalid", "{name}");
        let expected = if name == "d" { "private_key_missing" } else { "key_unsupported" };
        assert_eq!(signing_refusal(&without(&key, name)), expected, "{name}");
    }
    assert_eq!(signing_refusal(&with(&key, "oth", json!([{}]))), "key_unsupported");
}

#[test]
fn secrets() {
    let oct = |k: &str| json!({"kty": "oct", "alg": "HS256", "k": k});
    for (k, expected) in [
        ("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8", "accepted"),
        ("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLg", "key_too_weak"),
        ("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr8", "key_malformed"),
        ("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr9", "key_malformed"),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "key_well_known"),
        ("YS1zdHJpbmctc2VjcmV0LWF0LWxlYXN0LTI1Ni1iaXRzLWxvbmc", "key_well_known"),
        ("", "key_too_weak"),
    ] {
        assert_eq!(refusal(&oct(k), None), expected, "{k}");
        assert_eq!(signing_refusal(&oct(k)), expected, "{k}");
    }
    assert_eq!(signing_refusal(&json!({"kty": "oct", "alg": "HS256"})), "private_key_missing");
    assert!(SigningKey::generate(Algorithm::Hs256).unwrap().public_jwk().is_none());
    assert!(SigningKey::generate(Algorithm::Hs256).unwrap().verifying_key().thumbprint().is_none());
}
