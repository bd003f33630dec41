//! No input can make this crate panic, by construction: the lints that forbid the ways to panic are on, and no file of
//! the crate lifts them. What lints cannot see (arithmetic, the libraries below) is what the fuzz targets are for.

use std::path::Path;

/// Each of these names one way to panic on input. `clippy -D warnings` makes them errors in all code but tests.
const LINTS: [&str; 4] = ["unwrap_used", "expect_used", "panic", "indexing_slicing"];

#[test]
fn the_lints_are_on_and_nothing_lifts_them() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = std::fs::read_to_string(crate_folder.join("../../Cargo.toml")).unwrap();
    for lint in LINTS {
        assert!(workspace.lines().any(|line| line == format!("{lint} = \"warn\"")), "{lint} is not on");
    }
    let manifest = std::fs::read_to_string(crate_folder.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("[lints]\nworkspace = true"));

    let mut folders = vec![crate_folder.join("src")];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            count += 1;
            let source = std::fs::read_to_string(&path).unwrap();
            for lint in LINTS {
                assert!(!source.contains(&format!("clippy::{lint}")), "{} lifts {lint}", path.display());
            }
            // What aborts without being a lint's business.
            for word in ["unreachable!(", "assert!(", "assert_eq!(", "process::abort"] {
                let before_tests = source.split("#[cfg(test)]").next().unwrap_or_default();
                let is_test_file = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
                let found = before_tests.lines().any(|line| {
                    line.contains(word) && !line.contains("debug_") && !line.trim_start().starts_with("//")
                });
                assert!(is_test_file || !found, "{}: {word}", path.display());
            }
        }
    }
    assert!(count > 30, "{count} files");
}
