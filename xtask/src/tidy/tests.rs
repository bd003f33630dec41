//! Each rule, kept and broken.

use super::*;

fn advice_for(path: &str, text: &str) -> Vec<String> {
    check_file(path, text).iter().map(ToString::to_string).collect()
}

fn assert_one_finding(path: &str, text: &str, beginning: &str) {
    let findings = advice_for(path, text);
    assert!(matches!(findings.as_slice(), [only] if only.starts_with(beginning)), "{findings:?}");
}

fn assert_tidy(path: &str, text: &str) {
    assert_eq!(advice_for(path, text), Vec::<String>::new());
}

#[test]
fn leftovers_are_found_with_their_line() {
    for word in LEFTOVERS {
        assert_one_finding(
            "crates/jwt/src/key.rs",
            &format!("fn a() {{}}\n// {word} later\n"),
            "crates/jwt/src/key.rs:2: ",
        );
    }
}

#[test]
fn leftovers_inside_other_words_are_left_alone() {
    let word = LEFTOVERS[0];
    assert_tidy("vectors/a.json", &format!("\"n\": \"ab{word}cd\""));
    assert_tidy("vectors/a.json", &format!("\"n\": \"x-{word}_y\""));
    assert_tidy("LICENSE", word);
}

#[test]
fn machine_paths_are_found() {
    for path in MACHINE_PATHS {
        assert_one_finding("docs/a.md", &format!("see `{path}main/README.md`"), "docs/a.md:1: ");
        assert_tidy("docs/a.md", &format!("see docs{path}README.md"));
    }
}

#[test]
fn long_sources_are_found_and_tests_do_not_count() {
    let long = "// one line\n".repeat(SOURCE_LINES_MAX + 1);
    assert_one_finding("crates/jwt/src/key.rs", &long, "crates/jwt/src/key.rs:501: 501 lines");
    assert_tidy("crates/jwt/tests/key.rs", &long);
    assert_tidy("crates/jwt/src/key/tests.rs", &long);
    assert_tidy("docs/long.md", &long);

    let mostly_tests = format!("fn short() {{}}\n#[cfg(test)]\n{long}");
    assert_tidy("crates/jwt/src/key.rs", &mostly_tests);
}

#[test]
fn members_need_a_reason() {
    let manifest = "[workspace]\nmembers = [\n    # Because.\n    \"crates/a\",\n    \"crates/b\",\n    \"crates/c\", # so\n]\n\"x\"\n";
    assert_one_finding("Cargo.toml", manifest, "Cargo.toml:5: say above \"crates/b\" why");
}

#[test]
fn crates_inherit_the_lints() {
    assert_tidy("crates/a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n");
    assert_one_finding(
        "crates/a/Cargo.toml",
        "[package]\nversion.workspace = true\n",
        "crates/a/Cargo.toml:1: add `[lints]`",
    );
    assert_tidy("fuzz/Cargo.toml", "[package]\n[workspace]\n");
}

#[test]
fn lock_files_name_no_registry() {
    assert_tidy("interop/node/package-lock.json", "{\n  \"version\": \"1.0.0\"\n}");
    let lock = "{\n  \"resolved\": \"https://registry.example/a.tgz\"\n}";
    assert_one_finding("interop/node/package-lock.json", lock, "interop/node/package-lock.json:2: names a registry");
}

const SHARED: &str = "[workspace.dependencies]\n# Why: see the page.\nours = { path = \"crates/ours\" }\n\na = \"1\"\na-b = { version = \"2\" }\n[workspace.lints]\nc = 1\n";

#[test]
fn shared_dependencies_are_explained_and_used() {
    let page = "| crate | for |\n|---|---|\n| `a` | x |\n| `a-b` | see `c` |\n";
    let members =
        ["[dependencies]\na.workspace = true\n", "a-b = { workspace = true, features = [] }\n"].map(str::to_owned);
    assert_eq!(dependencies::in_manifest(SHARED, page, &members), []);
    assert_eq!(dependencies::on_page(page, SHARED), []);

    let lines = |faults: Vec<Fault>| faults.into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(lines(dependencies::in_manifest(SHARED, page, &members[..1])), [6], "a-b is used by nobody");
    assert_eq!(lines(dependencies::in_manifest(SHARED, "", &members)), [5, 6], "nothing is explained");
    assert_eq!(lines(dependencies::on_page("| `gone` | x |", SHARED)), [1]);
}
