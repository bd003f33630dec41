//! The store fails at every call of every flow, before and after it did its work: the answer is always 503 with
//! `Retry-After`, nobody is told that they are not signed in, and trying again does what was asked.

use crate::harness::{Fault, PASSWORD, PAST_THE_WINDOW, Probes, Reply, Server, Tokens, eventually};
use counterfoil_domain::event::EventKind;
use serde_json::json;
use std::time::Duration;

/// One of the requests that need the store, and what a second try may answer when the first did its work unseen.
struct Flow {
    name: &'static str,
    /// How many calls it makes.
    calls: usize,
    /// The status when it works.
    done: u16,
    /// The status of the next try after the first was done and its answer lost.
    repeated: u16,
}

const FLOWS: [Flow; 16] = [
    Flow { name: "sign up", calls: 1, done: 201, repeated: 409 },
    Flow { name: "sign in", calls: 2, done: 201, repeated: 201 },
    Flow { name: "refresh", calls: 1, done: 200, repeated: 200 },
    Flow { name: "oauth refresh", calls: 1, done: 200, repeated: 200 },
    Flow { name: "account", calls: 1, done: 200, repeated: 200 },
    Flow { name: "sessions", calls: 1, done: 200, repeated: 200 },
    Flow { name: "sign out", calls: 1, done: 200, repeated: 401 },
    Flow { name: "sign out everywhere", calls: 1, done: 200, repeated: 401 },
    Flow { name: "sign out elsewhere", calls: 1, done: 200, repeated: 200 },
    Flow { name: "change the name", calls: 1, done: 200, repeated: 200 },
    Flow { name: "make a personal token", calls: 1, done: 201, repeated: 201 },
    Flow { name: "list personal tokens", calls: 1, done: 200, repeated: 200 },
    Flow { name: "delete personal tokens", calls: 1, done: 200, repeated: 200 },
    Flow { name: "delete the account", calls: 1, done: 200, repeated: 401 },
    Flow { name: "revoke refresh token", calls: 1, done: 200, repeated: 200 },
    Flow { name: "revoke access token", calls: 1, done: 200, repeated: 200 },
];

impl Flow {
    async fn run(&self, server: &Server, email: &str, tokens: &Tokens) -> Reply {
        let refresh = tokens.refresh.as_str();
        match self.name {
            "sign up" => {
                let account = json!({ "email": format!("new-{email}"), "password": PASSWORD, "sign_in": {} });
                server.post_json("/v1/accounts", &account).await
            }
            "sign in" => server.try_sign_in(email, PASSWORD).await,
            "refresh" => server.refresh(refresh).await,
            "oauth refresh" => {
                let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
                server.post_form("/oauth/token", &form).await
            }
            "account" => server.account(&tokens.access).await,
            "sessions" => server.with_token("GET", "/v1/sessions", &tokens.access).await,
            "sign out" => server.with_token("DELETE", "/v1/sessions/current", &tokens.access).await,
            "sign out everywhere" => server.with_token("DELETE", "/v1/sessions", &tokens.access).await,
            "sign out elsewhere" => server.with_token("DELETE", "/v1/sessions?keep_current=true", &tokens.access).await,
            "change the name" => {
                let request = server.request("PATCH", "/v1/account").bearer_auth(&tokens.access);
                server.send(request.json(&json!({ "name": "민수" }))).await
            }
            "make a personal token" => {
                let request = server.request("POST", "/v1/personal-tokens").bearer_auth(&tokens.access);
                server.send(request.json(&json!({ "name": "backup", "scope": "account" }))).await
            }
            "list personal tokens" => server.with_token("GET", "/v1/personal-tokens", &tokens.access).await,
            "delete personal tokens" => server.with_token("DELETE", "/v1/personal-tokens", &tokens.access).await,
            "delete the account" => server.with_token("DELETE", "/v1/account", &tokens.access).await,
            "revoke refresh token" => server.post_form("/oauth/revoke", &[("token", refresh)]).await,
            "revoke access token" => server.post_form("/oauth/revoke", &[("token", &tokens.access)]).await,
            other => panic!("no flow is called {other}"),
        }
    }

    fn is_oauth(&self) -> bool {
        self.name.starts_with("oauth") || self.name.starts_with("revoke")
    }

    /// Whether the access token that asks is not good any more afterwards.
    fn ends_the_token(&self) -> bool {
        ["sign out", "sign out everywhere", "delete the account", "revoke refresh token", "revoke access token"]
            .contains(&self.name)
    }
}

/// Runs the flow with its `nth` call failing; the answer must say so and nothing else.
async fn fail(flow: &Flow, nth: usize, fault: Fault, email: &str, (server, probes): (&Server, &Probes)) -> Tokens {
    let tokens = server.sign_up(email).await;
    server.pass(PAST_THE_WINDOW).await;
    probes.fail(nth, fault);
    let reply = flow.run(server, email, &tokens).await;
    assert!(probes.has_failed(), "{}: made fewer calls", flow.name);
    let code = match fault {
        _ if flow.is_oauth() => "temporarily_unavailable",
        Fault::Overloaded => "overloaded",
        _ => "store_unavailable",
    };
    let reply = reply.expect_refusal(503, code);
    assert_eq!(reply.header("retry-after"), "1");
    assert!(!reply.text().contains("for the test"), "what failed inside is for the log");
    tokens
}

#[tokio::test]
async fn a_call_that_failed_did_nothing_and_the_next_try_works() {
    let (server, probes) = Server::start_probed().await;
    for (number, flow) in FLOWS.iter().enumerate() {
        for nth in 1..=flow.calls {
            for fault in [Fault::Unreachable, Fault::Overloaded] {
                println!("{}: call {nth} is {fault:?}", flow.name);
                let email = format!("p{number}-{nth}-{fault:?}@example.com");
                let tokens = fail(flow, nth, fault, &email, (&server, &probes)).await;
                server.with_token("GET", "/v1/forward-auth", &tokens.access).await.expect(200);
                flow.run(&server, &email, &tokens).await.expect(flow.done);
                if !flow.ends_the_token() {
                    server.account(&tokens.access).await.expect(200);
                    server.refresh(&tokens.refresh).await.expect(200);
                }
            }
        }
    }
}

#[tokio::test]
async fn a_call_that_was_done_while_its_answer_was_lost_stays_done() {
    let (server, probes) = Server::start_probed().await;
    for (number, flow) in FLOWS.iter().enumerate() {
        for nth in 1..=flow.calls {
            println!("{}: the answer to call {nth} is lost", flow.name);
            let email = format!("p{number}-{nth}@example.com");
            let tokens = fail(flow, nth, Fault::LostAnswer, &email, (&server, &probes)).await;
            if flow.ends_the_token() {
                // The answer would have said so at once; without it the feed does, a moment later.
                let is_refused = || async { server.account(&tokens.access).await.status == 401 };
                eventually("the feed is followed", Duration::from_secs(5), is_refused).await;
            }
            flow.run(&server, &email, &tokens).await.expect(flow.repeated);
            match flow.name {
                "sign up" => drop(server.sign_in(&format!("new-{email}")).await),
                _ if flow.ends_the_token() => {
                    server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
                }
                // The session goes on.
                _ => drop(server.refresh(&tokens.refresh).await.expect(200)),
            }
        }
    }
}

/// The successor that nobody saw is the one that the retry gets, and it works.
#[tokio::test]
async fn a_refresh_whose_answer_was_lost_can_be_repeated() {
    let (server, probes) = Server::start_probed().await;
    let first = server.sign_up("minsu@example.com").await;
    for _ in 0..3 {
        server.pass(PAST_THE_WINDOW).await;
        let tokens = server.refresh(&first.refresh).await.expect(200).tokens();
        assert_ne!(tokens.refresh, first.refresh);
    }
    let mut current = server.refresh(&first.refresh).await.expect(200).tokens();
    for _ in 0..3 {
        server.pass(PAST_THE_WINDOW).await;
        probes.fail(1, Fault::LostAnswer);
        server.refresh(&current.refresh).await.expect_refusal(503, "store_unavailable");
        let committed = server.snapshot().await.sessions[0].session.rotation;
        let next = server.refresh(&current.refresh).await.expect(200).tokens();
        assert_eq!(server.snapshot().await.sessions[0].session.rotation, committed, "the same successor");
        assert_ne!(next.refresh, current.refresh);
        current = next;
    }
}

/// Theft is found, and its answer lost: the session is over all the same.
#[tokio::test]
async fn a_theft_whose_answer_was_lost_is_still_a_theft() {
    let (server, probes) = Server::start_probed().await;
    let first = server.sign_up("minsu@example.com").await;
    let mut current = first.clone();
    for _ in 0..2 {
        server.pass(PAST_THE_WINDOW).await;
        current = server.refresh(&current.refresh).await.expect(200).tokens();
    }
    server.pass(PAST_THE_WINDOW).await;
    probes.fail(1, Fault::LostAnswer);
    server.refresh(&first.refresh).await.expect_refusal(503, "store_unavailable");
    let is_refused = || async { server.account(&current.access).await.status == 401 };
    eventually("the feed is followed", Duration::from_secs(5), is_refused).await;
    for tokens in [&first, &current] {
        server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
    }
    let events = server.snapshot().await.events;
    assert_eq!(events.iter().filter(|event| event.kind == EventKind::RefreshTokenReused).count(), 1);
}

#[tokio::test]
async fn a_hanging_call_holds_up_nobody_else() {
    let (server, probes) = Server::start_probed().await;
    let (waiting, other) = (server.sign_up("minsu@example.com").await, server.sign_up("jiho@example.com").await);
    server.pass(PAST_THE_WINDOW).await;
    probes.fail(1, Fault::Hang);
    let client = (*server).clone();
    let token = waiting.refresh.clone();
    let hanging = tokio::spawn(async move { client.refresh(&token).await });
    eventually("it hangs", Duration::from_secs(5), || async { probes.has_failed() }).await;
    for tokens in [&waiting, &other] {
        server.with_token("GET", "/v1/forward-auth", &tokens.access).await.expect(200);
        server.account(&tokens.access).await.expect(200);
    }
    server.refresh(&other.refresh).await.expect(200);
    assert!(!hanging.is_finished());
    probes.release();
    hanging.await.unwrap().expect(200);
}

/// A refresh that reaches the store long after it was accepted is not executed: its client has given up or asked again.
#[tokio::test]
async fn a_refresh_that_waited_too_long_is_dropped() {
    let (server, probes) = Server::start_probed().await;
    let tokens = server.sign_up("minsu@example.com").await;
    server.pass(PAST_THE_WINDOW).await;
    let before = server.snapshot().await;
    for (wait, status) in [(6, 503), (5, 200)] {
        probes.fail(1, Fault::Hang);
        let (client, token) = ((*server).clone(), tokens.refresh.clone());
        let hanging = tokio::spawn(async move { client.refresh(&token).await });
        eventually("it hangs", Duration::from_secs(5), || async { probes.has_failed() }).await;
        server.pass(Duration::from_secs(wait)).await;
        probes.release();
        let reply = hanging.await.unwrap().expect(status);
        if status == 503 {
            assert_eq!(reply.expect_refusal(503, "too_late").header("retry-after"), "1");
            assert_eq!(server.snapshot().await, before);
        }
    }
}

#[tokio::test]
async fn readiness_tells_of_the_store_and_liveness_does_not() {
    let (server, probes) = Server::start_probed().await;
    probes.fail(1, Fault::Unreachable);
    let reply = server.get("/readyz").await.expect(503);
    assert_eq!(reply.header("retry-after"), "1");
    let unavailable = json!({ "status": "unavailable", "checks": { "store": "unavailable", "feed": "ok" } });
    assert_eq!(reply.json(), unavailable);
    server.get("/healthz").await.expect(200);
    // One look at the store serves everybody for a second: each writes durably, and anybody may ask.
    server.get("/readyz").await.expect(503);
    server.pass(Duration::from_secs(1)).await;
    server.get("/readyz").await.expect(200);
}
