//! `counterfoil token sign`: claims and a key in, a token out.

use std::io;

use clap::Args;
use counterfoil_jwt::{Algorithm, Error, Signer};
use serde_json::Value;

use super::algorithm_name::algorithm;
use super::key_file::KeyArgs;
use super::refusal::refused;
use super::streams::Streams;
use super::{EXIT_DONE, EXIT_USAGE};

/// Sign claims with a private key or secret, and print the token.
#[derive(Args)]
pub(super) struct SignArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// The algorithm, where the key does not say it [default: RS256 for RSA keys, HS256 for secrets].
    #[arg(long, value_name = "ALG", value_parser = algorithm)]
    alg: Option<Algorithm>,
    /// The type of token, such as `at+jwt`.
    #[arg(long, value_name = "TYPE", default_value = "JWT")]
    typ: String,
    /// One more header member; may be repeated. The value is JSON, or else text.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_header)]
    header: Vec<(String, Value)>,
    /// The claims, a JSON object, signed as they are spelt; `-`, or nothing, reads them from standard input.
    claims_json: Option<String>,
}

fn parse_header(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("a header member is NAME=VALUE")?;
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))))
}

/// Runs the command.
pub(super) fn run(args: &SignArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let key_file = match args.key.read() {
        Ok(key_file) => key_file,
        Err(error) => {
            writeln!(streams.err, "counterfoil: {error}")?;
            return Ok(EXIT_USAGE);
        }
    };
    let claims = match args.claims_json.as_deref() {
        Some(claims) if claims != "-" => claims.to_owned(),
        _ => streams.read_all()?,
    };
    let signed = key_file.signing_key(args.alg).and_then(|key| {
        let signer = Signer::new(&key).token_type(&args.typ);
        let signer = args.header.iter().try_fold(signer, |signer, (name, value)| signer.header(name, value.clone()))?;
        signer.sign_json(claims.trim())
    });
    match signed {
        Ok(token) => {
            writeln!(streams.out, "{token}")?;
            Ok(EXIT_DONE)
        }
        // What was typed is wrong, not what was judged.
        Err(usage @ (Error::HeaderMemberReserved | Error::ClaimsNotJsonObject | Error::DuplicateMember(_))) => {
            writeln!(streams.err, "counterfoil: {usage}")?;
            Ok(EXIT_USAGE)
        }
        Err(refusal) => refused(refusal, streams),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use counterfoil_jwt::{SigningKey, UnverifiedToken};

    use super::super::streams::tests::with_input;
    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: SignArgs,
    }

    fn sign_with(options: &[&str], input: &str) -> (u8, String, String) {
        let command = Command::try_parse_from([&["sign"], options].concat()).unwrap_or_else(|error| panic!("{error}"));
        with_input(input, |streams| run(&command.args, streams))
    }

    #[test]
    fn claims_are_signed_as_they_are_spelt() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, b"\x01a secret of 32 bytes, or longer\x02").unwrap();
        let file = file.to_str().unwrap();
        let claims = r#"{"z":1, "a":1.50}"#;
        let options = ["--secret-file", file, "--typ", "at+jwt", "--header", "n=7", "--header", "cty=x y"];
        let (status, out, err) = sign_with(&[options.as_slice(), &[claims]].concat(), "");
        assert_eq!((status, err.as_str()), (0, ""));
        let token = UnverifiedToken::decode(out.trim_end()).unwrap();
        assert_eq!(token.header_json(), r#"{"alg":"HS256","typ":"at+jwt","n":7,"cty":"x y"}"#);
        assert_eq!(token.claims_json(), Ok(claims));
        assert_eq!(sign_with(&[options.as_slice(), &["-"]].concat(), &format!("{claims}\n")).1, out);
        assert_eq!(sign_with(&options, claims).1, out);
    }

    #[test]
    fn what_cannot_be_signed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let (private, public) = (folder.path().join("private"), folder.path().join("public"));
        std::fs::write(&private, key.to_private_jwk().unwrap().as_str()).unwrap();
        std::fs::write(&public, serde_json::to_string(&key.public_jwk()).unwrap()).unwrap();
        let (private, public) = (private.to_str().unwrap(), public.to_str().unwrap());
        for (options, status, message) in [
            (&["--key", private, "[]"] as &[&str], 2, "not one JSON object"),
            (&["--key", private, "{\"a\":1,\"a\":2}"], 2, "same member name twice"),
            (&["--key", private, "--header", "alg=none", "{}"], 2, "cannot be set by hand"),
            (&["--key", private, "--alg", "ES256", "{}"], 1, "refused: key_not_for_this_use: "),
            (&["--key", public, "{}"], 1, "refused: private_key_missing: "),
            (&["--key", "/nowhere/at/all", "{}"], 2, "/nowhere/at/all"),
        ] {
            let (found, out, err) = sign_with(options, "");
            assert_eq!((found, out.as_str()), (status, ""), "{options:?}");
            assert!(err.contains(message), "{err}");
        }
    }
}
