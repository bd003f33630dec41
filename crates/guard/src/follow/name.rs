//! What a process calls itself.

use super::error::FollowError;
use counterfoil_domain::entropy::{Entropy, random_bytes};

/// Longest of a name that is given; with what is added it stays below the 64 that the server takes.
const NAME_CHARS_MAX: usize = 48;
/// Without letters that are mistaken for one another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A name that no other process has: `billing-k3x9qa`, or that of the host with the process's number.
///
/// # Errors
/// [`FollowError::BadName`].
pub(crate) fn of_this_process(given: Option<&str>, entropy: &dyn Entropy) -> Result<String, FollowError> {
    let name = match given {
        Some(given) => given.to_owned(),
        None => format!("{}-{}", host(), std::process::id()),
    };
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(is_in_a_name) {
        return Err(FollowError::BadName);
    }
    let random: [u8; 6] = random_bytes(entropy);
    let letters = random.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32)).copied().map(char::from));
    Ok(format!("{name}-{}", letters.collect::<String>()))
}

fn host() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host: String = host.chars().filter(|letter| is_in_a_name(*letter)).take(NAME_CHARS_MAX - 11).collect();
    if host.is_empty() { "service".to_owned() } else { host }
}

const fn is_in_a_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | ':' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            (0..).zip(bytes).for_each(|(number, byte)| *byte = number);
        }
    }

    #[test]
    fn a_name_is_that_of_one_process() {
        assert_eq!(of_this_process(Some("billing"), &Counting).unwrap(), "billing-abcdef");
        let own = of_this_process(None, &Counting).unwrap();
        assert!(own.len() <= 64 && own.chars().all(is_in_a_name), "{own}");
        for name in ["", "a b", "é", &"a".repeat(49)] {
            assert_eq!(of_this_process(Some(name), &Counting), Err(FollowError::BadName), "{name}");
        }
    }
}
