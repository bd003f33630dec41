//! What is done with an input that somebody made up, and what must hold whatever it is.
//!
//! That nothing panics goes without saying. Beyond it each target knows what an accepted input must be like, by another
//! way than the code it tests: by `serde_json`, by a list of the tokens that were really signed, by reading back.
//!
//! libFuzzer runs these for hours (`cargo xtask fuzz`); the test `fuzz_targets` of `counterfoil-jwt` includes this file
//! and runs them for a moment on every machine.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64_simd::URL_SAFE_NO_PAD;
use counterfoil_jwt::{
    Algorithm, AlgorithmSet, KeyId, KeySet, Policy, SigningKey, UnverifiedToken, VerifyingKey, sign, verify,
    verify_signature,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

/// One target: a name, which is also that of its folder in `corpus/`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("compact", compact),
    ("header", header),
    ("claims", claims),
    ("jwk", jwk),
    ("pem", pem),
    ("verify", verify_with_keys),
];

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://a.example";
const AUDIENCE: &str = "https://b.example";
const TYPE: &str = "at+jwt";
const KEY_ID: &str = "k1";
const SECRET: &[u8] = b"\x8f\x11fuzzing only, not a real key\xfe\x07\x5a\x90\x33\x01";

static HMAC_KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let key = SigningKey::from_secret(SECRET, Algorithm::Hs256).expect("the secret is long enough");
    key.with_key_id(KeyId::new(KEY_ID).expect("a good name"))
});

fn policy(algorithms: impl Into<AlgorithmSet>) -> Policy {
    Policy::new(algorithms).issuer(ISSUER).audience(AUDIENCE).token_type(TYPE)
}

/// Any text as a token: taking it apart loses nothing, and no stranger's text is signed by us.
pub fn compact(input: &[u8]) {
    let Ok(token) = std::str::from_utf8(input) else { return };
    if let Ok(parts) = UnverifiedToken::decode(token) {
        let parts_encoded: Vec<_> = token.split('.').collect();
        let [header, payload, _] = parts_encoded[..] else { panic!("decoded, and has not three parts: {token}") };
        assert_eq!(URL_SAFE_NO_PAD.encode_to_string(parts.header_json()), header, "one spelling only");
        assert_eq!(URL_SAFE_NO_PAD.encode_to_string(parts.payload()), payload, "one spelling only");
        #[allow(clippy::zero_sized_map_values, reason = "names are wanted, values need only be JSON")]
        let members = serde_json::from_str::<BTreeMap<String, IgnoredAny>>(parts.header_json());
        assert!(members.is_ok(), "the header is a JSON object");
    }
    let accepted = verify_signature(token, HMAC_KEY.verifying_key(), &policy(Algorithm::ALL));
    if accepted.is_ok() {
        let signed = signing_input(token).expect("a token has dots");
        assert_eq!(token, with_signature(signed), "accepted, and not under our key");
    }
}

/// The input as a header, over a payload that is good, under a signature that is good.
pub fn header(input: &[u8]) {
    let payload = format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{}}}"#, NOW + 1);
    let encoded = (URL_SAFE_NO_PAD.encode_to_string(input), URL_SAFE_NO_PAD.encode_to_string(payload));
    let token = with_signature(&format!("{}.{}", encoded.0, encoded.1));
    let accepted = verify::<Value>(&token, HMAC_KEY.verifying_key(), &policy(Algorithm::Hs256), NOW);
    let Ok(verified) = accepted else { return };

    let header: KnownMembers = serde_json::from_slice(input).expect("an accepted header is a JSON object");
    assert_eq!(header.alg, "HS256");
    let typ = header.typ.to_ascii_lowercase();
    assert!(matches!(typ.as_str(), "at+jwt" | "application/at+jwt"), "{typ:?}");
    assert!(header.crit.is_none() && header.b64.is_none_or(|b64| b64 == Value::Bool(true)));
    assert!(header.kid.as_deref().is_none_or(|kid| kid == KEY_ID));
    assert_eq!(verified.header().key_id(), header.kid.as_deref());
    assert_eq!(verified.header().token_type(), Some(header.typ.as_str()));
}

/// A header as serde reads it: none of these twice, and whatever else there is need only be JSON.
#[derive(Deserialize)]
struct KnownMembers {
    alg: String,
    typ: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
    b64: Option<Value>,
}

/// The input as a payload under a good header and signature, held against `serde_json`'s idea of it.
pub fn claims(input: &[u8]) {
    let header = format!(r#"{{"alg":"HS256","typ":"{TYPE}","kid":"{KEY_ID}"}}"#);
    let encoded = (URL_SAFE_NO_PAD.encode_to_string(header), URL_SAFE_NO_PAD.encode_to_string(input));
    let token = with_signature(&format!("{}.{}", encoded.0, encoded.1));
    let parsed = parse_object(input);
    let verified = match verify::<Value>(&token, HMAC_KEY.verifying_key(), &policy(Algorithm::Hs256), NOW) {
        Ok(verified) => verified,
        Err(error) => {
            assert!(error.code() != "claims_not_json_object" || parsed.is_none(), "JSON is refused as no JSON");
            return;
        }
    };
    let parsed = parsed.expect("accepted claims are a JSON object");
    assert!(same(verified.claims(), &Value::Object(parsed.clone())), "both read the same: {:?}", verified.claims());
    assert_eq!(parsed.get("iss").and_then(Value::as_str), Some(ISSUER));
    match parsed.get("aud") {
        Some(Value::String(audience)) => assert_eq!(audience, AUDIENCE),
        Some(Value::Array(audiences)) => {
            assert!(audiences.iter().all(Value::is_string) && audiences.iter().any(|one| one == AUDIENCE));
        }
        other => panic!("accepted without an audience: {other:?}"),
    }
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    let now = NOW as f64;
    let date = |name: &str| parsed.get(name).map(|value| value.as_f64().expect("a date is a number"));
    assert!(date("exp").is_some_and(|exp| exp > now - LAST_DIGITS), "expired");
    assert!(date("nbf").is_none_or(|nbf| nbf <= now + LAST_DIGITS), "not valid yet");
    assert!(date("iat").is_none_or(|iat| iat >= 0.0));
    for name in ["sub", "jti"] {
        assert!(parsed.get(name).is_none_or(Value::is_string), "{name}");
    }
}

/// `serde_json` may be off by the last digits of a long fraction unless told to take its time (its `float_roundtrip`).
const LAST_DIGITS: f64 = 1e-6;

/// Whether two values are equal, but for the last digits of fractions.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap_or(0.0), other.as_f64().unwrap_or(0.0));
            (one - other).abs() <= one.abs() * 4.0 * f64::EPSILON
        }
        _ => one == other,
    }
}

/// Any text as a JWK and as a JWK Set. A key that is taken in can be written out, and is the same key when read back.
pub fn jwk(input: &[u8]) {
    let Ok(json) = std::str::from_utf8(input) else { return };
    for algorithm in [None, Some(Algorithm::Rs256), Some(Algorithm::Ps384), Some(Algorithm::Hs512)] {
        if let Ok(key) = VerifyingKey::from_jwk(json, algorithm) {
            assert!(algorithm.is_none_or(|algorithm| key.algorithm() == algorithm));
            reads_back(&key);
        }
        if let Ok(key) = SigningKey::from_jwk(json, algorithm) {
            reads_back(key.verifying_key());
            signs(&key);
        }
    }
    if let Ok(set) = KeySet::from_json(json, [Algorithm::Rs256, Algorithm::Hs256]) {
        assert!(set.len() + set.skipped().len() <= KeySet::MAX_KEYS);
        set.iter().for_each(reads_back);
    }
}

/// Any text as PEM.
pub fn pem(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for algorithm in [None, Some(Algorithm::Rs256), Some(Algorithm::Es384), Some(Algorithm::Hs256)] {
        if let Ok(key) = VerifyingKey::from_pem(text, algorithm) {
            assert_ne!(key.algorithm(), Algorithm::Hs256, "a public key is never a secret");
            reads_back(&key);
        }
        if let Ok(key) = SigningKey::from_pem(text, algorithm) {
            assert_ne!(key.algorithm(), Algorithm::Hs256, "a private key is never a secret");
            reads_back(key.verifying_key());
            signs(&key);
        }
    }
}

/// Any text as a token, for a verifier with keys of every kind: what is accepted was signed.
pub fn verify_with_keys(input: &[u8]) {
    let Ok(token) = std::str::from_utf8(input) else { return };
    let policy = Policy::new(Algorithm::ALL).issuer(VECTORS_ISSUER).audience(VECTORS_AUDIENCE).allow_ed25519_name();
    // The signature by itself, so that a forgery is not missed because its claims are no good.
    let mut accepted = verify_signature(token, &*KEYS, &policy).is_ok();
    accepted |= verify::<Value>(token, &*KEYS, &policy, NOW).is_ok();
    for key in KEYS.iter() {
        accepted |= verify_signature(token, key, &policy).is_ok();
    }
    if accepted {
        let signed = signing_input(token);
        assert!(GENUINE.iter().any(|genuine| signing_input(genuine) == signed), "a forgery is accepted: {token}");
    }
}

const VECTORS_ISSUER: &str = "https://interop.example";
const VECTORS_AUDIENCE: &str = "vectors";

/// Keys of every kind, each with the one token that was ever signed with it: the first inputs of the target.
const VECTORS: [&str; 12] = [
    include_str!("../../vectors/jws/node-hs256.json"),
    include_str!("../../vectors/jws/node-hs384.json"),
    include_str!("../../vectors/jws/node-hs512.json"),
    include_str!("../../vectors/jws/node-rs256.json"),
    include_str!("../../vectors/jws/node-rs384.json"),
    include_str!("../../vectors/jws/node-rs512.json"),
    include_str!("../../vectors/jws/node-ps256.json"),
    include_str!("../../vectors/jws/node-ps384.json"),
    include_str!("../../vectors/jws/node-ps512.json"),
    include_str!("../../vectors/jws/node-es256.json"),
    include_str!("../../vectors/jws/node-es384.json"),
    include_str!("../../vectors/jws/node-eddsa.json"),
];

fn vectors() -> impl Iterator<Item = Value> {
    VECTORS.into_iter().map(|json| serde_json::from_str(json).expect("a vector is JSON"))
}

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let load = |vector: Value| {
        let algorithm = vector["algorithm"].as_str().and_then(|name| name.parse().ok());
        VerifyingKey::from_jwk(&vector["key"].to_string(), algorithm).expect("a vector has a good key")
    };
    let keys: KeySet = vectors().map(load).collect();
    assert_eq!(keys.len(), VECTORS.len());
    keys
});

static GENUINE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let policy = Policy::new(Algorithm::ALL).issuer(VECTORS_ISSUER).audience(VECTORS_AUDIENCE);
    let genuine = vectors().map(|vector| vector["token"].as_str().expect("a vector has a token").to_owned());
    genuine.inspect(|token| assert!(verify::<Value>(token, &*KEYS, &policy, NOW).is_ok(), "{token}")).collect()
});

fn signing_input(token: &str) -> Option<&str> {
    token.rsplit_once('.').map(|(signing_input, _)| signing_input)
}

fn with_signature(signing_input: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signing_input.as_bytes());
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode_to_string(tag))
}

fn parse_object(json: &[u8]) -> Option<serde_json::Map<String, Value>> {
    serde_json::from_slice(json).ok()
}

fn reads_back(key: &VerifyingKey) {
    let Some(public) = key.public_jwk() else {
        assert!(matches!(key.algorithm(), Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512));
        return;
    };
    let json = serde_json::to_string(&public).expect("a key can be written");
    let again = VerifyingKey::from_jwk(&json, None).expect("what we write we can read");
    assert_eq!((again.algorithm(), again.thumbprint()), (key.algorithm(), key.thumbprint()));
    assert_eq!(again.key_id(), key.key_id());
}

fn signs(key: &SigningKey) {
    let token = sign(key, TYPE, &serde_json::json!({"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 1}));
    let token = token.expect("a key that is taken in can sign");
    verify::<Value>(&token, key.verifying_key(), &policy(key.algorithm()), NOW).expect("what we sign is good");
}
