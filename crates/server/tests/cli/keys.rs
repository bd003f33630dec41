//! `key list`, `key rotate` and `key import`, on a store without a running server.

use crate::{Run, run, run_in};
use counterfoil::{Config, Counterfoil};
use counterfoil_jwt::{Algorithm, SigningKey};
use std::{fs, path::Path};

/// Starts a server through the library, so that the folder has keys.
fn start_once(folder: &Path, algorithm: &str) {
    let mut config = Config { data: folder.join("counterfoil-data"), ..Config::default() };
    algorithm.clone_into(&mut config.signing.algorithm);
    config.password.hash_threads = Some(1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { drop(Counterfoil::open(&config, "http://127.0.0.1:1").await.unwrap()) });
}

/// The state, the id and whether it is told when it signs, of each signing key.
fn signing_keys(folder: &Path) -> Vec<(String, String, bool)> {
    let listed = run(folder, &["key", "list", "--json"], "").expect(0).json();
    let keys = listed["keys"].as_array().unwrap().iter().filter(|key| key["use"] == "sign");
    let text = |key: &serde_json::Value, name: &str| key[name].as_str().unwrap().to_owned();
    keys.map(|key| (text(key, "state"), text(key, "kid"), key["signs_at"].is_string())).collect()
}

fn states(folder: &Path) -> Vec<String> {
    signing_keys(folder).into_iter().map(|(state, _, _)| state).collect()
}

#[test]
fn a_rotation_says_what_happens_and_when() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(folder.path(), &["key", "rotate"], "").expect(2);
    assert!(refused.err.contains("there is no store"), "{}", refused.err);
    start_once(folder.path(), "EdDSA");
    let said = run(folder.path(), &["key", "rotate"], "").expect(0).out;
    assert!(
        said.contains("(EdDSA) is published now") && said.contains("a running server signs with it from 20"),
        "{said}"
    );
    assert_eq!(states(folder.path()), ["active", "upcoming"]);
    let next = signing_keys(folder.path()).remove(1);
    assert!(next.2 && said.contains(&next.1), "{said}");
    let listed = run(folder.path(), &["key", "list"], "").expect(0).out;
    assert!(listed.contains("SIGNS FROM") && listed.contains("SINCE"), "{listed}");

    let again = run(folder.path(), &["key", "rotate", "--json"], "").expect(0).json();
    assert_eq!((again["kid"].as_str(), again["new"].as_bool()), (Some(next.1.as_str()), Some(false)));
    assert_eq!(states(folder.path()), ["active", "upcoming"]);
    assert!(run(folder.path(), &["key", "rotate"], "").expect(0).out.contains("on its way already"));
}

#[test]
fn a_leaked_key_is_given_up_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    start_once(folder.path(), "EdDSA");
    run(folder.path(), &["key", "rotate"], "").expect(0);
    let before: Vec<_> = signing_keys(folder.path()).into_iter().map(|(_, kid, _)| kid).collect();
    let done = run(folder.path(), &["key", "rotate", "--compromised", "--json"], "").expect(0).json();
    assert_eq!(done["given_up"], serde_json::json!(before));
    let keys = signing_keys(folder.path());
    let active: Vec<_> =
        keys.iter().filter(|(state, _, _)| state == "active").map(|(_, kid, _)| kid.as_str()).collect();
    assert_eq!((active, keys.len()), (vec![done["active"].as_str().unwrap()], 3));
    let said = run(folder.path(), &["key", "rotate", "--compromised"], "").expect(0).out;
    assert!(said.contains("signs now") && said.contains("300 seconds"), "{said}");
    start_once(folder.path(), "EdDSA");
    assert_eq!(states(folder.path()).iter().filter(|state| *state == "active").count(), 1);
}

#[test]
fn ones_own_key_is_the_next_to_sign() {
    let folder = tempfile::tempdir().unwrap();
    start_once(folder.path(), "ES256");
    let import = |text: &str| -> Run {
        fs::write(folder.path().join("own.key"), text).unwrap();
        run_in(&[("COUNTERFOIL_SIGNING__ALGORITHM", "ES256")], folder.path(), &["key", "import", "own.key"], "")
    };
    let other = SigningKey::generate(Algorithm::EdDsa).unwrap().to_private_jwk().unwrap();
    for (text, said) in [(other.as_str(), "expected a private key for ES256"), ("what?", "own.key")] {
        let refused = import(text).expect(2);
        assert!(refused.err.contains(said), "{}", refused.err);
    }
    let own = SigningKey::generate(Algorithm::Es256).unwrap();
    let thumbprint = own.verifying_key().thumbprint().unwrap();
    let own = own.to_private_jwk().unwrap();
    let said = import(&own).expect(0).out;
    assert!(said.contains(&format!("key {thumbprint} (ES256) is published now")), "{said}");
    let listed = signing_keys(folder.path());
    assert_eq!((listed[1].0.as_str(), listed[1].1.as_str()), ("upcoming", thumbprint.as_str()));
    assert!(import(&own).expect(1).err.contains("the server has, or had, a key"));
    let another = SigningKey::generate(Algorithm::Es256).unwrap().to_private_jwk().unwrap();
    assert!(import(&another).expect(0).out.contains(&format!("key {thumbprint} is on its way already")));
    // It opens, and is read.
    start_once(folder.path(), "ES256");
}

#[test]
fn a_secret_from_a_file_is_changed_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    start_once(folder.path(), "HS256");
    fs::write(
        folder.path().join("counterfoil.toml"),
        "[signing]\nalgorithm = \"HS256\"\nsecret_file = \"secret.txt\"\n",
    )
    .unwrap();
    for arguments in [&["key", "rotate"][..], &["key", "rotate", "--compromised"]] {
        let refused = run(folder.path(), arguments, "").expect(2);
        assert!(refused.err.contains("signing.secret_file"), "{}", refused.err);
    }
    assert_eq!(states(folder.path()), ["active"]);
}
