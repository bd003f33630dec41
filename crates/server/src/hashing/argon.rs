//! Argon2id in memory that the caller keeps, and hashes as PHC strings.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Ident, Output, ParamsString, PasswordHash as Phc, Salt},
};
use counterfoil_domain::{
    account::PasswordHash,
    entropy::{Entropy, random_bytes},
    password::NormalizedPassword,
};

const SALT_BYTES: usize = 16;

/// Hashes a new password with a fresh salt; `None` when the primitive refuses.
pub(super) fn hash(
    password: &NormalizedPassword,
    memory: &mut Vec<Block>,
    entropy: &dyn Entropy,
) -> Option<PasswordHash> {
    let salt = random_bytes::<SALT_BYTES>(entropy);
    to_phc(&salt, hash_with_memory(password, &salt, &Params::DEFAULT, memory)?)
}

fn hash_with_memory(
    password: &NormalizedPassword,
    salt: &[u8],
    params: &Params,
    memory: &mut Vec<Block>,
) -> Option<Output> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let memory = memory.get_mut(..blocks)?;
    let output_bytes = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut output = vec![0; output_bytes];
    argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut output, memory).ok()?;
    Output::new(&output).ok()
}

/// Whether `password` is the one behind `hash`; `None` when the hash cannot be read.
pub(super) fn verify(password: &NormalizedPassword, hash: &PasswordHash, memory: &mut Vec<Block>) -> Option<bool> {
    let phc = Phc::new(hash.expose()).ok()?;
    let (salt, expected) = (phc.salt?, phc.hash?);
    if phc.algorithm != Algorithm::Argon2id.ident() || phc.version != Some(Version::V0x13.into()) {
        return None;
    }
    let params = Params::try_from(&phc).ok()?;
    let output = hash_with_memory(password, &salt, &params, memory)?;
    // `Output` compares in constant time.
    Some(output == expected)
}

fn to_phc(salt: &[u8], output: Output) -> Option<PasswordHash> {
    let phc = Phc {
        algorithm: Ident::from(Algorithm::Argon2id),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&Params::DEFAULT).ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(output),
    };
    Some(PasswordHash::from_phc(phc.to_string()))
}

/// A hash that no password has: random bytes in the place of Argon2's output.
pub(super) fn decoy_hash(entropy: &dyn Entropy) -> Option<PasswordHash> {
    let output = Output::new(&random_bytes::<{ Params::DEFAULT_OUTPUT_LEN }>(entropy)).ok()?;
    to_phc(&random_bytes::<SALT_BYTES>(entropy), output)
}
