//! Many refreshes with one token at the same time.
//!
//! `COUNTERFOIL_RACE_ROUNDS` sets the number of rounds (50 if it is not set; the figure in the documentation comes from
//! 1,000). Each round is a real rotation: the clock is turned past the retry window before it.

use crate::harness::{PAST_THE_WINDOW, Server};
use std::{collections::HashSet, env};
use tokio::task::JoinSet;

const CLIENTS: usize = 64;

fn rounds() -> usize {
    env::var("COUNTERFOIL_RACE_ROUNDS").map_or(50, |rounds| rounds.parse().expect("COUNTERFOIL_RACE_ROUNDS: a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_parallel_refreshes_all_get_the_one_successor() {
    let server = Server::start().await;
    let mut current = server.sign_up("minsu@example.com").await.refresh;
    for round in 0..rounds() {
        server.pass(PAST_THE_WINDOW).await;
        let mut asking = JoinSet::new();
        for _ in 0..CLIENTS {
            let (client, token) = ((*server).clone(), current.clone());
            asking.spawn(async move { client.refresh(&token).await });
        }
        let replies = asking.join_all().await;
        let tokens: Vec<_> = replies.into_iter().map(|reply| reply.expect(200).tokens()).collect();
        let successors: HashSet<&str> = tokens.iter().map(|tokens| tokens.refresh.as_str()).collect();
        assert_eq!(successors.len(), 1, "round {round}");
        let successor = tokens[0].refresh.clone();
        assert_ne!(successor, current, "round {round} did not rotate");
        current = successor;
        if round == 0 {
            for tokens in &tokens {
                server.account(&tokens.access).await.expect(200);
            }
        }
    }
    assert_eq!(server.snapshot().await.sessions.len(), 1);
}

/// A sign-out among racing refreshes wins: nothing handed out before or after it is good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_among_racing_refreshes_ends_them_all() {
    let server = Server::start().await;
    for round in 0..10 {
        let first = server.sign_up(&format!("minsu-{round}@example.com")).await;
        server.pass(PAST_THE_WINDOW).await;
        let mut asking = JoinSet::new();
        for number in 0..CLIENTS {
            let (client, tokens) = ((*server).clone(), first.clone());
            asking.spawn(async move {
                if number == CLIENTS / 2 {
                    client.with_token("DELETE", "/v1/sessions/current", &tokens.access).await.expect(200);
                    return None;
                }
                let reply = client.refresh(&tokens.refresh).await;
                if reply.status == 200 {
                    return Some(reply.tokens());
                }
                reply.expect_refusal(401, "invalid_grant");
                None
            });
        }
        for tokens in asking.join_all().await.into_iter().flatten() {
            server.account(&tokens.access).await.expect_refusal(401, "token_revoked");
            server.refresh(&tokens.refresh).await.expect_refusal(401, "invalid_grant");
        }
    }
}

/// Many sign-ups with one address make one account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_parallel_sign_ups_with_one_address_one_wins() {
    let server = Server::start().await;
    let mut asking = JoinSet::new();
    for number in 0..8 {
        let client = (*server).clone();
        let email = if number % 2 == 0 { "minsu@example.com" } else { "MINSU@example.com" };
        let body = serde_json::json!({ "email": email, "password": "plum tin walrus 41 harbour" });
        asking.spawn(async move { client.post_json("/v1/accounts", &body).await });
    }
    let mut statuses: Vec<_> = asking.join_all().await.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(server.snapshot().await.accounts.len(), 1);
}
