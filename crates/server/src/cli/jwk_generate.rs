//! `counterfoil jwk generate`: a new key.

use std::io;
use std::path::PathBuf;

use clap::Args;
use counterfoil_jwt::{Algorithm, KeyId, SigningKey};

use super::algorithm_name::algorithm;
use super::new_file::{PRIVATE_MODE, PUBLIC_MODE, write_new};
use super::refusal::refused;
use super::streams::Streams;
use super::{EXIT_DONE, EXIT_USAGE};

/// Make a new private key or secret as a JWK.
#[derive(Args)]
pub(super) struct GenerateArgs {
    /// What the key is for: EdDSA, ES256, ES384, RS256 …, PS256 …, HS256 ….
    #[arg(long, value_name = "ALG", default_value = "EdDSA", value_parser = algorithm)]
    alg: Algorithm,
    /// Its key id [default: its RFC 7638 thumbprint; random for a secret].
    #[arg(long)]
    kid: Option<String>,
    /// Where to keep it: a new file that only you can read. Without it, it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where to put the public half, also a new file. A secret has none.
    #[arg(long, value_name = "FILE")]
    public_out: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &GenerateArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    if args.public_out.is_some() && args.alg.is_symmetric() {
        writeln!(streams.err, "counterfoil: {} keys are secrets and have no public half", args.alg)?;
        return Ok(EXIT_USAGE);
    }
    let named = SigningKey::generate(args.alg).and_then(|key| match &args.kid {
        Some(kid) => Ok(key.with_key_id(KeyId::new(kid.as_str())?)),
        None => Ok(key),
    });
    let key = match named {
        Ok(key) => key,
        Err(refusal) => return refused(refusal, streams),
    };
    let private = match key.to_private_jwk() {
        Ok(private) => private,
        Err(refusal) => return refused(refusal, streams),
    };
    // The public half goes first: if that file cannot be made, there is no private key that nobody knows about.
    if let (Some(path), Some(public)) = (&args.public_out, key.public_jwk()) {
        let public = serde_json::to_string(&public)?;
        if let Err(error) = write_new(path, PUBLIC_MODE, &public) {
            writeln!(streams.err, "counterfoil: {}: {error}", path.display())?;
            return Ok(EXIT_USAGE);
        }
    }
    match &args.out {
        Some(path) => {
            if let Err(error) = write_new(path, PRIVATE_MODE, &private) {
                writeln!(streams.err, "counterfoil: {}: {error}", path.display())?;
                return Ok(EXIT_USAGE);
            }
            if let Some(key_id) = key.key_id() {
                writeln!(streams.err, "wrote key {key_id} to {}", path.display())?;
            }
        }
        None => writeln!(streams.out, "{}", private.as_str())?,
    }
    Ok(EXIT_DONE)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use clap::Parser;
    use counterfoil_jwt::VerifyingKey;

    use super::super::streams::tests::with_input;
    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: GenerateArgs,
    }

    fn generate(options: &[&str]) -> (u8, String, String) {
        let command = Command::try_parse_from([&["generate"], options].concat()).unwrap();
        with_input("", |streams| run(&command.args, streams))
    }

    #[test]
    fn a_key_is_printed_or_kept() {
        let (status, out, err) = generate(&["--alg", "ES256", "--kid", "mine"]);
        assert_eq!((status, err.as_str()), (0, ""));
        let key = SigningKey::from_jwk(&out, None).unwrap();
        assert_eq!((key.algorithm(), key.key_id().unwrap().as_str()), (Algorithm::Es256, "mine"));

        let folder = tempfile::tempdir().unwrap();
        let (private, public) = (folder.path().join("private"), folder.path().join("public"));
        let options = ["--out", private.to_str().unwrap(), "--public-out", public.to_str().unwrap()];
        let (status, out, err) = generate(&options);
        assert_eq!((status, out.as_str()), (0, ""));
        assert!(err.starts_with("wrote key "), "{err}");
        assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
        let key = SigningKey::from_jwk(&std::fs::read_to_string(&private).unwrap(), None).unwrap();
        let half = std::fs::read_to_string(&public).unwrap();
        assert_eq!(VerifyingKey::from_jwk(&half, None).unwrap().key_id(), key.key_id());
        assert!(!half.contains("\"d\""));

        let (status, _, err) = generate(&options[..2]);
        assert_eq!(status, 2, "an existing file is left alone");
        assert!(err.contains("exists"), "{err}");
    }

    #[test]
    fn a_secret_has_no_public_half() {
        let (status, out, _) = generate(&["--alg", "HS512", "--public-out", "/nowhere/at/all"]);
        assert_eq!((status, out.as_str()), (2, ""));
        assert!(SigningKey::from_jwk(&generate(&["--alg", "HS512"]).1, None).is_ok());
        assert!(Command::try_parse_from(["generate", "--alg", "none"]).is_err());
        assert_eq!(generate(&["--kid", ""]).0, 1);
    }
}
