//! A service that is cut off from the server: five seconds later it says what it does not know.

use crate::{
    driver::{http::request, now},
    guarded::{Guarded, OPEN_FOR},
    link::{Cut, Link},
    place::{Place, Session},
    service::Service,
};
use anyhow::ensure;
use counterfoil_domain::revocation::STALE_AFTER;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How far from five seconds after the cut the policy may change.
const TOLERANCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(20);
const NAME: &str = "cut-off";

struct Scene {
    place: Place,
    link: Link,
    service: Service,
}

impl Scene {
    async fn new() -> anyhow::Result<Self> {
        let link = Link::new()?;
        let place = Place::without_server(8)?;
        let secret = place.register_verifier()?;
        let place = place.started((link.server(), 0).into(), &[])?;
        let (issuer, listen) = (place.issuer()?, format!("{}:0", link.front()));
        let guarded = Guarded { issuer: &issuer, name: NAME, listen: &listen, secret: Some(&secret) };
        let service = Service::start_by(&guarded, link.command()?)?.ready().await?;
        Ok(Self { place, link, service })
    }

    /// How long after `begun` this path stops answering 200, and with which code.
    async fn until_changed(&self, session: &Session, path: &str, begun: Instant) -> anyhow::Result<(Duration, String)> {
        loop {
            let answer = session.get(self.service.address(), path).await?;
            let passed = begun.elapsed();
            if answer.status != 200 {
                ensure!(answer.status == 503, "cut off, {path} says {answer:?}");
                return Ok((passed, answer.code().unwrap_or_default().to_owned()));
            }
            ensure!(passed < Duration::from_secs(12), "{path} goes on without end");
            sleep(PAUSE).await;
        }
    }
}

async fn policy_changes_in_time(cut: Cut) -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let (stays, leaves) = (scene.place.session().await?, scene.place.session().await?);
    let (server, service) = (scene.place.server()?.address(), scene.service.address());
    for session in [&stays, &leaves] {
        for path in ["/", "/closed", "/open"] {
            ensure!(session.get(service, path).await?.status == 200, "{path} before the cut");
        }
    }

    scene.link.cut(cut)?;
    let begun = now();
    // The receipt names who has not confirmed; the sign-out itself is done.
    let receipt = leaves.sign_out(server, "?wait=1s").await?;
    ensure!(receipt.status == 200, "{receipt:?}");
    ensure!(receipt.body.contains(&format!(r#""missing":["{NAME}-"#)), "{cut:?}: {receipt:?}");

    let (closed_after, code) = scene.until_changed(&stays, "/closed", begun).await?;
    println!("{cut:?}: `closed` changed {closed_after:?} after the cut ({code})");
    ensure!(closed_after.abs_diff(STALE_AFTER) <= TOLERANCE, "{cut:?}: changed after {closed_after:?}");
    ensure!(code == "revocations_stale", "{code}");
    // Who wants to write is looked up, and there is nobody to ask.
    let write = request("POST", "/", Some(&stays.access_token), None);
    let answer = crate::place::ask(service, &write).await?;
    ensure!(answer.status == 503, "an unsafe request is checked: {answer:?}");
    let (open_until, _) = scene.until_changed(&stays, "/open", begun).await?;
    println!("{cut:?}: `open` changed {open_until:?} after the cut");
    ensure!(open_until.abs_diff(STALE_AFTER + OPEN_FOR) <= TOLERANCE, "{cut:?}: open until {open_until:?}");
    ensure!(stays.get(service, "/").await?.status == 200, "reads go on for a minute");
    ensure!(scene.service.state().await? == "stale");

    scene.link.mend();
    let request = |session: &Session| request("GET", "/closed", Some(&session.access_token), None);
    scene.service.wait_for("back", &request(&stays), |answer| answer.status == 200).await?;
    let answer = leaves.get(service, "/closed").await?;
    ensure!(answer.code() == Some("token_revoked"), "after the mend: {answer:?}");
    ensure!(scene.service.state().await? == "in_sync");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_both_ways_the_policy_changes_in_time() {
    policy_changes_in_time(Cut::BothWays).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_questions_lost_the_policy_changes_in_time() {
    policy_changes_in_time(Cut::ToServer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_answers_lost_the_policy_changes_in_time() {
    policy_changes_in_time(Cut::FromServer).await.unwrap();
}
