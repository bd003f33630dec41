//! What an operator changes of an account, on a store without a running server.

use crate::run;
use std::path::Path;

const PASSWORD: &str = "correct horse battery staple";
const EMAIL: &str = "minsu@example.com";

fn with_account() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["account", "create", EMAIL, "--password-stdin"], &format!("{PASSWORD}\n")).expect(0);
    folder
}

fn shown(folder: &Path) -> serde_json::Value {
    run(folder, &["account", "show", EMAIL, "--json"], "").expect(0).json()
}

fn newest_event(folder: &Path) -> String {
    shown(folder)["events"][0]["kind"].as_str().unwrap().to_owned()
}

#[test]
fn disable_and_enable() {
    let folder = with_account();
    let folder = folder.path();
    assert_eq!(run(folder, &["account", "disable", EMAIL], "").expect(0).out, "disabled minsu@example.com\n");
    assert!(run(folder, &["account", "list"], "").expect(0).out.contains("disabled"));
    assert!(shown(folder)["disabled_at"].is_string());
    let again = run(folder, &["account", "disable", EMAIL, "--json"], "").expect(0).json();
    assert_eq!((&again["changed"], &again["revoked"]), (&false.into(), &0.into()));
    assert_eq!(run(folder, &["account", "enable", EMAIL], "").expect(0).out, "enabled minsu@example.com\n");
    assert_eq!(newest_event(folder), "account_enabled");
    run(folder, &["account", "disable", "nobody@example.com"], "").expect(1);
}

#[test]
fn delete() {
    let folder = with_account();
    let folder = folder.path();
    assert_eq!(run(folder, &["account", "delete", EMAIL], "").expect(0).out, "deleted minsu@example.com\n");
    assert!(run(folder, &["account", "show", EMAIL], "").expect(1).err.contains("no such account"));
    run(folder, &["account", "delete", EMAIL], "").expect(1);
}

#[test]
fn set_password() {
    let folder = with_account();
    let folder = folder.path();
    let set = |password: &str| run(folder, &["account", "set-password", EMAIL, "--password-stdin"], password);
    assert!(set("short\n").expect(1).err.contains("at least 15 characters"));
    assert!(shown(folder)["password_changed_at"].is_null());
    let done = set("seven purple walruses at sea\n").expect(0).out;
    assert_eq!(done, "set the password of minsu@example.com, and ended 0 sessions\n");
    assert!(shown(folder)["password_changed_at"].is_string());
    assert_eq!(newest_event(folder), "password_changed");
}

#[test]
fn roles() {
    let folder = with_account();
    let folder = folder.path();
    let roles = |arguments: &[&str]| {
        let arguments: Vec<_> = ["account", "roles", EMAIL].iter().chain(arguments).copied().collect();
        run(folder, &arguments, "")
    };
    assert_eq!(roles(&[]).expect(0).out, "minsu@example.com has no roles\n");
    assert_eq!(
        roles(&["--add", "editor", "--add", "admin"]).expect(0).out,
        "minsu@example.com has the roles admin, editor\n"
    );
    assert_eq!(roles(&["--remove", "admin"]).expect(0).out, "minsu@example.com has the roles editor\n");
    for role in ["", "a b", "역할"] {
        assert!(roles(&["--add", role]).expect(1).err.contains("is no role"), "{role}");
    }
    assert_eq!(shown(folder)["account"]["roles"], serde_json::json!(["editor"]));
}

#[test]
fn attributes() {
    let folder = with_account();
    let folder = folder.path();
    let set = |attributes: &[&str]| {
        let arguments: Vec<_> = ["account", "attribute", EMAIL].iter().chain(attributes).copied().collect();
        run(folder, &arguments, "")
    };
    assert_eq!(set(&["dept=sales", "floor=7"]).expect(0).out, "dept = \"sales\"\nfloor = 7\n");
    assert_eq!(set(&["floor="]).expect(0).out, "dept = \"sales\"\n");
    assert!(set(&["a b=1"]).expect(1).err.contains("attribute's name"));
    set(&["nothing"]).expect(2);
    assert_eq!(shown(folder)["attributes"], serde_json::json!({ "dept": "sales" }));
}

#[test]
fn everybody_is_signed_out_in_one_step() {
    let folder = with_account();
    let folder = folder.path();
    let done = run(folder, &["session", "end", "--everybody"], "").expect(0).out;
    assert_eq!(done, "everybody is signed out; personal tokens are ended too\n");
    let place = run(folder, &["session", "end", "--everybody", "--json"], "").expect(0).json();
    assert!(place["feed"]["epoch"].is_i64(), "{place}");
    run(folder, &["session", "end", "--everybody", "--account", EMAIL], "").expect(2);
}
