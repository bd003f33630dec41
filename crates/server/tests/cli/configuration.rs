//! `config`, and what every command says to a configuration that is not good.

use crate::run;

#[test]
fn every_option_is_shown_with_its_source() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("counterfoil.toml"), "[refresh]\nretry_window = \"20s\"\n").unwrap();
    let shown = run(folder.path(), &["config", "show", "--json", "--data", "elsewhere"], "").expect(0).json();
    let setting = |name: &str| {
        let found = shown["settings"].as_array().unwrap().iter().find(|setting| setting["option"] == name);
        let found = found.unwrap_or_else(|| panic!("{name}"));
        (found["value"].as_str().unwrap().to_owned(), found["source"].as_str().unwrap().to_owned())
    };
    let text = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    assert_eq!(setting("refresh.retry_window"), text("20s", "counterfoil.toml"));
    assert_eq!(setting("data"), text("elsewhere", "flag --data"));
    assert_eq!(setting("password.characters_min"), text("15", "default"));
    assert!(run(folder.path(), &["config", "show"], "").expect(0).out.contains("retry_window"));
}

#[test]
fn unknown_and_unsafe_options_are_refused_by_name() {
    for (file, said) in [
        ("[refresh]\nretry_windw = '1s'\n", "retry_windw"),
        ("[password]\ncharacters_min = 7\n", "password.characters_min"),
        ("public_url = 'http://auth.example.com'\n", "public_url"),
        ("[session]\nidle_lifetime = 'soon'\n", "idle_lifetime"),
        ("not toml at all", "counterfoil.toml"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("counterfoil.toml"), file).unwrap();
        let checked = run(folder.path(), &["config", "check"], "").expect(1);
        assert!(checked.err.contains(said) && checked.out.is_empty(), "{file}: {}", checked.err);
        let served = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"], "").expect(2);
        assert!(served.err.contains(said), "{file}: {}", served.err);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is made before the check");
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["config", "check"], "").expect(0).out, "the configuration is good\n");
    run(folder.path(), &["config", "check", "--config", "missing.toml"], "").expect(1);
}

#[test]
fn an_algorithm_that_does_not_exist_is_named_with_those_that_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("counterfoil.toml"), "[signing]\nalgorithm = 'none'\n").unwrap();
    let refused = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"], "").expect(2);
    assert!(refused.err.contains("signing.algorithm") && refused.err.contains("EdDSA"), "{}", refused.err);
}

#[test]
fn wrong_usage_is_status_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["frobnicate"][..], &[], &["serve", "--listen", "here"], &["token", "verify", "x"]] {
        run(folder.path(), arguments, "").expect(2);
    }
    for arguments in [&["--help"][..], &["--version"], &["token", "verify", "--help"]] {
        run(folder.path(), arguments, "").expect(0);
    }
}
