//! `counterfoil jwk thumbprint`: a key's name by its content (RFC 7638).

use std::io;
use std::path::PathBuf;

use clap::Args;
use counterfoil_jwt::{Algorithm, Error, VerifyingKey, jwk_thumbprint};

use super::refusal::refused;
use super::streams::Streams;
use super::{EXIT_DONE, EXIT_USAGE, key_file};

/// Print the SHA-256 thumbprint of a key. A private key has that of its public half.
#[derive(Args)]
pub(super) struct ThumbprintArgs {
    /// A file with one key, a JWK or a PEM; `-` reads it from standard input.
    file: PathBuf,
}

/// Runs the command.
pub(super) fn run(args: &ThumbprintArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let text = match key_file::read_text_or_input(&args.file, streams) {
        Ok(text) => text,
        Err(error) => {
            writeln!(streams.err, "counterfoil: {error}")?;
            return Ok(EXIT_USAGE);
        }
    };
    match thumbprint(&text) {
        Ok(thumbprint) => {
            writeln!(streams.out, "{thumbprint}")?;
            Ok(EXIT_DONE)
        }
        Err(refusal) => refused(refusal, streams),
    }
}

fn thumbprint(text: &str) -> Result<String, Error> {
    if text.trim_start().starts_with('{') {
        return jwk_thumbprint(text);
    }
    // Which RSA algorithm a key is for makes no difference to its thumbprint.
    let key = match VerifyingKey::from_pem(text, None) {
        Err(Error::KeyAlgorithmMissing) => VerifyingKey::from_pem(text, Some(Algorithm::Rs256)),
        loaded => loaded,
    }?;
    key.thumbprint().ok_or(Error::KeyUnsupported("a PEM without a public key"))
}

#[cfg(test)]
mod tests {
    use super::super::streams::tests::with_input;
    use super::*;

    fn thumbprint_of(input: &str) -> (u8, String, String) {
        with_input(input, |streams| run(&ThumbprintArgs { file: "-".into() }, streams))
    }

    #[test]
    fn the_rfc_examples() {
        let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let expected = (0, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\n".to_owned(), String::new());
        assert_eq!(thumbprint_of(key), expected);
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----";
        assert_eq!(thumbprint_of(pem), expected, "the same key in another envelope");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "{}", "{\"kty\":\"OKP\"}", "{\"keys\":[]}"] {
            let (status, out, err) = thumbprint_of(text);
            assert_eq!((status, out.as_str()), (1, ""));
            assert!(err.starts_with("refused: key_malformed: "), "{err}");
        }
        let missing = with_input("", |streams| run(&ThumbprintArgs { file: "/nowhere/at/all".into() }, streams));
        assert_eq!(missing.0, 2);
    }
}
