//! `client`: verifiers are registered, listed and deleted.

use crate::run;

#[test]
fn clients_are_made_listed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(folder.path(), &["client", "create", "orders", "--kind", "verifier"], "").expect(2);
    assert!(refused.err.contains("there is no store at"), "{}", refused.err);
    let password = "correct horse battery staple\n";
    run(folder.path(), &["account", "create", "minsu@example.com", "--password-stdin"], password).expect(0);

    let made = run(folder.path(), &["client", "create", "orders", "--kind", "verifier", "--json"], "").expect(0).json();
    assert_eq!((&made["client_id"], &made["kind"]), (&"orders".into(), &"verifier".into()));
    let secret = made["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("cfk_") && secret.len() == 52, "{secret}");
    let shown = run(folder.path(), &["client", "create", "mail", "--kind", "verifier"], "").expect(0).out;
    assert!(
        shown.contains("client_id      mail\n") && shown.contains("cfk_") && shown.contains("this once"),
        "{shown}"
    );

    for (name, said) in [("orders", "there is a client of this name"), ("a b", "1 to 64 letters"), ("a:b", "1 to 64")] {
        let refused = run(folder.path(), &["client", "create", name, "--kind", "verifier"], "").expect(1);
        assert!(refused.err.contains(said) && refused.out.is_empty(), "{}", refused.err);
    }
    run(folder.path(), &["client", "create", "other"], "").expect(2);
    run(folder.path(), &["client", "create", "other", "--kind", "admin"], "").expect(2);

    let listed = run(folder.path(), &["client", "list", "--json"], "").expect(0);
    assert!(!listed.out.contains(secret) && !listed.out.contains("secret"), "{}", listed.out);
    let names: Vec<_> =
        listed.json()["clients"].as_array().unwrap().iter().map(|client| client["client_id"].clone()).collect();
    assert_eq!(names, ["mail", "orders"]);
    assert_eq!(run(folder.path(), &["client", "list"], "").expect(0).out.lines().count(), 3);

    assert_eq!(run(folder.path(), &["client", "delete", "orders"], "").expect(0).out, "deleted client orders\n");
    for name in ["orders", "a b"] {
        let refused = run(folder.path(), &["client", "delete", name], "").expect(1);
        assert!(refused.err.contains("there is no such client"), "{}", refused.err);
    }
}
