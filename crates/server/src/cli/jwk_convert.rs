//! `counterfoil jwk convert`: a key from one document into another.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use counterfoil_jwt::{Algorithm, Error, KeyFormat, PrivatePem, PublicPem, convert_key};
use zeroize::Zeroizing;

use super::algorithm_name::algorithm;
use super::new_file::{PRIVATE_MODE, PUBLIC_MODE, write_new};
use super::refusal::refused;
use super::streams::Streams;
use super::{EXIT_DONE, EXIT_USAGE, key_file};

/// Turn a JWK into a PEM, or a PEM into a JWK. A private key stays private unless --public is given.
#[derive(Args)]
pub(super) struct ConvertArgs {
    /// What to make [default: PEM of a JWK, JWK of a PEM].
    #[arg(long, value_name = "FORMAT")]
    to: Option<Target>,
    /// The public half only.
    #[arg(long)]
    public: bool,
    /// What an RSA key is for, where it does not say; a JWK then says it.
    #[arg(long, value_name = "ALG", value_parser = algorithm)]
    alg: Option<Algorithm>,
    /// Where to keep it: a new file, that only you can read if the key is private. Without it, it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// A file with one key, a JWK or a PEM; `-` reads it from standard input.
    file: PathBuf,
}

/// What a key can be written as.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// A JWK (RFC 7517).
    Jwk,
    /// The PEM that every tool reads: pkcs8 for a private key, spki for a public one.
    Pem,
    /// A public key: PUBLIC KEY.
    Spki,
    /// A private key: PRIVATE KEY.
    Pkcs8,
    /// RSA only: RSA PRIVATE KEY or RSA PUBLIC KEY.
    Pkcs1,
    /// EC only: EC PRIVATE KEY.
    Sec1,
}

impl Target {
    /// As a whole key; `None` if the format holds public keys only.
    const fn private(self) -> Option<KeyFormat> {
        Some(match self {
            Self::Jwk => KeyFormat::PrivateJwk,
            Self::Pem | Self::Pkcs8 => KeyFormat::PrivatePem(PrivatePem::Pkcs8),
            Self::Pkcs1 => KeyFormat::PrivatePem(PrivatePem::Pkcs1),
            Self::Sec1 => KeyFormat::PrivatePem(PrivatePem::Sec1),
            Self::Spki => return None,
        })
    }

    /// As the public half; `None` if the format holds private keys only.
    const fn public(self) -> Option<KeyFormat> {
        Some(match self {
            Self::Jwk => KeyFormat::PublicJwk,
            Self::Pem | Self::Spki => KeyFormat::PublicPem(PublicPem::SubjectPublicKeyInfo),
            Self::Pkcs1 => KeyFormat::PublicPem(PublicPem::Pkcs1),
            Self::Pkcs8 | Self::Sec1 => return None,
        })
    }
}

/// Runs the command.
pub(super) fn run(args: &ConvertArgs, streams: &mut Streams<'_>) -> io::Result<u8> {
    let text = match key_file::read_text_or_input(&args.file, streams) {
        Ok(text) => text,
        Err(error) => {
            writeln!(streams.err, "counterfoil: {error}")?;
            return Ok(EXIT_USAGE);
        }
    };
    let is_jwk = text.trim_start().starts_with('{');
    let target = args.to.unwrap_or(if is_jwk { Target::Pem } else { Target::Jwk });
    if args.public && target.public().is_none() {
        writeln!(streams.err, "counterfoil: this format holds private keys only: use --to spki for the public half")?;
        return Ok(EXIT_USAGE);
    }
    let (converted, mode) = match convert(&text, target, args) {
        Ok(converted) => converted,
        Err(refusal) => return refused(refusal, streams),
    };
    match &args.out {
        Some(path) => {
            if let Err(error) = write_new(path, mode, &converted) {
                writeln!(streams.err, "counterfoil: {}: {error}", path.display())?;
                return Ok(EXIT_USAGE);
            }
            let half = if mode == PRIVATE_MODE { "private" } else { "public" };
            writeln!(streams.err, "wrote the {half} key to {}", path.display())?;
        }
        None => writeln!(streams.out, "{}", converted.trim_end())?,
    }
    Ok(EXIT_DONE)
}

/// The key in its new form, and the mode of a file with it. What has no private half is written as the public one.
fn convert(text: &str, target: Target, args: &ConvertArgs) -> Result<(Zeroizing<String>, u32), Error> {
    let to = |format, mode| Ok((convert_key(text, format, args.alg)?, mode));
    match (target.private().filter(|_| !args.public), target.public()) {
        (Some(private), public) => match (to(private, PRIVATE_MODE), public) {
            (Err(Error::PrivateKeyMissing), Some(public)) => to(public, PUBLIC_MODE),
            (converted, _) => converted,
        },
        (None, Some(public)) => to(public, PUBLIC_MODE),
        (None, None) => Err(Error::KeyUnsupported("a format of private keys for a public one")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use clap::Parser;
    use counterfoil_jwt::SigningKey;

    use super::super::streams::tests::with_input;
    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: ConvertArgs,
    }

    fn converted(options: &[&str], key: &str) -> (u8, String, String) {
        let command = Command::try_parse_from([&["convert"], options, &["-"]].concat()).unwrap();
        with_input(key, |streams| run(&command.args, streams))
    }

    fn jwk(algorithm: Algorithm) -> String {
        SigningKey::generate(algorithm).unwrap().to_private_jwk().unwrap().as_str().to_owned()
    }

    #[test]
    fn there_and_back_without_an_option() {
        let key = jwk(Algorithm::Es256);
        let (status, pem, err) = converted(&[], &key);
        assert_eq!((status, err.as_str()), (0, ""));
        assert!(
            pem.starts_with("-----BEGIN PRIVATE KEY-----\n") && pem.ends_with("-----END PRIVATE KEY-----\n"),
            "{pem}"
        );
        let (_, back, _) = converted(&[], &pem);
        let same = |text: &str| SigningKey::from_jwk(text, None).unwrap().verifying_key().thumbprint();
        assert_eq!(same(&back), same(&key));
    }

    #[test]
    fn each_format_has_its_label() {
        for (algorithm, options, label) in [
            (Algorithm::EdDsa, &["--to", "pkcs8"] as &[&str], "PRIVATE KEY"),
            (Algorithm::EdDsa, &["--to", "spki"], "PUBLIC KEY"),
            (Algorithm::EdDsa, &["--public"], "PUBLIC KEY"),
            (Algorithm::Es384, &["--to", "sec1"], "EC PRIVATE KEY"),
            (Algorithm::Ps256, &["--to", "pkcs1"], "RSA PRIVATE KEY"),
            (Algorithm::Ps256, &["--to", "pkcs1", "--public"], "RSA PUBLIC KEY"),
        ] {
            let (status, pem, err) = converted(options, &jwk(algorithm));
            assert_eq!(status, 0, "{options:?}: {err}");
            assert!(pem.starts_with(&format!("-----BEGIN {label}-----\n")), "{options:?}: {pem}");
        }
        let (_, public, _) = converted(&["--to", "jwk", "--public"], &jwk(Algorithm::EdDsa));
        assert!(public.contains("\"x\"") && !public.contains("\"d\""), "{public}");
        let (_, again, _) = converted(&["--to", "pem"], &public);
        assert!(again.starts_with("-----BEGIN PUBLIC KEY-----"), "a public key stays public: {again}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let public = converted(&["--to", "jwk", "--public"], &jwk(Algorithm::EdDsa)).1;
        for (options, key, status, said) in [
            (&["--to", "pkcs8", "--public"] as &[&str], jwk(Algorithm::EdDsa), 2, "--to spki"),
            (&["--to", "pkcs8"], public, 1, "refused: private_key_missing: "),
            (&["--to", "sec1"], jwk(Algorithm::EdDsa), 1, "refused: key_unsupported: "),
            (&["--to", "pem"], jwk(Algorithm::Hs256), 1, "refused: key_unsupported: "),
            (&[], "{}".into(), 1, "refused: key_malformed: "),
        ] {
            let (found, out, err) = converted(options, &key);
            assert_eq!((found, out.as_str()), (status, ""), "{options:?}: {err}");
            assert!(err.contains(said), "{err}");
        }
    }

    #[test]
    fn files_are_new_and_private_ones_private() {
        let folder = tempfile::tempdir().unwrap();
        let key = jwk(Algorithm::EdDsa);
        for (options, name, mode) in [(&[] as &[&str], "private", 0o600), (&["--public"], "public", 0o644)] {
            let path = folder.path().join(name);
            let options = [options, &["--out", path.to_str().unwrap()]].concat();
            let (status, out, err) = converted(&options, &key);
            assert_eq!((status, out.as_str()), (0, ""));
            assert!(err.starts_with(&format!("wrote the {name} key to ")), "{err}");
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
            assert_eq!(converted(&options, &key).0, 2, "an existing file is left alone");
        }
    }
}
