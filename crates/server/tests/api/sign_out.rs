//! Signing out: one session, all, all but this one. Whatever was ended is refused at the very next request.

use crate::harness::{PAST_THE_WINDOW, Server, Tokens};
use counterfoil_domain::event::EventKind;

const EMAIL: &str = "minsu@example.com";

async fn assert_over(server: &Server, tokens: &Tokens) {
    server.account(&tokens.access).await.expect_refusal(401, "token_revoked");
    server.with_token("GET", "/v1/forward-auth", &tokens.access).await.expect_refusal(401, "token_revoked");
    server.with_token("GET", "/guarded", &tokens.access).await.expect_refusal(401, "token_revoked");
    server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
}

async fn assert_good(server: &Server, tokens: &Tokens) {
    server.account(&tokens.access).await.expect(200);
    server.refresh(&tokens.refresh).await.expect(200);
}

async fn events(server: &Server) -> Vec<EventKind> {
    let mut kinds: Vec<_> = server.snapshot().await.events.iter().map(|event| event.kind).collect();
    kinds.retain(|kind| ![EventKind::AccountCreated, EventKind::SignedIn].contains(kind));
    kinds
}

#[tokio::test]
async fn the_session_that_asks() {
    let server = Server::start().await;
    let (phone, laptop) = (server.sign_up(EMAIL).await, server.sign_in(EMAIL).await);
    let answer = server.with_token("DELETE", "/v1/sessions/current", &phone.access).await.expect(200).json();
    assert_eq!((&answer["revoked"], &answer["feed"]["seq"]), (&1.into(), &1.into()));
    assert_over(&server, &phone).await;
    assert_good(&server, &laptop).await;
    assert_eq!(events(&server).await, [EventKind::SignedOut]);
}

#[tokio::test]
async fn another_session_by_its_id_and_a_second_time() {
    let server = Server::start().await;
    let (phone, laptop) = (server.sign_up(EMAIL).await, server.sign_in(EMAIL).await);
    let path = format!("/v1/sessions/{}", phone.session());
    let answer = server.with_token("DELETE", &path, &laptop.access).await.expect(200).json();
    assert_eq!(answer["revoked"], 1);
    assert_over(&server, &phone).await;
    assert_eq!(server.sessions(&laptop.access).await.len(), 1);

    let before = server.snapshot().await;
    let again = server.with_token("DELETE", &path, &laptop.access).await.expect(200).json();
    assert_eq!((&again["revoked"], &again["feed"]), (&0.into(), &answer["feed"]));
    assert_eq!(server.snapshot().await, before);
    assert_good(&server, &laptop).await;
}

/// Whoever signs in once more than there may be sessions signs out where they were the longest ago.
#[tokio::test]
async fn one_session_too_many_ends_the_one_not_used_for_the_longest() {
    let server = Server::start_with(|config| config.session.per_account_max = 3).await;
    let (phone, laptop) = (server.sign_up(EMAIL).await, server.sign_in(EMAIL).await);
    let somebody_else = server.sign_up("jiho@example.com").await;
    server.pass(PAST_THE_WINDOW).await;
    let tablet = server.sign_in(EMAIL).await;
    let phone = server.refresh(&phone.refresh).await.expect(200).tokens();
    let desk = server.sign_in(EMAIL).await;
    assert_over(&server, &laptop).await;
    for tokens in [&phone, &tablet, &desk, &somebody_else] {
        assert_good(&server, tokens).await;
    }
    assert_eq!(server.sessions(&desk.access).await.len(), 3);
    assert_eq!(events(&server).await, [EventKind::SessionDisplaced]);
}

/// Somebody else's session and none at all are the same answer.
#[tokio::test]
async fn only_ones_own_sessions_exist() {
    let server = Server::start().await;
    let (mine, theirs) = (server.sign_up(EMAIL).await, server.sign_up("jiho@example.com").await);
    let before = server.snapshot().await;
    let mut answers = Vec::new();
    let upper = mine.session().to_uppercase();
    for id in [theirs.session().as_str(), "01980b4e-7c1d-7c3a-9f7e-0242ac120002", "1", "%00", &upper, &mine.account()] {
        let reply = server.with_token("DELETE", &format!("/v1/sessions/{id}"), &mine.access).await;
        answers.push(reply.expect_refusal(404, "session_not_found").body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(server.snapshot().await, before);
    assert_good(&server, &theirs).await;
}

#[tokio::test]
async fn everywhere() {
    let server = Server::start().await;
    let (phone, laptop) = (server.sign_up(EMAIL).await, server.sign_in(EMAIL).await);
    let somebody_else = server.sign_up("jiho@example.com").await;
    let refreshed = server.refresh(&phone.refresh).await.expect(200).tokens();
    let answer = server.with_token("DELETE", "/v1/sessions", &phone.access).await.expect(200).json();
    assert_eq!(answer["revoked"], 2);
    for tokens in [&phone, &laptop, &refreshed] {
        assert_over(&server, tokens).await;
    }
    assert_good(&server, &somebody_else).await;
    assert_eq!(events(&server).await, [EventKind::SignedOutEverywhere]);

    // In the very same second: a new sign-in is not caught by the old sign-out.
    let back = server.sign_in(EMAIL).await;
    assert_good(&server, &back).await;
    assert_eq!(back.claims()["gen"], 1);
    let spelt_out = server.with_token("DELETE", "/v1/sessions?keep_current=false", &back.access).await;
    assert_eq!(spelt_out.expect(200).json()["revoked"], 1);
    assert_over(&server, &back).await;
}

#[tokio::test]
async fn everywhere_else() {
    let server = Server::start().await;
    let (phone, laptop) = (server.sign_up(EMAIL).await, server.sign_in(EMAIL).await);
    let tablet = server.sign_in(EMAIL).await;
    let path = "/v1/sessions?keep_current=true";
    assert_eq!(server.with_token("DELETE", path, &laptop.access).await.expect(200).json()["revoked"], 2);
    assert_over(&server, &phone).await;
    assert_over(&server, &tablet).await;
    assert_good(&server, &laptop).await;
    assert_eq!(server.sessions(&laptop.access).await.len(), 1);
    assert_eq!(server.with_token("DELETE", path, &laptop.access).await.expect(200).json()["revoked"], 0);
    assert_good(&server, &laptop).await;
    assert_eq!(events(&server).await, [EventKind::SignedOutElsewhere], "nothing ended, nothing to tell");
}

#[tokio::test]
async fn a_query_that_says_something_else_signs_nobody_out() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    let before = server.snapshot().await;
    for query in ["keep_current=maybe", "keep_current=", "keep_currant=true", "keep_current=true&keep_current=false"] {
        let reply = server.with_token("DELETE", &format!("/v1/sessions?{query}"), &tokens.access).await;
        reply.expect_refusal(400, "invalid_query");
    }
    assert_eq!(server.snapshot().await, before);
}
