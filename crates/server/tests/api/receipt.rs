//! `?wait=…`: a sign-out says who has heard of it.

use crate::harness::{Credentials, DATA_FILE, PASSWORD, Process, Server, Verifier, members};
use counterfoil::system::SystemClock;
use counterfoil_domain::{
    event::{Event, EventKind},
    id::AccountId,
    time::Clock,
};
use counterfoil_store_sqlite::{SqliteOptions, SqliteStore};
use serde_json::json;
use std::{process::Command, sync::Arc, time::Duration};
use tempfile::TempDir;

const EMAIL: &str = "minsu@example.com";

/// The newest line that tells of a receipt. (The clock stands: lines of one instant are in no order.)
async fn receipt_event(server: &Server, account: &str) -> Option<Event> {
    let account: AccountId = account.parse().unwrap();
    let kinds = [EventKind::SignOutConfirmed, EventKind::SignOutUnconfirmed];
    let events = server.store().events_of_account(account, 10).await.unwrap();
    events.into_iter().find(|event| kinds.contains(&event.kind))
}

#[tokio::test]
async fn a_sign_out_is_answered_when_every_verifier_has_heard_of_it() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let tokens = server.sign_up(EMAIL).await;
    let one = Verifier::new(&server, &credentials, "orders-1").follow().await;
    let other = Verifier::new(&server, &credentials, "orders-2").follow().await;

    let ended = server.with_token("DELETE", "/v1/sessions/current?wait=10s", &tokens.access).await.expect(200).json();
    assert_eq!(members(&ended), ["feed", "receipt", "revoked"]);
    let receipt = &ended["receipt"];
    assert_eq!((&receipt["verifiers"], &receipt["confirmed"], &receipt["missing"]), (&2.into(), &2.into(), &json!([])));
    assert!(receipt["slowest_ms"].is_u64());
    let event = receipt_event(&server, &tokens.account()).await.unwrap();
    assert_eq!((event.kind, event.session.unwrap().to_string()), (EventKind::SignOutConfirmed, tokens.session()));
    assert!(event.detail.unwrap().starts_with("2 of 2 verifiers, the slowest after "));

    // Each of the ways to sign out.
    let tokens = server.sign_in(EMAIL).await;
    let everywhere = server.with_token("DELETE", "/v1/sessions?wait=10s", &tokens.access).await.expect(200).json();
    assert_eq!(everywhere["receipt"]["confirmed"], 2);
    let tokens = server.sign_in(EMAIL).await;
    let new = json!({ "current_password": PASSWORD, "new_password": "seven purple walruses at sea" });
    let request = server.request("PUT", "/v1/account/password?wait=10s").bearer_auth(&tokens.access).json(&new);
    assert_eq!(server.send(request).await.expect(200).json()["receipt"]["confirmed"], 2);
    let form = [("token", tokens.refresh.as_str())];
    let revoked = server.post_form("/oauth/revoke?wait=10s", &form).await.expect(200).json();
    assert_eq!((&revoked["revoked"], &revoked["receipt"]["confirmed"]), (&1.into(), &2.into()));
    assert_eq!(server.post_form("/oauth/revoke?wait=10s", &form).await.expect(200).body, b"", "it is over already");
    one.abort();
    other.abort();
}

#[tokio::test]
async fn whoever_has_not_heard_of_it_is_named() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let tokens = server.sign_up(EMAIL).await;
    for (name, more) in [("silent", ""), ("short", "&accepts_for=10s"), ("gone", "")] {
        let verifier = Verifier::new(&server, &credentials, name);
        verifier.load().await;
        verifier.ask(more).await;
        if name == "gone" {
            verifier.ask("&leaving=true").await;
        }
    }
    let sign_out = async |tokens: &crate::harness::Tokens| {
        let path = "/v1/sessions/current?wait=50ms";
        server.with_token("DELETE", path, &tokens.access).await.expect(200).json()["receipt"].clone()
    };
    let receipt = sign_out(&tokens).await;
    assert_eq!(receipt, json!({ "verifiers": 2, "confirmed": 0, "missing": ["short", "silent"] }));
    let event = receipt_event(&server, &tokens.account()).await.unwrap();
    let expected = (EventKind::SignOutUnconfirmed, Some("0 of 2 verifiers; missing: short silent"));
    assert_eq!((event.kind, event.detail.as_deref()), expected);

    // Whoever can accept nothing any more need not hear of it.
    server.clock.advance(Duration::from_secs(11));
    let receipt = sign_out(&server.sign_in(EMAIL).await).await;
    assert_eq!(receipt["missing"], json!(["silent"]));
    server.clock.advance(Duration::from_secs(55));
    let receipt = sign_out(&server.sign_in(EMAIL).await).await;
    assert_eq!(receipt, json!({ "verifiers": 0, "confirmed": 0, "missing": [] }));
}

#[tokio::test]
async fn without_being_asked_nothing_is_waited_for() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    for wait in ["11s", "1", "-1s", "soon"] {
        for path in ["/v1/sessions", "/v1/sessions/current"] {
            let path = format!("{path}?wait={wait}");
            server.with_token("DELETE", &path, &tokens.access).await.expect_refusal(400, "invalid_query");
        }
        let form = [("token", tokens.refresh.as_str())];
        server.post_form(&format!("/oauth/revoke?wait={wait}"), &form).await.expect_refusal(400, "invalid_request");
    }
    let ended = server.with_token("DELETE", "/v1/sessions/current", &tokens.access).await.expect(200).json();
    assert_eq!(members(&ended), ["feed", "revoked"]);
    assert!(receipt_event(&server, &tokens.account()).await.is_none());
}

/// The command line writes by itself, and asks the running server who has heard of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_has_a_receipt_too() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let end = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
        command
            .args(["session", "end", "--wait", "10s", "--data"])
            .arg(&data)
            .args(arguments)
            .current_dir(folder.path());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let process = Process::start(folder.path(), &[("COUNTERFOIL_FEED__WAKE_UPS", "false")]).await;
    let (one, other) = (process.sign_up(EMAIL).await, process.sign_in(EMAIL).await);
    let store = SqliteStore::open(SqliteOptions::new(data.join(DATA_FILE), Arc::new(SystemClock))).unwrap();
    let credentials = Credentials::register(&store, "orders", SystemClock.now()).await;
    let verifier = Verifier::new(&process, &credentials, "orders-1").follow().await;

    let (status, out, err) = end(&[&one.session()]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("ended 1 session\nheard of by 1 of 1 verifier, the slowest after "), "{out}");
    let (status, out, _) = end(&["--account", EMAIL, "--json"]);
    let body: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &body["revoked"], &body["receipt"]["confirmed"]), (0, &1.into(), &1.into()));
    process.account(&other.access).await.expect_refusal(401, "token_revoked");
    verifier.abort();

    // The verifier is silent now, and could still accept something.
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
    command.args(["session", "end", "--everybody", "--wait", "50ms", "--data"]).arg(&data);
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("heard of by 0 of 1 verifier\nnot by orders-1\n"), "{out}");

    process.stop().await;
    let (status, out, err) = end(&["--everybody"]);
    assert_eq!((status, out.lines().count()), (1, 1), "{out}");
    assert!(err.contains("no receipt: no server runs on this data folder"), "{err}");
}
