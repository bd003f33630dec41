//! `config`, and what every command says to a configuration that is not good.
//!
//! After a change of the options, `UPDATE_CONFIGURATION=1 cargo test -p counterfoil --test cli configuration` writes
//! `docs/configuration.md` anew.

use crate::{run, run_in};
use serde_json::{Value, json};
use std::{env, fs, path::Path};

#[test]
fn the_page_in_the_repository_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = counterfoil::config::reference_page();
    if env::var_os("UPDATE_CONFIGURATION").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let copy = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        copy == page,
        "docs/configuration.md is not what the code says: run this test with UPDATE_CONFIGURATION=1 and look at the diff"
    );
}

#[test]
fn every_option_is_shown_with_its_source() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("counterfoil.toml"), "[refresh]\nretry_window = \"20s\"\n").unwrap();
    let shown = run(folder.path(), &["config", "show", "--json", "--data", "elsewhere"], "").expect(0).json();
    let setting = |name: &str| {
        let found = shown["settings"].as_array().unwrap().iter().find(|setting| setting["option"] == name);
        let found = found.unwrap_or_else(|| panic!("{name}"));
        assert!(found["meaning"].as_str().is_some_and(|meaning| meaning.len() > 10), "{name}");
        (found["value"].clone(), found["source"].as_str().unwrap().to_owned())
    };
    let set = |value: Value, source: &str| (value, source.to_owned());
    assert_eq!(setting("refresh.retry_window"), set(json!("20s"), "counterfoil.toml"));
    assert_eq!(setting("data"), set(json!("elsewhere"), "flag --data"));
    assert_eq!(setting("password.characters_min"), set(json!(15), "default"));
    assert_eq!(setting("refresh.require_access_token"), set(json!(false), "default"));
    assert_eq!(setting("signing.secret_file"), set(Value::Null, "default"));
    assert_eq!(setting("store"), set(json!("sqlite:elsewhere/counterfoil.sqlite"), "default"));
    assert_eq!(setting("access_token.audience"), set(json!("http://127.0.0.1:8080"), "default"));
}

#[test]
fn people_read_a_table_with_what_each_option_means() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("COUNTERFOIL_REFRESH__RETRY_WINDOW", "20s")];
    let shown = run_in(&environment, folder.path(), &["config", "show"], "").expect(0).out;
    let line = shown.lines().position(|line| line.contains("refresh.retry_window")).unwrap();
    let words: Vec<_> = shown.lines().nth(line).unwrap().split_whitespace().collect();
    assert_eq!(words, ["refresh.retry_window", "20s", "environment", "COUNTERFOIL_REFRESH__RETRY_WINDOW"]);
    assert!(shown.lines().nth(line + 1).unwrap().contains("a retry is answered"), "{shown}");
    let usual = run(folder.path(), &["config", "show"], "").expect(0).out;
    assert!(usual.lines().all(|line| line.chars().count() <= 100), "{usual}");
    assert!(!shown.contains("not set") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn a_wrong_value_is_told_with_its_place_and_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, value, said) in [
        (
            "COUNTERFOIL_PASSWORD__HASH_QUEUE_MAX",
            "x",
            "expected a whole number, found \"x\"; write for example COUNTERFOIL_PASSWORD__HASH_QUEUE_MAX=64",
        ),
        (
            "COUNTERFOIL_REFRESH__RETRY_WINDOW",
            "15",
            "expected text, found 15; write for example COUNTERFOIL_REFRESH__RETRY_WINDOW=15s",
        ),
        (
            "COUNTERFOIL_LISTEN",
            "8080",
            "COUNTERFOIL_LISTEN: option `listen`: expected text, found 8080; write for example COUNTERFOIL_LISTEN=127.0.0.1:8080",
        ),
        ("COUNTERFOIL_FOO", "1", "COUNTERFOIL_FOO: there is no option `foo`; here can be: listen, "),
        (
            "COUNTERFOIL_PASSWORD__CHARACTERS_MIN",
            "7",
            "environment COUNTERFOIL_PASSWORD__CHARACTERS_MIN: option `password.characters_min`: ",
        ),
    ] {
        let refused = run_in(&[(variable, value)], folder.path(), &["config", "check"], "").expect(1);
        assert!(refused.err.contains(said), "{}", refused.err);
        for jargon in ["usize", "unsigned", "invalid type", "struct"] {
            assert!(!refused.err.contains(jargon), "{}", refused.err);
        }
    }
    fs::write(folder.path().join("counterfoil.toml"), "[refresh]\n\nretry_windw = '1s'\n").unwrap();
    let refused = run(folder.path(), &["config", "check"], "").expect(1);
    assert!(
        refused.err.contains("counterfoil.toml, line 3: there is no option `refresh.retry_windw`"),
        "{}",
        refused.err
    );
}

#[test]
fn unknown_and_unsafe_options_are_refused_by_name() {
    for (file, said) in [
        ("[refresh]\nretry_windw = '1s'\n", "retry_windw"),
        ("[password]\ncharacters_min = 7\n", "password.characters_min"),
        ("public_url = 'http://auth.example.com'\n", "public_url"),
        ("[refresh]\nidle_lifetime = 'soon'\n", "idle_lifetime"),
        ("not toml at all", "counterfoil.toml"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("counterfoil.toml"), file).unwrap();
        let checked = run(folder.path(), &["config", "check"], "").expect(1);
        assert!(checked.err.contains(said) && checked.out.is_empty(), "{file}: {}", checked.err);
        let served = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"], "").expect(2);
        assert!(served.err.contains(said), "{file}: {}", served.err);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is made before the check");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["config", "check"], "").expect(0).out, "the configuration is good\n");
    run(folder.path(), &["config", "check", "--config", "missing.toml"], "").expect(1);
}

#[test]
fn an_algorithm_that_does_not_exist_is_named_with_those_that_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("counterfoil.toml"), "[signing]\nalgorithm = 'none'\n").unwrap();
    let refused = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"], "").expect(2);
    assert!(refused.err.contains("signing.algorithm") && refused.err.contains("EdDSA"), "{}", refused.err);
}

#[test]
fn a_secret_that_serve_would_refuse_is_refused_by_the_check() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (configuration, secret) = (folder.path().join("counterfoil.toml"), folder.path().join("secret.txt"));
    let with_algorithm = |algorithm: &str| {
        let text = format!("[signing]\nalgorithm = '{algorithm}'\nsecret_file = 'secret.txt'\n");
        fs::write(&configuration, text).unwrap();
    };
    let check = || run(folder.path(), &["config", "check"], "");
    with_algorithm("HS256");
    check().expect(0);
    assert!(!secret.exists(), "nothing is made by a check");

    for (text, mode, algorithm, said) in [
        (
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
            0o600,
            "HS256",
            "well known",
        ),
        ("c2hvcnQ", 0o600, "HS256", "too weak"),
        ("not base64url!", 0o600, "HS256", "expected base64url"),
        ("Zm9sZHMgb2YgcmFuZG9tIHBhcGVyIGFuZCBzbGlwcyA", 0o644, "HS256", "chmod 600"),
        ("Zm9sZHMgb2YgcmFuZG9tIHBhcGVyIGFuZCBzbGlwcyA", 0o600, "HS512", "too weak"),
        ("Zm9sZHMgb2YgcmFuZG9tIHBhcGVyIGFuZCBzbGlwcyA", 0o600, "EdDSA", "needs no shared secret"),
    ] {
        fs::write(&secret, text).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        with_algorithm(algorithm);
        let checked = check().expect(1);
        assert!(checked.err.contains(said) && checked.out.is_empty(), "{text}: {}", checked.err);
        assert!(!checked.err.contains(text), "a secret is not repeated: {}", checked.err);
        let served = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"], "").expect(2);
        assert!(served.err.contains(said), "{text}: {}", served.err);
    }
    with_algorithm("HS256");
    check().expect(0);
}

#[test]
fn wrong_usage_is_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(folder.path(), &["serve", "--listen", "example.com:80"], "").expect(2);
    assert!(refused.err.contains("localhost:8080"), "{}", refused.err);
    for arguments in [&["frobnicate"][..], &[], &["serve", "--listen", "here"], &["token", "verify", "x"]] {
        run(folder.path(), arguments, "").expect(2);
    }
    for arguments in [&["--help"][..], &["--version"], &["token", "verify", "--help"]] {
        run(folder.path(), arguments, "").expect(0);
    }
}
