//! Names of algorithms, as they are typed.

use counterfoil_jwt::Algorithm;

/// Parses a name. Who mistypes one is told those that there are.
pub(super) fn algorithm(name: &str) -> Result<Algorithm, String> {
    name.parse().map_err(|_| {
        let known: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
        format!("expected one of {} (or Ed25519, which is EdDSA's newer name)", known.join(", "))
    })
}

/// An algorithm as it was spelt: EdDSA has two names.
#[derive(Clone, Copy)]
pub(super) struct AlgorithmName {
    pub(super) algorithm: Algorithm,
    pub(super) is_newer_name: bool,
}

impl std::str::FromStr for AlgorithmName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(Self { algorithm: algorithm(name)?, is_newer_name: name == "Ed25519" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_answered_with_all_right_ones() {
        for wrong in ["FOO", "none", "rs256", ""] {
            let message = algorithm(wrong).unwrap_err();
            assert!(Algorithm::ALL.iter().all(|known| message.contains(known.name())), "{message}");
        }
        assert!("Ed25519".parse::<AlgorithmName>().is_ok_and(|name| name.is_newer_name));
        assert!("EdDSA".parse::<AlgorithmName>().is_ok_and(|name| !name.is_newer_name));
    }
}
