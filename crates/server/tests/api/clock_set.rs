//! Somebody sets the machine's clock while people are signed in: nobody is signed out, nothing comes back.

use crate::harness::{PAST_THE_WINDOW, Server};
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";
const HOUR: Duration = Duration::from_hours(1);

/// Without a look at the monotonic clock the retry would be an hour late, get a sibling, and the two tabs' tokens would
/// sign each other out.
#[tokio::test]
async fn set_ahead_between_a_refresh_and_its_retry() {
    let server = Server::start().await;
    let first = server.sign_up(EMAIL).await;
    server.clock.advance(PAST_THE_WINDOW);
    let one_tab = server.refresh(&first.refresh).await.expect(200).tokens();
    server.clock.set_ahead(HOUR);
    let other_tab = server.refresh(&first.refresh).await.expect(200).tokens();
    assert_eq!(other_tab.refresh, one_tab.refresh, "a retry, whatever the clock shows");

    // Afterwards rotation and theft detection are as ever.
    server.clock.advance(PAST_THE_WINDOW);
    let next = server.refresh(&other_tab.refresh).await.expect(200).tokens();
    assert_ne!(next.refresh, other_tab.refresh);
    server.clock.advance(PAST_THE_WINDOW);
    server.refresh(&next.refresh).await.expect(200);
    server.clock.advance(PAST_THE_WINDOW);
    server.refresh(&first.refresh).await.expect_refusal(401, "invalid_grant");
}

#[tokio::test]
async fn set_back_serials_still_rise_and_nobody_is_signed_out() {
    let server = Server::start().await;
    let mut tokens = server.sign_up(EMAIL).await;
    for _ in 0..3 {
        server.clock.advance(PAST_THE_WINDOW);
        tokens = server.refresh(&tokens.refresh).await.expect(200).tokens();
    }
    server.clock.set_back(HOUR);
    for _ in 0..3 {
        tokens = server.refresh(&tokens.refresh).await.expect(200).tokens();
        server.clock.advance(HOUR);
    }
    server.refresh(&tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn what_was_signed_out_stays_out() {
    for ahead in [true, false] {
        let server = Server::start().await;
        let tokens = server.sign_up(EMAIL).await;
        server.with_token("DELETE", "/v1/sessions", &tokens.access).await.expect(200);
        if ahead {
            server.clock.set_ahead(HOUR);
        } else {
            server.clock.set_back(HOUR);
        }
        server.account(&tokens.access).await.expect(401);
        server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
    }
}

/// A revocation has a time of its own after which it is forgotten. A clock that is wrong for a while must not make that
/// come early: neither by being ahead when it is looked for, nor by being behind when it was written.
#[tokio::test]
async fn what_was_revoked_stays_revoked_whatever_the_clock_shows_meanwhile() {
    for ahead_first in [true, false] {
        let server = Server::start().await;
        let app = server.counterfoil().app();
        app.prune().await.unwrap();
        let tokens = server.sign_up(EMAIL).await;
        if ahead_first {
            server.post_form("/oauth/revoke", &[("token", tokens.refresh.as_str())]).await.expect(200);
            server.clock.set_ahead(2 * HOUR);
            app.prune().await.unwrap();
            server.clock.set_back(2 * HOUR);
        } else {
            server.clock.set_back(2 * HOUR);
            app.prune().await.unwrap();
            server.post_form("/oauth/revoke", &[("token", tokens.refresh.as_str())]).await.expect(200);
            server.clock.set_ahead(2 * HOUR);
        }
        app.prune().await.unwrap();
        server.account(&tokens.access).await.expect_refusal(401, "token_revoked");

        // Its time comes all the same. (What the follower had not read yet would come back after it.)
        app.follow_feed().await.unwrap();
        server.clock.advance(2 * HOUR);
        app.prune().await.unwrap();
        assert_eq!(app.revocations().len(), 0, "kept for ever");
        server.account(&tokens.access).await.expect_refusal(401, "token_expired");
    }
}
