//! Where randomness comes from. Only startup makes a real source; tests pass a seeded one.

/// A source of random bytes.
///
/// In production this is the operating system's generator; ids and keys made from a predictable source are forgeable,
/// so nothing but tests and simulations may pass another.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes from `entropy`.
pub fn random_bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
