//! HMAC secrets (RFC 7518 §3.2): the one family where whoever verifies can also sign.

use aws_lc_rs::hmac;

use crate::algorithm::{Algorithm, Family};
use crate::{Error, base64url, der};

/// Checks a secret and prepares it; the library keeps the two hash states, not the bytes.
pub(super) fn key(algorithm: Algorithm, secret: &[u8]) -> Result<hmac::Key, Error> {
    if is_standard_example(secret) { Err(Error::KeyWellKnown) } else { key_or_example(algorithm, secret) }
}

/// The same, and the standards' own examples are let in.
pub(super) fn key_or_example(algorithm: Algorithm, secret: &[u8]) -> Result<hmac::Key, Error> {
    let hash = hash(algorithm).ok_or(Error::KeyNotForThisUse("a secret needs an HMAC algorithm"))?;
    refuse_documents(secret)?;
    if is_well_known(secret) {
        return Err(Error::KeyWellKnown);
    }
    // RFC 7518 §3.2: at least as long as the hash output.
    if secret.len() < hash.digest_algorithm().output_len() {
        return Err(Error::KeyTooWeak("the secret is shorter than the hash output"));
    }
    if is_trivial(secret) {
        return Err(Error::KeyWellKnown);
    }
    Ok(hmac::Key::new(hash, secret))
}

/// How long a generated secret is: as long as the hash output, which is as strong as the algorithm gets.
pub(super) fn generated_len(algorithm: Algorithm) -> usize {
    hash(algorithm).map_or(0, |hash| hash.digest_algorithm().output_len())
}

fn hash(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::Hs256 => Some(hmac::HMAC_SHA256),
        Algorithm::Hs384 => Some(hmac::HMAC_SHA384),
        Algorithm::Hs512 => Some(hmac::HMAC_SHA512),
        _ => {
            debug_assert_ne!(algorithm.family(), Family::Hmac);
            None
        }
    }
}

/// RFC 8725 §2.1: the oldest attack on JWTs signs with a public key as the secret. Types keep the two apart inside this
/// crate; this refuses the file that was put in the wrong place before it gets a type.
fn refuse_documents(secret: &[u8]) -> Result<(), Error> {
    let text = secret.trim_ascii_start();
    let is_text_document = text.starts_with(b"-----BEGIN ")
        || text.starts_with(b"ssh-")
        || text.starts_with(b"ecdsa-sha2-")
        || text.starts_with(b"{") && text.windows(5).any(|five| five == b"\"kty\"");
    let is_der_document = der::subject_public_key(secret).is_some()
        || der::private_key_info(secret).is_some()
        || der::rsa_public(secret).is_some();
    if is_text_document || is_der_document { Err(Error::KeyDocumentAsSecret) } else { Ok(()) }
}

/// A secret that is one short piece over and over: zeros, or `secret` typed until it was long enough.
fn is_trivial(secret: &[u8]) -> bool {
    const LONGEST_PIECE_BYTES: usize = 8;
    (1..=LONGEST_PIECE_BYTES).any(|piece| secret.iter().zip(secret.iter().skip(piece)).all(|(one, next)| one == next))
}

/// Long enough, and printed where everybody can read it. Compared as text, without regard to case and line ending, and
/// as the base64 of the text.
fn is_well_known(secret: &[u8]) -> bool {
    const WELL_KNOWN: [&str; 15] = [
        // jwt.io, the debugger's own examples for HS256, HS384 and HS512, now and before.
        "a-string-secret-at-least-256-bits-long",
        "a-valid-string-secret-that-is-at-least-384-bits-long",
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
        "your-256-bit-secret",
        "your-384-bit-secret",
        "your-512-bit-secret",
        "your-256-bit-secret-your-256-bit-secret",
        // FastAPI's tutorial, "OAuth2 with Password, Bearer with JWT tokens".
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        // Spring Boot tutorials, copied from one to the next.
        "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
        "9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9",
        // NextAuth and Express samples.
        "my-32-character-ultra-secure-and-ultra-long-secret",
        // Keyboards and counting.
        "qwertyuiopasdfghjklzxcvbnm123456",
        "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnm",
        "0123456789abcdef0123456789abcdef",
        "abcdefghijklmnopqrstuvwxyz123456",
    ];
    let secret = secret.trim_ascii();
    WELL_KNOWN.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(secret))
        || base64_simd::STANDARD
            .decode_to_vec(secret)
            .is_ok_and(|decoded| WELL_KNOWN.iter().any(|known| known.as_bytes() == decoded))
}

/// The keys that the JOSE standards print. They are as public as the others, but somebody who holds an implementation
/// against the standard must be able to load them: there is a door for that, for verifying and by name.
fn is_standard_example(secret: &[u8]) -> bool {
    const STANDARD_EXAMPLES: [&str; 3] = [
        // RFC 7515 §A.1, and from there RFC 7517 §A.3, RFC 7797 §4 and the documentation of many libraries.
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        // RFC 7520 §3.5.
        "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
        // RFC 7520 §3.6, an encryption key of the same document.
        "AAPapAv4LbFbiVawEjagUBluYqN5rhna-8nuldDvOx8",
    ];
    STANDARD_EXAMPLES.contains(&base64url::encode(secret).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(algorithm: Algorithm, secret: &[u8]) -> &'static str {
        key(algorithm, secret).err().map_or("accepted", |error| error.code())
    }

    #[test]
    fn short_secrets_are_refused() {
        let long: Vec<u8> = (0..64).collect();
        for (algorithm, min) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
            assert_eq!(generated_len(algorithm), min);
            assert_eq!(refusal(algorithm, &long[..min]), "accepted");
            assert_eq!(refusal(algorithm, &long[..min - 1]), "key_too_weak");
        }
        assert_eq!(refusal(Algorithm::Hs256, b""), "key_too_weak");
        assert_eq!(refusal(Algorithm::Rs256, &long), "key_not_for_this_use");
    }

    #[test]
    fn trivial_and_well_known_secrets_are_refused() {
        for secret in [
            [0_u8; 32].as_slice(),
            b"secretsecretsecretsecretsecretsecret",
            b"password" as &[u8],
            b"changemechangemechangemechangemechangeme",
            b"a-string-secret-at-least-256-bits-long",
            b"a-string-secret-at-least-256-bits-long\n",
            b"YS1zdHJpbmctc2VjcmV0LWF0LWxlYXN0LTI1Ni1iaXRzLWxvbmc=",
            b"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        ] {
            let repeated = if secret.len() < 32 { secret.repeat(8) } else { secret.to_vec() };
            assert_eq!(refusal(Algorithm::Hs256, &repeated), "key_well_known", "{}", secret.escape_ascii());
        }
    }

    #[test]
    fn the_standards_own_secrets_are_refused_too_but_have_a_door() {
        for example in [
            "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        ] {
            let secret = base64url::decode(example).unwrap();
            assert_eq!(refusal(Algorithm::Hs256, &secret), "key_well_known");
            assert!(key_or_example(Algorithm::Hs256, &secret).is_ok());
        }
        assert!(key_or_example(Algorithm::Hs256, b"a-string-secret-at-least-256-bits-long").is_err());
        assert_eq!(
            refusal(Algorithm::Hs256, b"your-256-bit-secret"),
            "key_well_known",
            "short, but that is not the worst"
        );
    }

    #[test]
    fn key_documents_are_no_secrets() {
        for document in [
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
            r#" {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE me",
        ] {
            assert_eq!(refusal(Algorithm::Hs256, document.as_bytes()), "key_document_as_secret", "{document}");
        }
        let der = base64_simd::STANDARD
            .decode_to_vec("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")
            .unwrap();
        assert_eq!(refusal(Algorithm::Hs256, &der), "key_document_as_secret");
    }
}
