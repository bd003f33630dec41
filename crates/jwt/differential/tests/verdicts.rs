//! The same tokens before three judges. They may disagree only where it is said why, and what is said must happen.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use base64_simd::URL_SAFE_NO_PAD;
use counterfoil_jwt::{Algorithm, Policy, PublicPem, Signer, SigningKey, sign, verify};
use josekit::jws::{ES256, EdDSA, HS256, JwsHeader, JwsVerifier, RS256};
use josekit::jwt::JwtPayloadValidator;
use jsonwebtoken::{DecodingKey, EncodingKey, Validation};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Far from the present on both sides, since one of the judges looks at the machine's clock: nothing here hangs on it.
const BEGUN: u64 = 1_000_000_000;
const ENDS: u64 = 40_000_000_000;
const NOW: u64 = 1_800_000_000;

/// Our verdict, who has another, and why that is so.
const EXPLAINED: &[(&str, &str, &str)] = &[
    ("duplicate_member", "jsonwebtoken", "takes the last of two header members and of two unregistered claims"),
    ("duplicate_member", "josekit", "takes the last of two members (RFC 7519 section 4 lets it)"),
    ("too_deep", "jsonwebtoken", "goes as deep as serde_json does, 128 levels"),
    ("too_deep", "josekit", "goes as deep as serde_json does, 128 levels"),
    ("too_large", "jsonwebtoken", "sets no limit"),
    ("too_large", "josekit", "sets no limit"),
    ("claim_wrong_type", "jsonwebtoken", "looks only at the claims that it was told to validate"),
    ("critical_header_malformed", "jsonwebtoken", "does not read `crit`"),
    ("critical_header_unsupported", "jsonwebtoken", "does not read `crit`"),
    ("critical_header_malformed", "josekit", "lets an empty list pass (RFC 7515 section 4.1.11 does not)"),
    ("unencoded_payload", "jsonwebtoken", "does not read `b64`"),
    ("unencoded_payload", "josekit", "takes `b64` without `crit` for a private member"),
    ("header_member_wrong_type", "jsonwebtoken", "does not read `b64`"),
    ("header_member_wrong_type", "josekit", "takes `b64` without `crit` for a private member"),
    ("unknown_key", "jsonwebtoken", "was given one key, and does not ask whether the token means another"),
    ("unknown_key", "josekit", "was given one key without a name, and does not ask whether the token means another"),
    ("accepted", "jsonwebtoken", "reads header members that it has no use for, and refuses those of another shape"),
    ("accepted", "josekit", "reads header members that it has no use for, and refuses those of another shape"),
];

struct Judges {
    key: SigningKey,
    policy: Policy,
    jsonwebtoken: (DecodingKey, Validation),
    josekit: Box<dyn JwsVerifier + Send + Sync>,
}

static JUDGES: LazyLock<Vec<Judges>> = LazyLock::new(|| {
    [Algorithm::Hs256, Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256].into_iter().map(Judges::new).collect()
});

impl Judges {
    fn new(algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm).unwrap();
        let pem = key.verifying_key().to_public_pem(PublicPem::SubjectPublicKeyInfo).unwrap_or_default();
        let pem = pem.as_bytes();
        let secret = secret(&key);
        let (decoding, josekit): (_, Box<dyn JwsVerifier + Send + Sync>) = match algorithm {
            Algorithm::Hs256 => {
                (DecodingKey::from_secret(&secret), Box::new(HS256.verifier_from_bytes(&secret).unwrap()))
            }
            Algorithm::Es256 => {
                (DecodingKey::from_ec_pem(pem).unwrap(), Box::new(ES256.verifier_from_pem(pem).unwrap()))
            }
            Algorithm::EdDsa => {
                (DecodingKey::from_ed_pem(pem).unwrap(), Box::new(EdDSA.verifier_from_pem(pem).unwrap()))
            }
            _ => (DecodingKey::from_rsa_pem(pem).unwrap(), Box::new(RS256.verifier_from_pem(pem).unwrap())),
        };
        let mut validation = Validation::new(algorithm.name().parse().unwrap());
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_issuer(&["issuer"]);
        validation.set_audience(&["audience"]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let policy = Policy::new(algorithm).issuer("issuer").audience("audience");
        Self { key, policy, jsonwebtoken: (decoding, validation), josekit }
    }

    fn ours(&self, token: &str) -> Result<Value, &'static str> {
        verify::<Value>(token, self.key.verifying_key(), &self.policy, NOW)
            .map(counterfoil_jwt::Verified::into_inner)
            .map_err(|refusal| refusal.code())
    }

    fn jsonwebtoken(&self, token: &str) -> Option<Value> {
        jsonwebtoken::decode(token, &self.jsonwebtoken.0, &self.jsonwebtoken.1).ok().map(|token| token.claims)
    }

    fn josekit(&self, token: &str) -> Option<Value> {
        let (payload, _) = josekit::jwt::decode_with_verifier(token, &*self.josekit).ok()?;
        let mut validator = JwtPayloadValidator::new();
        validator.set_issuer("issuer");
        validator.set_audience("audience");
        validator.set_base_time(UNIX_EPOCH + Duration::from_secs(NOW));
        validator.validate(&payload).ok()?;
        // It asks for none of these to be there; whoever uses it must, so we do it in its name.
        (payload.expires_at()?, payload.issuer()?, payload.audience()?);
        Some(Value::Object(payload.into()))
    }

    /// The disagreements about one token: our verdict, and who has another.
    fn disagreements(&self, token: &str) -> BTreeSet<(&'static str, &'static str)> {
        let ours = self.ours(token);
        let theirs = [("jsonwebtoken", self.jsonwebtoken(token)), ("josekit", self.josekit(token))];
        let disagreeing = theirs.into_iter().filter(|(_, theirs)| theirs.as_ref() != ours.as_ref().ok());
        disagreeing.map(|(name, _)| (ours.as_ref().err().copied().unwrap_or("accepted"), name)).collect()
    }

    /// Every disagreement must be one of those explained above.
    fn compare(&self, token: &str) {
        for (verdict, other) in self.disagreements(token) {
            let why = EXPLAINED.iter().find(|(known, name, _)| (*known, *name) == (verdict, other));
            assert!(why.is_some(), "unexplained: we say {verdict}, {other} disagrees: {token}");
        }
    }
}

fn secret(key: &SigningKey) -> Vec<u8> {
    let jwk: Value = serde_json::from_str(&key.to_private_jwk().unwrap()).unwrap();
    jwk["k"].as_str().map(|k| URL_SAFE_NO_PAD.decode_to_vec(k).unwrap()).unwrap_or_default()
}

/// Signs two parts as they are. HMAC alone allows it by hand; the others sign through a signer and keep its header.
fn seal(judges: &Judges, header: &str, claims: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode_to_string(text);
    let secret = secret(&judges.key);
    let input = format!("{}.{}", encode(header), encode(claims));
    let key = HS256.signer_from_bytes(&secret).unwrap();
    let tag = josekit::jws::JwsSigner::sign(&key, input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode_to_string(tag))
}

fn claims() -> Value {
    json!({"iss": "issuer", "aud": ["audience"], "sub": "alice", "exp": ENDS, "nbf": BEGUN, "iat": BEGUN, "jti": "1"})
}

#[test]
fn what_one_signs_all_accept() {
    for judges in JUDGES.iter() {
        let algorithm = judges.key.algorithm();
        let token = sign(&judges.key, "JWT", &claims()).unwrap();
        assert_eq!(judges.ours(&token), Ok(claims()), "{algorithm}");
        judges.compare(&token);
    }
    let judges = &JUDGES[0];
    let secret = secret(&judges.key);
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    let token = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&secret)).unwrap();
    assert_eq!(judges.ours(&token), Ok(claims()));
    let signer = HS256.signer_from_bytes(&secret).unwrap();
    let Value::Object(map) = claims() else { unreachable!() };
    let payload = josekit::jwt::JwtPayload::from_map(map).unwrap();
    let token = josekit::jwt::encode_with_signer(&payload, &JwsHeader::new(), &signer).unwrap();
    assert_eq!(judges.ours(&token), Ok(claims()));
}

fn changed_claims() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        Just(json!(null)),
        Just(json!("text")),
        Just(json!(-1)),
        Just(json!([])),
        Just(json!({})),
        Just(json!(["audience"])),
        Just(json!("audience")),
        Just(json!("issuer")),
        Just(json!(ENDS)),
        Just(json!(BEGUN)),
        Just(json!(true)),
        Just(json!(0)),
        Just(json!(["a", 1])),
    ];
    ("iss|aud|sub|exp|nbf|iat|jti|x", proptest::option::of(odd)).prop_map(|(name, value)| {
        let mut claims = claims();
        let members = claims.as_object_mut().unwrap();
        match value {
            Some(value) => members.insert(name, value),
            None => members.remove(&name),
        };
        claims.to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// One character changed, added or taken away, anywhere.
    #[test]
    fn mutated_tokens(which in 0..4_usize, place in any::<prop::sample::Index>(), kind in 0..3, with in "[A-Za-z0-9_.=+/ -]") {
        let judges = &JUDGES[which];
        let mut token = sign(&judges.key, "JWT", &claims()).unwrap();
        let place = place.index(token.len());
        match kind {
            0 => token.replace_range(place..=place, &with),
            1 => token.insert_str(place, &with),
            _ => drop(token.remove(place)),
        }
        judges.compare(&token);
    }

    /// Properly signed, with something odd among the claims.
    #[test]
    fn odd_claims(which in 0..4_usize, claims in changed_claims(), twice in any::<bool>()) {
        let judges = &JUDGES[which];
        let text = if twice { claims.replacen('{', "{\"y\":1,\"y\":2,", 1) } else { claims };
        judges.compare(&Signer::new(&judges.key).token_type("JWT").sign_bytes(text.as_bytes()).unwrap());
    }
}

/// Properly signed, with something odd in the header or the JSON.
#[test]
fn odd_headers_and_json() {
    let judges = &JUDGES[0];
    let plain = claims().to_string();
    let mut happened = BTreeSet::new();
    for header in [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#" {"alg" : "HS256"} "#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"ES256"}"#,
        "{}",
        "[]",
        "null",
        "",
        r#"{"alg":"HS256"}x"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","x":1,"x":2}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":["alg"]}"#,
        r#"{"alg":"HS256","crit":"exp"}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"HS256","b64":1}"#,
        r#"{"alg":"HS256","kid":"x"}"#,
        r#"{"alg":"HS256","kid":1}"#,
        r#"{"alg":"HS256","typ":1}"#,
        r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}"#,
        r#"{"alg":"HS256","jku":"https://evil.example"}"#,
        r#"{"alg":"HS256","x5c":"not an array"}"#,
        r#"{"alg":"HS256","jwk":1}"#,
        r#"{"alg":"HS256","private":[1]}"#,
    ] {
        let found = judges.disagreements(&seal(judges, header, &plain));
        println!("{header}: {found:?}");
        happened.extend(found);
    }
    let header = r#"{"alg":"HS256"}"#;
    for claims in [
        plain.replacen('{', &format!("{{\"x\":{}{},", "[".repeat(20), "]".repeat(20)), 1),
        plain.replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(20_000)), 1),
        plain.replacen('{', "{\"exp\":1,", 1),
        plain.replacen('{', "{\"x\":{\"a\":1,\"a\":2},", 1),
        format!("{plain} "),
        format!("{plain}x"),
        format!("[{plain}]"),
        String::new(),
        "null".into(),
        plain.replace(&ENDS.to_string(), "4e10"),
        plain.replace(&ENDS.to_string(), "40000000000.5"),
        plain.replace(&ENDS.to_string(), "1e999"),
        plain.replace(&ENDS.to_string(), "NaN"),
        plain.replace("\"jti\":\"1\"", "\"jti\":1"),
        plain.replace(&BEGUN.to_string(), &ENDS.to_string()),
        plain.replace("\"alice\"", "\"\\ud800\""),
    ] {
        let found = judges.disagreements(&seal(judges, header, &claims));
        println!("{}: {found:?}", claims.get(..200).unwrap_or(&claims));
        happened.extend(found);
    }
    // No more than is explained, and no explanation of what does not happen.
    assert_eq!(happened, EXPLAINED.iter().map(|(verdict, other, _)| (*verdict, *other)).collect());
}
