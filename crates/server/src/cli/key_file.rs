//! Key files: a JWK, a JWK Set or a PEM, or a bare secret, from a path to a typed key.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use counterfoil_jwt::{Algorithm, AlgorithmSet, Error, KeySet, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::streams::Streams;

/// Which key to use.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct KeyArgs {
    /// A file with a key: a JWK, a JWK Set or a PEM.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A file with an HMAC secret as it is: the bytes themselves, so decode the server's own `signing.secret_file`
    /// (base64url) first. One line ending after a line of text is not part of it.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// Longest key file that is read.
const KEY_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A key file in memory; it is wiped when it goes.
pub(super) enum KeyFile {
    Text(Zeroizing<String>),
    Secret(Zeroizing<Vec<u8>>),
}

impl KeyArgs {
    /// Reads the file. An error here is the environment's; what the file says is judged later.
    pub(super) fn read(&self) -> io::Result<KeyFile> {
        if let Some(path) = &self.secret_file {
            return Ok(KeyFile::Secret(without_line_ending(read(path)?)));
        }
        let path = self.key.as_deref().ok_or_else(|| io::Error::other("no key file was named"))?;
        Ok(KeyFile::Text(read_text(path)?))
    }
}

impl KeyFile {
    /// The keys for verifying.
    ///
    /// A key that fits several algorithms and names none is loaded once for each that was asked for: the person at the
    /// command line decides, not the token. Nobody asked: RS256 and HS256, the ones such keys mostly mean.
    pub(super) fn verifying_keys(&self, algorithms: &[Algorithm]) -> Result<KeySet, Error> {
        match self {
            Self::Text(text) if is_key_set(text) => {
                KeySet::from_json(text, or_usual(algorithms).collect::<AlgorithmSet>())
            }
            Self::Text(text) if is_json(text) => {
                // The RFCs' own examples are what people try first; signing with their keys stays refused.
                for_each_algorithm(algorithms, |asked| VerifyingKey::from_jwk_or_standard_example(text, asked))
            }
            Self::Text(text) => for_each_algorithm(algorithms, |asked| VerifyingKey::from_pem(text, asked)),
            Self::Secret(secret) => for_each_algorithm(algorithms, |asked| {
                let algorithm = asked.ok_or(Error::KeyAlgorithmMissing)?;
                Ok(SigningKey::from_secret(secret, algorithm)?.verifying_key().clone())
            }),
        }
    }

    /// The key for signing.
    pub(super) fn signing_key(&self, algorithm: Option<Algorithm>) -> Result<SigningKey, Error> {
        let load = |algorithm| match self {
            Self::Text(text) if is_key_set(text) => Err(Error::KeyUnsupported("a set of keys; signing takes one")),
            Self::Text(text) if is_json(text) => SigningKey::from_jwk(text, algorithm),
            Self::Text(text) => SigningKey::from_pem(text, algorithm),
            Self::Secret(secret) => SigningKey::from_secret(secret, algorithm.ok_or(Error::KeyAlgorithmMissing)?),
        };
        match load(algorithm) {
            Err(Error::KeyAlgorithmMissing) => first_that_fits(&USUAL, |usual| load(Some(usual))),
            loaded => loaded,
        }
    }
}

/// What a key without `alg` is for when nobody says: of RSA and of HMAC the most common.
const USUAL: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::Hs256];

fn or_usual(algorithms: &[Algorithm]) -> impl Iterator<Item = Algorithm> {
    let usual = if algorithms.is_empty() { USUAL.as_slice() } else { &[] };
    algorithms.iter().chain(usual).copied()
}

/// Loads a key that says its algorithm once; one that does not, for each algorithm that was asked for.
fn for_each_algorithm(
    algorithms: &[Algorithm],
    load: impl Fn(Option<Algorithm>) -> Result<VerifyingKey, Error>,
) -> Result<KeySet, Error> {
    match load(None) {
        Ok(key) => return Ok([key].into_iter().collect()),
        Err(Error::KeyAlgorithmMissing) => {}
        Err(refusal) => return Err(refusal),
    }
    let loaded: Vec<_> = or_usual(algorithms).map(|algorithm| load(Some(algorithm))).collect();
    let refusal = worst(loaded.iter().filter_map(|key| key.as_ref().err()));
    let keys: KeySet = loaded.into_iter().flatten().collect();
    if keys.is_empty() { Err(refusal) } else { Ok(keys) }
}

fn first_that_fits<K>(algorithms: &[Algorithm], load: impl Fn(Algorithm) -> Result<K, Error>) -> Result<K, Error> {
    let mut refusals = Vec::new();
    for algorithm in algorithms {
        match load(*algorithm) {
            Ok(key) => return Ok(key),
            Err(refusal) => refusals.push(refusal),
        }
    }
    Err(worst(refusals.iter()))
}

/// Of several refusals the one that speaks about the key, not about an algorithm it could never have had.
fn worst<'r>(refusals: impl Iterator<Item = &'r Error>) -> Error {
    let mut worst = Error::KeyAlgorithmMissing;
    for refusal in refusals {
        if matches!(worst, Error::KeyAlgorithmMissing | Error::KeyNotForThisUse(_)) {
            worst = *refusal;
        }
    }
    worst
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// A set is told from a key by its `keys`; what is wrong with either is for the library to say.
fn is_key_set(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Shape {
        kty: Option<serde::de::IgnoredAny>,
        keys: Option<serde::de::IgnoredAny>,
    }
    is_json(text) && serde_json::from_str(text).is_ok_and(|shape: Shape| shape.kty.is_none() && shape.keys.is_some())
}

/// Reads a key file that must be text; `-` is standard input.
pub(super) fn read_text_or_input(path: &Path, streams: &mut Streams<'_>) -> io::Result<Zeroizing<String>> {
    if path.as_os_str() == "-" { streams.read_all().map(Zeroizing::new) } else { read_text(path) }
}

/// Reads a key file that must be text.
pub(super) fn read_text(path: &Path) -> io::Result<Zeroizing<String>> {
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| problem(path, "is not text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path).map_err(|error| problem(path, &error.to_string()))?;
    // Room for all of it at once: a vector that grows leaves copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    file.take(KEY_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| problem(path, &error.to_string()))?;
    if bytes.len() as u64 > KEY_FILE_BYTES_MAX {
        return Err(problem(path, "is longer than 1 MiB"));
    }
    Ok(bytes)
}

fn problem(path: &Path, what: &str) -> io::Error {
    io::Error::other(format!("{}: {what}", path.display()))
}

/// Editors and `echo` end a line of text; random bytes may end in the same byte and keep it.
fn without_line_ending(mut secret: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let is_line_of_text = secret.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r' | b'\n'));
    if is_line_of_text && secret.last() == Some(&b'\n') {
        secret.pop();
        if secret.last() == Some(&b'\r') {
            secret.pop();
        }
    }
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: impl Into<String>) -> KeyFile {
        KeyFile::Text(Zeroizing::new(text.into()))
    }

    fn algorithms(file: &KeyFile, asked: &[Algorithm]) -> Result<Vec<Algorithm>, &'static str> {
        let keys = file.verifying_keys(asked).map_err(|refusal| refusal.code())?;
        Ok(keys.iter().map(VerifyingKey::algorithm).collect())
    }

    #[test]
    fn a_secret_serves_each_algorithm_that_was_asked_for() {
        let secret = KeyFile::Secret(Zeroizing::new((0..48).collect()));
        assert_eq!(algorithms(&secret, &[]), Ok(vec![Algorithm::Hs256]));
        assert_eq!(algorithms(&secret, &[Algorithm::Hs384]), Ok(vec![Algorithm::Hs384]));
        assert_eq!(
            algorithms(&secret, &[Algorithm::Hs256, Algorithm::Hs512, Algorithm::Rs256]),
            Ok(vec![Algorithm::Hs256]),
            "too short for one, no secret for the other"
        );
        assert_eq!(algorithms(&secret, &[Algorithm::Hs512]), Err("key_too_weak"));
        assert_eq!(algorithms(&secret, &[Algorithm::Rs256]), Err("key_not_for_this_use"));
        assert_eq!(secret.signing_key(None).map(|key| key.algorithm()), Ok(Algorithm::Hs256));
    }

    #[test]
    fn a_key_that_says_its_algorithm_keeps_it() {
        let key = SigningKey::generate(Algorithm::Rs384).unwrap();
        let named = text(key.to_private_jwk().unwrap().as_str());
        assert_eq!(algorithms(&named, &[Algorithm::Rs256]), Ok(vec![Algorithm::Rs384]));
        let nameless = text(key.to_private_jwk().unwrap().replace(",\"alg\":\"RS384\"", ""));
        assert_eq!(algorithms(&nameless, &[]), Ok(vec![Algorithm::Rs256]));
        let asked = [Algorithm::Ps256, Algorithm::Rs512];
        assert_eq!(algorithms(&nameless, &asked).map(|found| found.len()), Ok(2));
        assert_eq!(nameless.signing_key(None).map(|key| key.algorithm()), Ok(Algorithm::Rs256));
        assert_eq!(nameless.signing_key(Some(Algorithm::Ps256)).map(|key| key.algorithm()), Ok(Algorithm::Ps256));
    }

    #[test]
    fn a_set_is_told_from_a_key() {
        let public = SigningKey::generate(Algorithm::EdDsa).unwrap().public_jwk().unwrap();
        let set = text(serde_json::json!({"keys": [public, {"kty": "new"}]}).to_string());
        assert_eq!(algorithms(&set, &[]), Ok(vec![Algorithm::EdDsa]));
        assert_eq!(set.signing_key(None).map(|_| ()).map_err(|refusal| refusal.code()), Err("key_unsupported"));
        assert_eq!(algorithms(&text("{}"), &[]), Err("key_malformed"));
        assert_eq!(algorithms(&text("what?"), &[]), Err("key_malformed"));
    }

    #[test]
    fn only_text_loses_its_line_ending() {
        let trimmed = |secret: &[u8]| without_line_ending(Zeroizing::new(secret.to_vec())).to_vec();
        assert_eq!(trimmed(b"some text\n"), b"some text");
        assert_eq!(trimmed(b"some text\r\n"), b"some text");
        assert_eq!(trimmed(b"some text\n\n"), b"some text\n");
        assert_eq!(trimmed(b"\x00random\n"), b"\x00random\n");
    }
}
