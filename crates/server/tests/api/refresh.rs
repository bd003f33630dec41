//! Refresh rotation over HTTP: retries, siblings, theft, limits. The clock stands still unless a test turns it.

use crate::harness::{PAST_THE_WINDOW, Server, Tokens};
use counterfoil::config::HumanDuration;
use counterfoil_domain::{event::EventKind, revocation::Revocation};
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";
const DAY: Duration = Duration::from_hours(24);

/// Refreshes where that must work.
async fn refreshed(server: &Server, tokens: &Tokens) -> Tokens {
    server.refresh(&tokens.refresh).await.expect(200).tokens()
}

/// A server, and a session whose first refresh token may be rotated.
async fn signed_in() -> (Server, Tokens) {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    server.pass(PAST_THE_WINDOW).await;
    (server, tokens)
}

/// Everything of the session is over: its tokens are refused, and the store says why.
async fn assert_ended_for_theft(server: &Server, all: &[&Tokens]) {
    for tokens in all {
        server.account(&tokens.access).await.expect_refusal(401, "token_revoked");
        server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
    }
    let left = server.snapshot().await;
    assert!(left.sessions.is_empty());
    let reused: Vec<_> = left.events.iter().filter(|event| event.kind == EventKind::RefreshTokenReused).collect();
    assert_eq!(reused.len(), 1, "{:?}", left.events);
    assert_eq!(reused[0].session.unwrap().to_string(), all[0].session());
    assert_eq!(left.feed.entries.len(), 1);
    assert_eq!(left.feed.entries[0].draft.revocation, Revocation::Session(reused[0].session.unwrap()));
}

#[tokio::test]
async fn a_retry_soon_after_gets_the_identical_successor() {
    let (server, first) = signed_in().await;
    let second = refreshed(&server, &first).await;
    assert_ne!(second.refresh, first.refresh);
    for _ in 0..3 {
        server.pass(Duration::from_secs(14)).await;
        let again = refreshed(&server, &first).await;
        assert_eq!(again.refresh, second.refresh, "each hand-out begins the window anew");
        assert_ne!(again.access, second.access, "access tokens are minted each time");
        server.account(&again.access).await.expect(200);
    }
    server.account(&second.access).await.expect(200);
}

/// At most one rotation per window: who refreshes twice in a row gets what they hold.
#[tokio::test]
async fn a_fresh_token_comes_back_as_it_is() {
    let server = Server::start().await;
    let first = server.sign_up(EMAIL).await;
    let before = server.snapshot().await;
    server.pass(Duration::from_secs(15)).await;
    assert_eq!(refreshed(&server, &first).await.refresh, first.refresh);
    assert_eq!(server.snapshot().await, before);
    server.pass(Duration::from_secs(1)).await;
    assert_ne!(refreshed(&server, &first).await.refresh, first.refresh);
}

#[tokio::test]
async fn a_slow_request_overtaken_by_a_faster_one_is_no_theft() {
    let (server, first) = signed_in().await;
    let second = refreshed(&server, &first).await;
    server.pass(PAST_THE_WINDOW).await;
    let third = refreshed(&server, &second).await;
    assert_eq!(refreshed(&server, &first).await.refresh, third.refresh);
}

#[tokio::test]
async fn a_late_retry_gets_a_sibling() {
    let (server, first) = signed_in().await;
    let second = refreshed(&server, &first).await;
    server.pass(PAST_THE_WINDOW).await;
    let sibling = refreshed(&server, &first).await;
    assert_ne!(sibling.refresh, second.refresh);
    assert_ne!(sibling.refresh, first.refresh);
    server.account(&second.access).await.expect(200);
    server.account(&sibling.access).await.expect(200);
}

/// Whichever sibling comes first goes on, and the other is the tripwire.
#[tokio::test]
async fn of_two_siblings_the_second_to_come_ends_the_session() {
    for newer_first in [false, true] {
        let (server, first) = signed_in().await;
        let older = refreshed(&server, &first).await;
        server.pass(PAST_THE_WINDOW).await;
        let newer = refreshed(&server, &first).await;
        server.pass(PAST_THE_WINDOW).await;
        let (winner, loser) = if newer_first { (newer, older) } else { (older, newer) };
        let gone_on = refreshed(&server, &winner).await;
        server.account(&gone_on.access).await.expect(200);
        server.pass(PAST_THE_WINDOW).await;
        server.refresh(&loser.refresh).await.expect_refusal(401, "invalid_grant");
        assert_ended_for_theft(&server, &[&gone_on, &winner, &loser, &first]).await;
    }
}

#[tokio::test]
async fn a_spent_token_from_before_ends_the_session_for_both_sides() {
    let (server, stolen) = signed_in().await;
    let second = refreshed(&server, &stolen).await;
    server.pass(PAST_THE_WINDOW).await;
    let third = refreshed(&server, &second).await;
    server.pass(PAST_THE_WINDOW).await;
    server.account(&third.access).await.expect(200);
    server.refresh(&stolen.refresh).await.expect_refusal(401, "invalid_grant");
    assert_ended_for_theft(&server, &[&third, &second, &stolen]).await;
}

/// Theft of one session says nothing about the others.
#[tokio::test]
async fn other_sessions_go_on_after_a_theft() {
    let (server, first) = signed_in().await;
    let other = server.sign_in(EMAIL).await;
    let second = refreshed(&server, &first).await;
    server.pass(PAST_THE_WINDOW).await;
    refreshed(&server, &second).await;
    server.pass(PAST_THE_WINDOW).await;
    server.refresh(&first.refresh).await.expect_refusal(401, "invalid_grant");
    server.account(&other.access).await.expect(200);
    refreshed(&server, &other).await;
}

#[tokio::test]
async fn the_retry_window_is_the_configured_one() {
    let server = Server::start_with(|config| config.refresh.retry_window = HumanDuration::from_seconds(2)).await;
    let first = server.sign_up(EMAIL).await;
    server.pass(Duration::from_secs(3)).await;
    let second = refreshed(&server, &first).await;
    server.pass(Duration::from_secs(3)).await;
    assert_ne!(refreshed(&server, &first).await.refresh, second.refresh);
}

#[tokio::test]
async fn a_session_not_used_for_its_idle_lifetime_is_over() {
    let (server, first) = signed_in().await;
    server.pass(Duration::from_secs(14 * DAY.as_secs() - PAST_THE_WINDOW.as_secs() - 1)).await;
    let second = refreshed(&server, &first).await;
    assert_eq!(second.body["refresh_expires_in"], 14 * DAY.as_secs(), "each refresh pushes the limit on");
    server.pass(14 * DAY).await;
    server.refresh(&second.refresh).await.expect_refusal(401, "invalid_grant");
    server.account(&second.access).await.expect_refusal(401, "token_expired");
    // It is not in the list any more, although nobody ended it.
    let fresh = server.sign_in(EMAIL).await;
    assert_eq!(server.sessions(&fresh.access).await.len(), 1);
}

#[tokio::test]
async fn no_refresh_moves_the_absolute_limit() {
    let (server, mut tokens) = signed_in().await;
    let limit = tokens.body["session"]["absolute_until"].clone();
    for _ in 0..8 {
        server.pass(11 * DAY).await;
        tokens = refreshed(&server, &tokens).await;
        assert_eq!(tokens.body["session"]["absolute_until"], limit);
    }
    // Day 88. An access token does not outlive the session either.
    server.pass(Duration::from_secs(2 * DAY.as_secs() - PAST_THE_WINDOW.as_secs() - 600)).await;
    tokens = refreshed(&server, &tokens).await;
    assert_eq!(tokens.body["expires_in"], 600);
    assert_eq!(tokens.body["refresh_expires_in"], 600);
    assert_eq!(tokens.claims()["exp"], 1_800_000_000 + 90 * DAY.as_secs());
    server.pass(Duration::from_mins(10)).await;
    server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
}

#[tokio::test]
async fn a_disabled_account_gets_no_new_tokens() {
    let (server, tokens) = signed_in().await;
    server.disable(&tokens.account()).await;
    server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
}
