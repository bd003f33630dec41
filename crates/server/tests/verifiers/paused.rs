//! A service that is stopped in the middle of its work, and goes on later: time went on without it.

use crate::{
    driver::http::{Connection, request},
    guarded::{Guarded, OPEN_FOR},
    place::Place,
    service::{Service, send_signal},
};
use anyhow::{Context, ensure};
use counterfoil_domain::revocation::STALE_AFTER;
use rustix::process::Signal;
use std::{env, time::Duration};
use tokio::time::sleep;

/// Longer than `/open` goes on.
const PAUSED_FOR: Duration = Duration::from_secs(9);
const _: () = assert!(PAUSED_FOR.as_secs() > STALE_AFTER.as_secs() + OPEN_FOR.as_secs());

/// `COUNTERFOIL_PAUSE_SECONDS=60` for the long run.
fn paused_for() -> anyhow::Result<Duration> {
    let Ok(text) = env::var("COUNTERFOIL_PAUSE_SECONDS") else { return Ok(PAUSED_FOR) };
    let seconds = text.parse().with_context(|| format!("COUNTERFOIL_PAUSE_SECONDS={text}"))?;
    Ok(Duration::from_secs(seconds).max(PAUSED_FOR))
}

/// The first requests are there before it goes on, so nothing that it does by itself can come before them. With
/// `server_too`, the server is paused as well: there is nobody to ask, and only the clock can tell.
async fn the_first_request_obeys(server_too: bool) -> anyhow::Result<()> {
    let mut place = Place::new(4, &[])?;
    let service = Service::start(&Guarded::following(&place.issuer()?, "paused"))?.ready().await?;
    let (stays, leaves) = (place.session().await?, place.session().await?);
    for path in ["/closed", "/open"] {
        for session in [&stays, &leaves] {
            ensure!(session.get(service.address(), path).await?.status == 200, "{path} before the pause");
        }
    }
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(Connection::open(service.address()).await?);
    }

    service.pause()?;
    let answer = leaves.sign_out(place.server()?.address(), "").await?;
    ensure!(answer.status == 200, "{answer:?}");
    let server = place.server()?.id();
    if server_too {
        send_signal(server, Signal::STOP)?;
    }
    let paused_for = paused_for()?;
    sleep(paused_for).await;
    let requests = [("/closed", &stays), ("/open", &stays), ("/closed", &leaves), ("/open", &leaves)];
    for (connection, (path, session)) in connections.iter_mut().zip(requests) {
        connection.send(&request("GET", path, Some(&session.access_token), None)).await?;
    }
    service.go_on()?;
    for (connection, (path, session)) in connections.iter_mut().zip(requests) {
        let reply = connection.receive().await?;
        let left = session.access_token == leaves.access_token;
        println!("after {paused_for:?}, {path}, signed out: {left}: {}", reply.status);
        let code = reply.member("code").unwrap_or_default();
        let knows_again = !server_too && if left { code == "token_revoked" } else { reply.status == 200 };
        ensure!(
            (reply.status, code) == (503, "revocations_stale") || knows_again,
            "{path}, signed out: {left}: {} {}",
            reply.status,
            reply.body
        );
    }

    if server_too {
        send_signal(server, Signal::CONT)?;
    }
    let back = request("GET", "/closed", Some(&stays.access_token), None);
    service.wait_for("back", &back, |answer| answer.status == 200).await?;
    let answer = leaves.get(service.address(), "/closed").await?;
    ensure!(answer.code() == Some("token_revoked"), "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_pause_the_first_request_obeys_the_age() {
    the_first_request_obeys(false).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_pause_with_nobody_to_ask_the_first_request_obeys_the_age() {
    the_first_request_obeys(true).await.unwrap();
}
