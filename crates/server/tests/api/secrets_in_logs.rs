//! Nothing that opens a session is ever written to a log, however much is logged, nor to the debug form of an error.

use crate::harness::{PASSWORD, Process, Server, Tokens};
use counterfoil::app::{NewPerson, RefreshInput, RequestOrigin, SignInInput, SignInOptions, Transport};
use counterfoil_domain::secret::PasswordText;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

const EMAIL: &str = "minsu@example.com";
const WRONG: &str = "a quite wrong password 17";

/// The parts of tokens that are worth anything to a thief.
fn distinctive_parts(tokens: &Tokens) -> Vec<String> {
    let (_, claims_and_signature) = tokens.access.split_once('.').unwrap();
    let (claims, signature) = claims_and_signature.split_once('.').unwrap();
    let (_, tag) = tokens.refresh.split_at(tokens.refresh.len() - 20);
    [&tokens.access, claims, signature, &tokens.refresh, tag].map(str::to_owned).to_vec()
}

#[track_caller]
fn assert_none_in(text: &str, secrets: &[String]) {
    for secret in secrets {
        if let Some(at) = text.find(secret.as_str()) {
            let line_begin = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            panic!("a secret is in this line: {}", text[line_begin..].lines().next().unwrap_or_default());
        }
    }
}

#[tokio::test]
async fn the_log_holds_no_secret_at_its_loudest() {
    for format in ["text", "json"] {
        let folder = TempDir::new().unwrap();
        let options = [("COUNTERFOIL_LOG__FILTER", "trace"), ("COUNTERFOIL_LOG__FORMAT", format)];
        let process = Process::start(folder.path(), &options).await;
        let mut secrets = vec![PASSWORD.to_owned(), WRONG.to_owned()];

        let first = process.sign_up(EMAIL).await;
        let second = process.sign_in(EMAIL).await;
        let refreshed = process.refresh(&second.refresh).await.expect(200).tokens();
        let form = [("grant_type", "refresh_token"), ("refresh_token", second.refresh.as_str())];
        let by_form = process.post_form("/oauth/token", &form).await.expect(200).tokens();
        process.try_sign_in(EMAIL, WRONG).await.expect(401);
        process.try_sign_in("nobody@example.com", WRONG).await.expect(401);
        process.post_json("/v1/accounts", &json!({ "email": EMAIL, "password": WRONG })).await.expect(409);
        process.post_json("/v1/accounts", &json!({ "email": WRONG, "password": WRONG })).await.expect(422);
        process.post_json("/v1/sessions", &json!({ "email": [WRONG], "password": WRONG })).await.expect(422);
        process.post_text("/v1/sessions", format!("{{\"password\":\"{WRONG}\"")).await.expect(400);
        process.account(&first.access).await.expect(200);
        process.account(&first.refresh).await.expect(401);
        process.account(&format!("{}A", first.access)).await.expect(401);
        process.get(&format!("/v1/account?access_token={}", first.access)).await.expect(401);
        process.get(&format!("/nowhere/{}", first.access)).await.expect(404);
        process.with_token("DELETE", &format!("/v1/sessions/{}", first.refresh), &first.access).await.expect(404);
        process.refresh(&first.access).await.expect(401);
        process.refresh(&format!("{}A", first.refresh)).await.expect(401);
        let along = json!({ "refresh_token": first.refresh, "access_token": second.access });
        process.post_json("/v1/sessions/current/refresh", &along).await.expect(401);
        process.post_form("/oauth/revoke", &[("token", &by_form.access)]).await.expect(200);
        process.with_token("DELETE", "/v1/sessions", &first.access).await.expect(200);
        process.refresh(&first.refresh).await.expect(401);
        process.account(&first.access).await.expect(401);

        for tokens in [&first, &second, &refreshed, &by_form] {
            secrets.extend(distinctive_parts(tokens));
        }
        let master_key = fs::read_to_string(folder.path().join("data/master.key")).unwrap();
        secrets.push(master_key.trim().to_owned());
        secrets.push("$argon2id$".to_owned());
        process.terminate();
        let mut process = process;
        process.exited().await;
        let log = process.errors();
        assert!(log.contains("signed in") && log.contains("DEBUG"), "the log was not at its loudest: {log}");
        assert_none_in(&log, &secrets);
        let signed_in = log.lines().find(|line| line.contains("signed in")).unwrap();
        let named = if format == "json" { r#""route":"/v1/sessions"}"# } else { " route=/v1/sessions" };
        assert!(signed_in.ends_with(named) && signed_in.contains("request_id"), "{signed_in}");
        if format == "json" {
            serde_json::from_str::<serde_json::Value>(signed_in).unwrap();
        }
        // The welcome shows a password to try, which is not anybody's.
        assert_none_in(&process.words(), &secrets);
    }
}

#[tokio::test]
async fn errors_do_not_print_what_they_were_given() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    let (app, origin) = (server.counterfoil().app(), RequestOrigin::default());
    let mut printed = Vec::new();
    let mut print = |error: &counterfoil::app::AppError| printed.push(format!("{error:?} {error:#?} {error}"));

    let password = || PasswordText::new(WRONG.to_owned());
    for email in [EMAIL, WRONG] {
        let input = SignInInput { email: email.into(), password: password(), options: SignInOptions::default() };
        print(&app.sign_in(input, &origin).await.err().unwrap());
        let person = NewPerson { email: email.into(), password: password(), name: None };
        print(&app.sign_up(person, None, &origin).await.err().unwrap());
    }
    for (refresh_token, access_token) in [
        (tokens.access.clone(), None),
        (format!("{}A", tokens.refresh), None),
        (tokens.refresh.clone(), Some(format!("{}A", tokens.access))),
    ] {
        let input =
            RefreshInput { refresh_token, access_token, scope: None, client_id: None, transport: Transport::Body };
        print(&app.refresh(input, &origin).await.err().unwrap());
    }
    for token in [&tokens.refresh, &format!("{}A", tokens.access)] {
        print(&app.guard().authenticate_token(token).unwrap_err().into());
    }
    assert_eq!(printed.len(), 9);
    assert_none_in(&printed.join("\n"), &[distinctive_parts(&tokens), vec![WRONG.to_owned()]].concat());
}
