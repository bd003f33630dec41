//! Each known attack on a token, and the code that it is refused with.
//!
//! The forger here is strong: it holds the real key, so that every refusal below is for the reason named and not merely
//! for a bad signature. Where an attack is about having no key, it signs with what it would have.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "helpers of tests fail loudly too")]

use aws_lc_rs::hmac;
use base64_simd::URL_SAFE_NO_PAD;
use counterfoil_jwt::{Algorithm, KeySet, Policy, SigningKey, UnverifiedToken, VerifyingKey, sign, verify};
use serde_json::{Value, json};

const NOW: u64 = 1_750_000_000;
const SECRET: &[u8] = b"\x11only for these tests, 32 or more bytes\x93";
const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;
const CLAIMS: &str = r#"{"iss":"https://login.example","aud":["https://api.example"],"sub":"alice","exp":1750000060,"nbf":1749999990,"iat":1749999990,"jti":"1"}"#;

fn policy() -> Policy {
    Policy::new([Algorithm::Hs256, Algorithm::Es256])
        .issuer("https://login.example")
        .audience("https://api.example")
        .token_type("at+jwt")
}

fn key() -> VerifyingKey {
    SigningKey::from_secret(SECRET, Algorithm::Hs256).unwrap().verifying_key().clone()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Signs two parts as they are, however odd.
fn seal(header: &str, payload: &str) -> String {
    let input = format!("{header}.{payload}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), input.as_bytes());
    format!("{input}.{}", b64(tag))
}

fn forge(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    seal(&b64(header), &b64(claims))
}

fn code(token: &str) -> &'static str {
    verify::<Value>(token, &key(), &policy(), NOW).err().map_or("accepted", |refusal| refusal.code())
}

#[test]
fn the_honest_token_is_accepted() {
    assert_eq!(code(&forge(HEADER, CLAIMS)), "accepted");
}

#[test]
fn headers() {
    for (header, expected) in [
        (r#"{"alg":"none","typ":"at+jwt"}"#, "algorithm_none"),
        (r#"{"alg":"NonE","typ":"at+jwt"}"#, "algorithm_none"),
        (r#"{"alg":"","typ":"at+jwt"}"#, "algorithm_not_allowed"),
        (r#"{"alg":"hs256","typ":"at+jwt"}"#, "algorithm_not_allowed"),
        (r#"{"alg":"HS384","typ":"at+jwt"}"#, "algorithm_not_allowed"),
        (r#"{"alg":"RS256","typ":"at+jwt"}"#, "algorithm_not_allowed"),
        (r#"{"alg":"ES256","typ":"at+jwt"}"#, "key_algorithm_mismatch"),
        (r#"{"typ":"at+jwt"}"#, "algorithm_missing"),
        (r#"{"alg":256,"typ":"at+jwt"}"#, "header_member_wrong_type"),
        (r#"{"alg":"HS256"}"#, "type_mismatch"),
        (r#"{"alg":"HS256","typ":"JWT"}"#, "type_mismatch"),
        (r#"{"alg":"HS256","typ":"logout+jwt"}"#, "type_mismatch"),
        (r#"{"alg":"HS256","typ":"application/at+jwt"}"#, "accepted"),
        (r#"{"alg":"HS256","typ":"AT+JWT"}"#, "accepted"),
        (r#"{"alg":"HS256","typ":["at+jwt"]}"#, "header_member_wrong_type"),
        (r#"{"alg":"HS256","typ":"at+jwt","crit":["exp"],"exp":1}"#, "critical_header_unsupported"),
        (r#"{"alg":"HS256","typ":"at+jwt","crit":[]}"#, "critical_header_malformed"),
        (r#"{"alg":"HS256","typ":"at+jwt","crit":{}}"#, "critical_header_malformed"),
        (r#"{"alg":"HS256","typ":"at+jwt","crit":["alg"]}"#, "critical_header_malformed"),
        (r#"{"alg":"HS256","typ":"at+jwt","b64":false,"crit":["b64"]}"#, "unencoded_payload"),
        (r#"{"alg":"HS256","typ":"at+jwt","b64":false}"#, "unencoded_payload"),
        (r#"{"alg":"HS256","alg":"none","typ":"at+jwt"}"#, "duplicate_member"),
        (r#"{"alg":"HS256","\u0061lg":"none","typ":"at+jwt"}"#, "duplicate_member"),
        (r#"{"alg":"HS256","typ":"at+jwt","x":{"a":[{"b":1,"b":2}]}}"#, "duplicate_member"),
        (r#"{"alg":"HS256","typ":"at+jwt"}{}"#, "header_not_json_object"),
        (r#"{"alg":"HS256","typ":"at+jwt"} x"#, "header_not_json_object"),
        ("{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}\0", "header_not_json_object"),
        ("\u{feff}{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", "header_not_json_object"),
        (r#"["HS256"]"#, "header_not_json_object"),
        (r#""HS256""#, "header_not_json_object"),
        ("", "header_not_json_object"),
        // Keys that the token brings along, or says where to fetch, change nothing: the configured key decides.
        (r#"{"alg":"HS256","typ":"at+jwt","jwk":{"kty":"oct","k":"AAAA"},"jku":"https://evil.example/k"}"#, "accepted"),
        (r#"{"alg":"HS256","typ":"at+jwt","x5u":"https://evil.example/c","x5c":["AAAA"]}"#, "accepted"),
        // A key id is only compared: nothing opens the file or asks the database.
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"../../../dev/null"}"#, "accepted"),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"' OR 1=1 --"}"#, "accepted"),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":{"$ne":null}}"#, "header_member_wrong_type"),
    ] {
        assert_eq!(code(&forge(header, CLAIMS)), expected, "{header}");
    }
    assert_eq!(code(&forge(b"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"x\":\"\xff\"}", CLAIMS)), "not_utf8");
}

#[test]
fn claims() {
    let with = |name: &str, value: Value| {
        let mut claims: Value = serde_json::from_str(CLAIMS).unwrap();
        claims[name] = value;
        claims.to_string()
    };
    let without = |name: &str| {
        let mut claims: Value = serde_json::from_str(CLAIMS).unwrap();
        claims.as_object_mut().unwrap().remove(name);
        claims.to_string()
    };
    for (claims, expected) in [
        (with("exp", json!(NOW)), "token_expired"),
        (with("exp", json!(NOW - 1)), "token_expired"),
        (with("exp", json!(1_750_000_000.5)), "accepted"),
        (with("exp", json!("9999999999")), "claim_wrong_type"),
        (with("exp", Value::Null), "claim_wrong_type"),
        (with("exp", json!(-1)), "claim_wrong_type"),
        (with("exp", json!(1e300)), "claim_wrong_type"),
        (without("exp"), "claim_missing"),
        (with("nbf", json!(NOW + 1)), "token_not_yet_valid"),
        (with("nbf", json!(NOW)), "accepted"),
        (with("nbf", json!([])), "claim_wrong_type"),
        (without("nbf"), "accepted"),
        (with("iat", json!("yesterday")), "claim_wrong_type"),
        (with("iss", json!("https://login.example/")), "issuer_mismatch"),
        (with("iss", json!("https://LOGIN.example")), "issuer_mismatch"),
        (with("iss", json!(["https://login.example"])), "claim_wrong_type"),
        (without("iss"), "claim_missing"),
        (with("aud", json!("https://api.example")), "accepted"),
        (with("aud", json!(["x", "https://api.example"])), "accepted"),
        (with("aud", json!("https://api.example.evil.example")), "audience_mismatch"),
        (with("aud", json!([])), "audience_mismatch"),
        (with("aud", json!(["https://api.example", 7])), "claim_wrong_type"),
        (with("aud", json!({"https://api.example": true})), "claim_wrong_type"),
        (without("aud"), "claim_missing"),
        (with("sub", json!(7)), "claim_wrong_type"),
        (with("jti", json!(["1"])), "claim_wrong_type"),
        (CLAIMS.replace("\"sub\"", "\"exp\":9999999999,\"sub\""), "duplicate_member"),
        (CLAIMS.replace("\"sub\"", "\"\\u0065xp\":9999999999,\"sub\""), "duplicate_member"),
        (CLAIMS.replace("\"alice\"", "\"alice\",\"cnf\":{\"jkt\":1,\"jkt\":2}"), "duplicate_member"),
        (format!("{CLAIMS}{CLAIMS}"), "claims_not_json_object"),
        (format!("{CLAIMS}\n"), "accepted"),
        (format!("{CLAIMS};"), "claims_not_json_object"),
        (format!("[{CLAIMS}]"), "claims_not_json_object"),
        ("null".into(), "claims_not_json_object"),
        (String::new(), "claims_not_json_object"),
        (CLAIMS.replace("\"1\"", "NaN"), "claims_not_json_object"),
        (CLAIMS.replace("\"1\"", "'1'"), "claims_not_json_object"),
        (CLAIMS.replace("\"alice\"", "\"\\ud800\""), "claims_not_json_object"),
        (CLAIMS.replace("1750000060", "1750000060,\"x\":1e999"), "claims_do_not_fit"),
        (CLAIMS.replace("\"alice\"", &format!("\"alice\",\"x\":{}{}", "[".repeat(15), "]".repeat(15))), "accepted"),
        (CLAIMS.replace("\"alice\"", &format!("\"alice\",\"x\":{}{}", "[".repeat(16), "]".repeat(16))), "too_deep"),
        (CLAIMS.replace("\"alice\"", &format!("\"alice\",\"x\":{}", "{\"a\":".repeat(2000))), "too_deep"),
    ] {
        assert_eq!(code(&forge(HEADER, &claims)), expected, "{claims}");
    }
    assert_eq!(code(&forge(HEADER, b"{\"exp\":9999999999,\"sub\":\"\xc3\x28\"}")), "not_utf8");
    // A token inside a token is not unwrapped (RFC 7519 §5.2).
    let nested = forge(r#"{"alg":"HS256","typ":"at+jwt","cty":"JWT"}"#, forge(HEADER, CLAIMS));
    assert_eq!(code(&nested), "claims_not_json_object");
}

#[test]
fn spellings() {
    let (header, claims) = (b64(HEADER), b64(CLAIMS));
    let token = seal(&header, &claims);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let last = |text: &str, replacement: char| format!("{}{replacement}", &text[..text.len() - 1]);
    // 43 characters for 32 bytes: the last one carries two unused bits, and its four successors spell the same bytes.
    let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
    let place = alphabet.iter().position(|c| signature.ends_with(*c)).unwrap();
    for (token, expected) in [
        (String::new(), "not_a_compact_jws"),
        (".".into(), "not_a_compact_jws"),
        ("..".into(), "header_not_json_object"),
        (input.into(), "not_a_compact_jws"),
        (format!("{token}."), "not_a_compact_jws"),
        (format!(".{token}"), "not_a_compact_jws"),
        (format!("{token}.a.b"), "encrypted_token"),
        ("eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA".into(), "encrypted_token"),
        (json!({"payload": claims, "protected": header, "signature": signature}).to_string(), "not_a_compact_jws"),
        (format!("{input}."), "signature_invalid"),
        (format!("{input}.{}", &signature[..24]), "signature_invalid"),
        (format!("{input}.{signature}{signature}"), "base64url_not_canonical"),
        (format!("{input}.{signature}="), "base64url_not_canonical"),
        (format!("{input}.{}", last(signature, alphabet[place + 1])), "base64url_not_canonical"),
        (format!("{input}.{} ", last(signature, ' ')), "base64url_not_canonical"),
        (format!(" {token}"), "base64url_not_canonical"),
        (format!("{token}\n"), "base64url_not_canonical"),
        (format!("Bearer {token}"), "base64url_not_canonical"),
        (token.replacen('.', "\n.", 1), "base64url_not_canonical"),
        (seal(&format!("{header}="), &claims), "base64url_not_canonical"),
        (seal(&header, &format!("{claims}=")), "base64url_not_canonical"),
        (seal(&header, &format!("{claims}==")), "base64url_not_canonical"),
        (seal(&header, &format!("{claims} ")), "base64url_not_canonical"),
        (seal(&header, &format!("{}\n{}", &claims[..8], &claims[8..])), "base64url_not_canonical"),
        (seal(&header, "eyJhIjoxfR"), "base64url_not_canonical"),
        (seal(&header, "eyJhIjoiPz8_In1+"), "base64url_not_canonical"),
        (seal(&header, "A"), "base64url_not_canonical"),
        (seal(&header, "é"), "base64url_not_canonical"),
    ] {
        assert_eq!(code(&token), expected, "{token}");
    }
}

#[test]
fn sizes() {
    let padded = |bytes: usize| forge(HEADER, CLAIMS.replace("\"1\"", &format!("\"{}\"", "x".repeat(bytes))));
    assert_eq!(code(&padded(11_000)), "accepted");
    assert_eq!(code(&padded(13_000)), "too_large");
    let header = |bytes: usize| HEADER.replace('}', &format!(",\"x\":\"{}\"}}", "x".repeat(bytes)));
    assert_eq!(code(&forge(header(300), CLAIMS)), "accepted");
    assert_eq!(code(&forge(header(350), CLAIMS)), "accepted");
    assert_eq!(code(&forge(header(3_000), CLAIMS)), "accepted");
    assert_eq!(code(&forge(header(3_100), CLAIMS)), "too_large");
    assert_eq!(code(&format!("{}.{}.{}", b64(HEADER), b64(CLAIMS), "A".repeat(2_000))), "signature_invalid");
    let dots = ".".repeat(100_000);
    assert_eq!(code(&dots), "too_large");
}

/// RFC 8725 §2.1: the public key, which everybody has, as an HMAC secret, in every form it is handed around in.
#[test]
fn a_public_key_never_verifies_an_hmac() {
    let signing = SigningKey::generate(Algorithm::Rs256).unwrap();
    let public = signing.verifying_key();
    let policy = Policy::new([Algorithm::Rs256, Algorithm::Hs256]).allow_missing_expiry();
    let jwk = serde_json::to_value(signing.public_jwk()).unwrap();
    for secret in [jwk.to_string(), jwk["n"].as_str().unwrap().to_owned()] {
        let input = format!("{}.{}", b64(r#"{"alg":"HS256"}"#), b64("{}"));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), input.as_bytes());
        let token = format!("{input}.{}", b64(tag));
        let set: KeySet = [public.clone()].into_iter().collect();
        let outcomes =
            [verify::<Value>(&token, public, &policy, NOW).err(), verify::<Value>(&token, &set, &policy, NOW).err()];
        for refusal in outcomes {
            assert_eq!(refusal.unwrap().code(), "key_algorithm_mismatch");
        }
    }
    assert_eq!(
        SigningKey::from_secret(jwk.to_string().as_bytes(), Algorithm::Hs256).err().unwrap().code(),
        "key_document_as_secret"
    );
}

/// One RSA key is good for six algorithms, and still only for the one it was loaded for.
#[test]
fn an_rsa_key_keeps_to_its_padding() {
    let signing = SigningKey::generate(Algorithm::Ps256).unwrap();
    let token = sign(&signing, "JWT", &json!({})).unwrap();
    let jwk = serde_json::to_string(&signing.public_jwk()).unwrap().replace("PS256", "RS256");
    let other = VerifyingKey::from_jwk(&jwk, None).unwrap();
    let policy = Policy::new([Algorithm::Ps256, Algorithm::Rs256]).allow_missing_expiry();
    assert!(verify::<Value>(&token, signing.verifying_key(), &policy, NOW).is_ok());
    let refusal = verify::<Value>(&token, &other, &policy, NOW).err().unwrap();
    assert_eq!(refusal.code(), "key_algorithm_mismatch");
}

/// Signatures that a careless implementation takes for good ones (FIPS 186-5, RFC 8032 §5.1.7).
#[test]
fn degenerate_signatures() {
    for (algorithm, widths) in [(Algorithm::Es256, 64), (Algorithm::Es384, 96), (Algorithm::EdDsa, 64)] {
        let signing = SigningKey::generate(algorithm).unwrap();
        let policy = Policy::new(algorithm).allow_missing_expiry();
        let token = sign(&signing, "JWT", &json!({})).unwrap();
        let (input, good) = token.rsplit_once('.').unwrap();
        let good = URL_SAFE_NO_PAD.decode_to_vec(good).unwrap();
        assert_eq!(good.len(), widths);
        let half = widths / 2;
        let mut one_zero = good.clone();
        one_zero[half..].fill(0);
        let mut zero_one = good.clone();
        zero_one[..half].fill(0);
        let asn1 = {
            let mut asn1 = vec![0x30, (widths + 4) as u8, 2, half as u8];
            asn1.extend_from_slice(&good[..half]);
            asn1.extend_from_slice(&[2, half as u8]);
            asn1.extend_from_slice(&good[half..]);
            asn1
        };
        for (name, signature) in [
            ("empty", vec![]),
            ("zeros", vec![0; widths]),
            ("all ones", vec![0xff; widths]),
            ("s = 0", one_zero),
            ("r = 0", zero_one),
            ("short", good[..widths - 1].to_vec()),
            ("long", [good.as_slice(), &[0]].concat()),
            ("leading zero", [&[0], good.as_slice()].concat()),
            ("ASN.1", asn1),
        ] {
            let forged = format!("{input}.{}", b64(&signature));
            let outcome = verify::<Value>(&forged, signing.verifying_key(), &policy, NOW).err();
            assert_eq!(outcome.map(|refusal| refusal.code()), Some("signature_invalid"), "{algorithm}: {name}");
        }
    }
}

/// s + L spells the same Ed25519 signature a second time, and r + n or s + n an ECDSA one: out of range, refused.
#[test]
fn out_of_range_signatures() {
    // The group orders, big-endian.
    const L: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
    const N256: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let number = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    };
    let add = |a: &[u8], b: &[u8]| -> (Vec<u8>, bool) {
        let mut carry = 0;
        let mut sum: Vec<u8> = a
            .iter()
            .rev()
            .zip(b.iter().rev())
            .map(|(x, y)| {
                carry += u16::from(*x) + u16::from(*y);
                let byte = carry as u8;
                carry >>= 8;
                byte
            })
            .collect();
        sum.reverse();
        (sum, carry != 0)
    };

    let signing = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let policy = Policy::new(Algorithm::EdDsa).allow_missing_expiry();
    let token = sign(&signing, "JWT", &json!({})).unwrap();
    let (input, good) = token.rsplit_once('.').unwrap();
    let good = URL_SAFE_NO_PAD.decode_to_vec(good).unwrap();
    let big_endian: Vec<u8> = good[32..].iter().rev().copied().collect();
    let (mut shifted, overflow) = add(&big_endian, &number(L));
    assert!(!overflow);
    shifted.reverse();
    let forged = format!("{input}.{}", b64([&good[..32], &shifted].concat()));
    assert_eq!(
        verify::<Value>(&forged, signing.verifying_key(), &policy, NOW).err().unwrap().code(),
        "signature_invalid"
    );

    // n itself, which is zero once reduced, in either place.
    let signing = SigningKey::generate(Algorithm::Es256).unwrap();
    let policy = Policy::new(Algorithm::Es256).allow_missing_expiry();
    let token = sign(&signing, "JWT", &json!({})).unwrap();
    let (input, good) = token.rsplit_once('.').unwrap();
    let good = URL_SAFE_NO_PAD.decode_to_vec(good).unwrap();
    for signature in [[number(N256), good[32..].to_vec()].concat(), [good[..32].to_vec(), number(N256)].concat()] {
        let forged = format!("{input}.{}", b64(signature));
        assert_eq!(
            verify::<Value>(&forged, signing.verifying_key(), &policy, NOW).err().unwrap().code(),
            "signature_invalid"
        );
    }
}

/// A refusal is logged; what was refused must not be.
#[test]
fn messages_never_echo_the_token() {
    let marker = "cafe-marker-babe";
    let echo = |text: &str| text.contains(marker);
    let header = format!(r#"{{"alg":"{marker}","typ":"{marker}","kid":"{marker}"}}"#);
    let claims = format!(r#"{{"iss":"{marker}","aud":"{marker}","sub":7,"exp":"{marker}"}}"#);
    for token in [forge(&header, CLAIMS), forge(HEADER, &claims), marker.into(), format!("{marker}.{marker}.{marker}")]
    {
        let refusal = verify::<Value>(&token, &key(), &policy(), NOW).err().unwrap();
        assert!(!echo(&refusal.to_string()) && !echo(&format!("{refusal:?}")), "{refusal}");
    }
    assert!(!echo(&format!("{:?}", UnverifiedToken::decode(marker).err())));
    let secret = format!("{marker}-0123456789-9876543210-{marker}");
    let key = SigningKey::from_secret(secret.as_bytes(), Algorithm::Hs256).unwrap();
    assert!(!echo(&format!("{:?}", key.verifying_key())));
}
