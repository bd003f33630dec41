//! The fuzz targets for a moment, on every machine: their first inputs, and some thousand mutations of each.
//!
//! The targets are `fuzz/src/lib.rs`, and so is the explanation. What is missing here is libFuzzer's eye for new paths
//! (`cargo xtask fuzz`); what is gained is that nobody can break a target, or a property, and not notice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this whole crate is a test: a panic is its report"
)]

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "over there it is the root of a crate")]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Mutated inputs for each target. A debug build does some fifty thousand a second.
const MUTATIONS: usize = 20_000;
/// The same inputs in every run: a failure here is never a matter of luck.
const SEED: u64 = 0x5eed_0fc0_117e_2f00;
/// What a mutation may put in.
const WORDS: [&str; 20] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    ".",
    "=",
    "-1",
    "1e400",
    "\\u0000",
    "\\ud800",
    "\0",
    "\u{feff}",
    "none",
    "\"crit\":[]",
    "AAAA",
    "-----BEGIN ",
];

#[test]
fn first_inputs_and_their_mutations() {
    for (name, target) in targets::TARGETS {
        let first = first_inputs(name);
        for (input, file) in &first {
            run(name, target, input, file);
        }
        let mut random = Random(SEED);
        for _ in 0..MUTATIONS {
            let (mut input, file) = first[random.below(first.len())].clone();
            for _ in 0..=random.below(4) {
                mutate(&mut input, &mut random, &first);
            }
            run(name, target, &input, &file);
        }
    }
}

fn first_inputs(target: &str) -> Vec<(Vec<u8>, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6, "{} is nearly empty", folder.display());
    files.iter().map(|file| (fs::read(file).unwrap(), file.file_name().unwrap().display().to_string())).collect()
}

fn run(name: &str, target: fn(&[u8]), input: &[u8], file: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        panic!(
            "target {name}, from {file}: {}\ninput: {}\nput it into vectors/ or fuzz/corpus/{name}/",
            said.unwrap_or("?"),
            input.escape_ascii()
        );
    }
}

fn mutate(input: &mut Vec<u8>, random: &mut Random, others: &[(Vec<u8>, String)]) {
    let at = random.below(input.len() + 1);
    let end = at + random.below(input.len() - at + 1).min(16);
    match random.below(8) {
        0 => input.insert(at, random.next().to_be_bytes()[0]),
        1 if at < input.len() => input[at] ^= 1 << random.below(8),
        2 if at < input.len() => input[at] = random.next().to_be_bytes()[0],
        3 => drop(input.drain(at..end)),
        4 => input.truncate(at),
        5 => {
            let copy = input[at..end].to_vec();
            let to = random.below(input.len() + 1);
            input.splice(to..to, copy);
        }
        6 => {
            let word = WORDS[random.below(WORDS.len())].bytes();
            input.splice(at..end.min(at + random.below(3)), word);
        }
        _ => {
            // The end of another input.
            let other = &others[random.below(others.len())].0;
            input.truncate(at);
            input.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
    }
}

/// `splitmix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}
