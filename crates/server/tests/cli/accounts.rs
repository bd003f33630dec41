//! `account`, `session` and `key`, on a store without a running server.

use crate::run;
use counterfoil::{Config, Counterfoil, app::RequestOrigin, app::SignInInput, app::SignInOptions};
use counterfoil_domain::secret::PasswordText;
use std::path::Path;

const PASSWORD: &str = "correct horse battery staple";

fn create(folder: &Path, email: &str, password: &str) -> crate::Run {
    run(folder, &["account", "create", email, "--name", "민수", "--password-stdin"], &format!("{password}\n"))
}

/// Signs in through the library, in the folder's own store, as a server would.
fn sign_in(folder: &Path, device: &str) -> String {
    sign_in_from(folder, Some(device), &RequestOrigin::default())
}

fn sign_in_from(folder: &Path, device: Option<&str>, origin: &RequestOrigin) -> String {
    let config = Config { data: folder.join("counterfoil-data"), ..Config::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = Counterfoil::open(&config, "http://127.0.0.1:1").await.unwrap();
        let options = SignInOptions { device_name: device.map(str::to_owned), ..SignInOptions::default() };
        let password = PasswordText::new(PASSWORD.to_owned());
        let input = SignInInput { email: "minsu@example.com".to_owned(), password, options };
        server.app().sign_in(input, origin).await.unwrap().reply.session.id
    })
}

#[test]
fn accounts_are_made_listed_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let made = create(folder.path(), "minsu@example.com", PASSWORD).expect(0);
    assert!(made.out.starts_with("made account ") && made.out.contains("minsu@example.com"), "{}", made.out);

    let listed = run(folder.path(), &["account", "list", "--json"], "").expect(0).json();
    assert_eq!(listed["accounts"][0]["email"], "minsu@example.com");
    assert_eq!(listed["accounts"][0]["name"], "민수");
    let table = run(folder.path(), &["account", "list"], "").expect(0).out;
    assert_eq!(table.lines().count(), 2, "{table}");

    let shown = run(folder.path(), &["account", "show", "MINSU@example.com", "--json"], "").expect(0).json();
    assert_eq!(shown["events"][0]["kind"], "account_created");
    let id = shown["account"]["id"].as_str().unwrap();
    let by_id = run(folder.path(), &["account", "show", id], "").expect(0).out;
    assert!(by_id.contains("minsu@example.com (not verified)"), "{by_id}");
}

#[test]
fn refusals_are_status_1_and_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), "minsu@example.com", PASSWORD).expect(0);
    for (email, password, said) in [
        ("minsu@EXAMPLE.com", PASSWORD, "exists already"),
        ("other@example.com", "short", "at least 15 characters"),
        ("other@example.com", "passwordpassword", "too easy to guess"),
        ("not an address", PASSWORD, "not an e-mail address"),
    ] {
        let refused = create(folder.path(), email, password).expect(1);
        assert!(refused.err.contains(said) && refused.out.is_empty(), "{}", refused.err);
    }
    let listed = run(folder.path(), &["account", "list", "--json"], "").expect(0).json();
    assert_eq!(listed["accounts"].as_array().unwrap().len(), 1);
    for arguments in [["account", "show", "nobody@example.com"], ["session", "list", "--account=nobody@example.com"]] {
        assert!(run(folder.path(), &arguments, "").expect(1).err.contains("no such account"));
    }
    let stranger = "01a1fd07-89f4-74c2-9132-dbc19178587d";
    for session in [stranger, "nonsense"] {
        assert!(run(folder.path(), &["session", "end", session], "").expect(1).err.contains("no such session"));
    }
}

#[test]
fn a_mistyped_folder_makes_no_new_store() {
    let folder = tempfile::tempdir().unwrap();
    for command in [["account", "list"], ["session", "list"], ["key", "list"]] {
        let refused = run(folder.path(), &command, "").expect(2);
        assert!(refused.err.contains("there is no store at"), "{}", refused.err);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn without_a_terminal_the_password_is_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(folder.path(), &["account", "create", "a@example.com"], "").expect(2);
    assert!(refused.err.contains("--password-stdin"), "{}", refused.err);
    run(folder.path(), &["account", "create"], "").expect(2);
}

#[test]
fn sessions_are_listed_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), "minsu@example.com", PASSWORD).expect(0);
    let laptop = sign_in(folder.path(), "laptop");
    let phone = sign_in(folder.path(), "phone");

    let listed = run(folder.path(), &["session", "list", "--json"], "").expect(0).json();
    let ids = |listed: &serde_json::Value| -> Vec<String> {
        let sessions = listed["sessions"].as_array().unwrap().iter();
        sessions.map(|session| session["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&listed), [laptop.clone(), phone.clone()]);
    assert_eq!(listed["sessions"][0]["device_name"], "laptop");
    assert_eq!(listed["sessions"][0]["account"]["email"], "minsu@example.com");

    assert_eq!(run(folder.path(), &["session", "end", &laptop], "").expect(0).out, "ended 1 session\n");
    let again = run(folder.path(), &["session", "end", &laptop, "--json"], "").expect(0);
    assert_eq!(again.json()["revoked"], 0);
    let of_account = ["session", "list", "--json", "--account", "minsu@example.com"];
    assert_eq!(ids(&run(folder.path(), &of_account, "").expect(0).json()), [phone]);

    let everywhere = ["session", "end", "--account", "minsu@example.com", "--json"];
    assert_eq!(run(folder.path(), &everywhere, "").expect(0).json()["revoked"], 1);
    assert!(ids(&run(folder.path(), &of_account, "").expect(0).json()).is_empty());
}

#[test]
fn a_device_without_a_name_is_called_by_its_user_agent() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), "minsu@example.com", PASSWORD).expect(0);
    for (user_agent, expected) in [("Go-http-client/2.0", "Go program"), ("unheard-of/1.0", "unheard-of/1.0")] {
        let origin = RequestOrigin { user_agent: Some(user_agent.to_owned()), ..RequestOrigin::default() };
        sign_in_from(folder.path(), None, &origin);
        let table = run(folder.path(), &["session", "list"], "").expect(0).out;
        assert!(table.contains(expected), "{table}");
    }
}

#[test]
fn keys_are_listed_without_their_secrets() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), "minsu@example.com", PASSWORD).expect(0);
    sign_in(folder.path(), "laptop");
    let keys = run(folder.path(), &["key", "list", "--json"], "").expect(0).json();
    let signing = keys["keys"].as_array().unwrap().iter().find(|key| key["use"] == "sign").unwrap();
    assert_eq!((&signing["algorithm"], &signing["state"]), (&"EdDSA".into(), &"active".into()));
    let mut members: Vec<_> = signing.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["algorithm", "created_at", "kid", "since", "state", "use"]);
}
