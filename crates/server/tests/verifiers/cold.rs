//! A service that starts while it cannot reach the server: it lets nobody in, and says that it is not ready.

use crate::{
    driver::{http::request, now},
    guarded::Guarded,
    link::{Cut, Link},
    place::{Place, ask},
    service::Service,
};
use anyhow::ensure;
use std::time::Duration;

const BLOCKED_FOR: Duration = Duration::from_secs(7);

async fn nothing_is_let_in(cut: Cut) -> anyhow::Result<()> {
    let link = Link::new()?;
    let place = Place::without_server(4)?;
    let secret = place.register_verifier()?;
    let mut place = place.started((link.server(), 0).into(), &[])?;
    let session = place.session().await?;
    link.cut(cut)?;
    let (issuer, listen) = (place.issuer()?, format!("{}:0", link.front()));
    let guarded = Guarded { issuer: &issuer, name: "cold", listen: &listen, secret: Some(&secret) };
    let service = Service::start_by(&guarded, link.command()?)?;

    let (mut asked, begun) = (0, now());
    while begun.elapsed() < BLOCKED_FOR {
        for path in ["/", "/closed", "/open"] {
            let answer = session.get(service.address(), path).await?;
            ensure!((answer.status, answer.code()) == (503, Some("not_ready")), "{cut:?}, cold, {path}: {answer:?}");
            asked += 1;
        }
    }
    println!("{cut:?}: {asked} protected requests in {BLOCKED_FOR:?}, 0 let in");
    let bare = ask(service.address(), &request("GET", "/bare", None, None)).await?;
    ensure!(bare.status == 200, "what is not protected goes on: {bare:?}");
    ensure!(service.state().await? == "cold");

    link.mend();
    let request = request("GET", "/closed", Some(&session.access_token), None);
    service.wait_for("let in", &request, |answer| answer.status == 200).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_start_without_the_feed_lets_nobody_in() {
    nothing_is_let_in(Cut::BothWays).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_start_whose_answers_are_lost_lets_nobody_in() {
    nothing_is_let_in(Cut::FromServer).await.unwrap();
}
