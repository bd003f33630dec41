//! Clocks that jump by an hour and are wrong by two minutes: nobody is signed out by it, and nobody who signed out comes
//! back.

use crate::{
    driver::{child::Server, now},
    faketime::WallClock,
    guarded::Guarded,
    place::{Place, Session},
    service::Service,
};
use anyhow::ensure;
use std::{env, net::Ipv4Addr, process::Command, time::Duration};
use tokio::time::sleep;

const HOUR: i64 = 3_600;
/// In which order a clock is set: seconds ahead of the truth.
const JUMPS: [i64; 8] = [HOUR, 0, -HOUR, 0, 120, -120, HOUR, -HOUR];
/// Long enough for a clock to be read, a poll to be answered and a maintenance round to pass.
const SETTLE: Duration = Duration::from_millis(1_300);

struct Scene {
    place: Place,
    service: Service,
    of_server: WallClock,
    of_service: WallClock,
}

impl Scene {
    async fn new() -> anyhow::Result<Self> {
        let mut place = Place::without_server(8)?;
        let of_server = WallClock::new(place.folder(), "clock-of-server")?;
        let of_service = WallClock::new(place.folder(), "clock-of-service")?;
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        place.server = Some(Server::start_in(place.data(), listen, &[], &of_server.environment()?)?);
        let mut command = Command::new(env::current_exe()?);
        command.envs(of_service.environment()?);
        let service = Service::start_by(&Guarded::following(&place.issuer()?, "wound"), command)?.ready().await?;
        Ok(Self { place, service, of_server, of_service })
    }

    fn server(&self) -> anyhow::Result<&Server> {
        self.place.server()
    }

    /// That whoever signed out stays out, at the service and at the server.
    async fn stays_out(&self, who: &Session, when: &str) -> anyhow::Result<()> {
        let (service, server) = (self.service.address(), self.server()?.address());
        for (address, path) in [(service, "/"), (service, "/closed"), (server, "/v1/forward-auth")] {
            let answer = who.get(address, path).await?;
            ensure!(answer.status == 401, "{when}, signed out: {path} says {answer:?}");
        }
        ensure!(who_refreshes(who, server).await?.is_err(), "{when}: a signed-out session was refreshed");
        Ok(())
    }
}

/// Whether the session can be refreshed; outside, an error of the run.
async fn who_refreshes(who: &Session, server: std::net::SocketAddr) -> anyhow::Result<Result<(), String>> {
    let request = crate::driver::http::refresh_request(&who.refresh_token);
    let answer = crate::place::ask(server, &request).await?;
    Ok(if answer.status == 200 { Ok(()) } else { Err(format!("{answer:?}")) })
}

async fn the_clock_of_a_verifier_jumps() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let (stays, leaves) = (scene.place.session().await?, scene.place.session().await?);
    ensure!(leaves.get(scene.service.address(), "/").await?.status == 200);
    let answer = leaves.sign_out(scene.server()?.address(), "?wait=1s").await?;
    ensure!(answer.status == 200, "{answer:?}");
    for ahead in JUMPS {
        scene.of_service.set(ahead)?;
        let begun = now();
        while begun.elapsed() < SETTLE {
            let when = format!("the verifier is {ahead} s ahead");
            let answer = stays.get(scene.service.address(), "/closed").await?;
            ensure!(answer.status == 200, "{when}: {answer:?}");
            scene.stays_out(&leaves, &when).await?;
            sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

/// Tokens end by the server's clock: whose has ended refreshes, as every client does, and goes on.
async fn the_clock_of_the_server_jumps() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let (mut stays, leaves) = (scene.place.session().await?, scene.place.session().await?);
    let server = scene.server()?.address();
    ensure!(leaves.get(scene.service.address(), "/").await?.status == 200);
    let answer = leaves.sign_out(server, "?wait=1s").await?;
    ensure!(answer.status == 200, "{answer:?}");
    let mut refreshed = 0;
    for ahead in JUMPS {
        scene.of_server.set(ahead)?;
        sleep(SETTLE).await;
        let when = format!("the server is {ahead} s ahead");
        scene.stays_out(&leaves, &when).await?;
        if stays.get(scene.service.address(), "/closed").await?.status == 401 {
            stays.refresh(server).await?;
            refreshed += 1;
        }
        for (address, path) in [(scene.service.address(), "/closed"), (server, "/v1/forward-auth")] {
            let answer = stays.get(address, path).await?;
            ensure!(answer.status == 200, "{when}, {path}: {answer:?}");
        }
        stays.refresh(server).await?;
    }
    println!("the server's clock was set {} times: {refreshed} tokens ended early, 0 sessions", JUMPS.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_whose_clock_jumps_refuses_nobody_and_lets_nobody_back() {
    the_clock_of_a_verifier_jumps().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_clock_jumps_signs_nobody_out_and_lets_nobody_back() {
    the_clock_of_the_server_jumps().await.unwrap();
}
