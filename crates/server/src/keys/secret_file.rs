//! The file with a shared secret (`signing.secret_file`).

use super::{KeyError, master::write_durably};
use base64_simd::URL_SAFE_NO_PAD;
use counterfoil_domain::entropy::{Entropy, random_bytes};
use counterfoil_jwt::{Algorithm, SigningKey};
use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};
use zeroize::Zeroizing;

/// The key in the file, and the secret's id; makes the file if it is missing.
pub(super) fn open_or_make(
    path: &Path,
    algorithm: Algorithm,
    entropy: &dyn Entropy,
) -> Result<(String, SigningKey), KeyError> {
    needs_a_shared_secret(algorithm)?;
    let secret = match read_secret(path)? {
        Some(secret) => secret,
        None => make_secret(path, entropy)?,
    };
    Ok((secret_key_id(&secret), shared_key(&secret, algorithm, path)?))
}

/// Judges `signing.secret_file` as a start would, and makes nothing: a file that is missing is good, since it would be made.
///
/// # Errors
/// [`KeyError`], written for the operator.
pub fn check_secret_file(algorithm: &str, secret_file: Option<&Path>) -> Result<(), KeyError> {
    let algorithm: Algorithm = algorithm.parse().map_err(|_| KeyError::UnknownAlgorithm(algorithm.to_owned()))?;
    if let Some(path) = secret_file {
        needs_a_shared_secret(algorithm)?;
        if let Some(secret) = read_secret(path)? {
            shared_key(&secret, algorithm, path)?;
        }
    }
    Ok(())
}

/// The id of a shared secret: a keyed hash under the secret itself, which tells no more than any token signed with it
/// does. (A thumbprint, RFC 7638 §7, would let a weak secret be guessed faster than the tokens do.)
pub(super) fn secret_key_id(secret: &[u8]) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    let tag = aws_lc_rs::hmac::sign(&key, b"counterfoil key id");
    URL_SAFE_NO_PAD.encode_to_string(tag.as_ref().first_chunk::<16>().copied().unwrap_or_default())
}

fn needs_a_shared_secret(algorithm: Algorithm) -> Result<(), KeyError> {
    if algorithm.is_symmetric() {
        return Ok(());
    }
    Err(KeyError::SecretFile(format!("{} signs with a key pair and needs no shared secret", algorithm.name())))
}

fn shared_key(secret: &[u8], algorithm: Algorithm, path: &Path) -> Result<SigningKey, KeyError> {
    let refused = |source| KeyError::Refused { what: format!("the secret in {}", path.display()), source };
    SigningKey::from_secret(secret, algorithm).map_err(refused)
}

/// The secret in the file, or none if there is no such file.
fn read_secret(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error)),
    };
    let mode = fs::metadata(path).map_err(|error| failed(path, &error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(failed(path, &"others can read it, and sign with it: run `chmod 600` on it"));
    }
    let secret = URL_SAFE_NO_PAD.decode_to_vec(text.trim_end());
    let secret = secret.map_err(|_| failed(path, &"expected base64url text"))?;
    Ok(Some(Zeroizing::new(secret)))
}

fn make_secret(path: &Path, entropy: &dyn Entropy) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let secret = Zeroizing::new(random_bytes::<64>(entropy));
    let text = Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode_to_string(secret.as_slice())));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    write_durably(folder, path, text.as_bytes()).map_err(|error| failed(path, &error))?;
    tracing::info!(file = %path.display(), "made a shared secret for signing");
    Ok(Zeroizing::new(secret.to_vec()))
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> KeyError {
    KeyError::SecretFile(format!("{}: {error}", path.display()))
}
