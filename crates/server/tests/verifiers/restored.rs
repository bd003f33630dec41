//! Servers that contradict what they said before: one that was restored from an old backup, and two that claim to be one.

use crate::{
    driver::{child::Server, http::request, now},
    guarded::Guarded,
    place::{Place, ask},
    service::Service,
    switch::Switch,
};
use anyhow::{Context, ensure};
use std::{fs, net::Ipv4Addr, path::Path, time::Duration};
use tokio::time::sleep;

/// Copies a data folder; the server must not be running on it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for file in fs::read_dir(from)? {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

/// A backup is put back as it is: the sign-outs since then are lost in the store. Whoever knows of them does not forget, the
/// server learns of it from them, and then even who has just started refuses every token from before.
async fn an_old_backup_is_noticed() -> anyhow::Result<()> {
    // Only who has shown who they are is believed that the store had more.
    let place = Place::without_server(8)?;
    let secret = place.register_verifier()?;
    let mut place = place.started((Ipv4Addr::LOCALHOST, 0).into(), &[])?;
    let (listen, issuer) = (place.server()?.address(), place.issuer()?);
    let follow = |name| Guarded { secret: Some(&secret), ..Guarded::following(&issuer, name) };
    let (mut stays, leaves, before) = (place.session().await?, place.session().await?, place.session().await?);
    // Something is in the feed when the backup is made, and something comes after it.
    ensure!(before.sign_out(listen, "").await?.status == 200);
    place.server.take().context("running")?.stop()?;
    let (data, backup, lost) = (place.data().to_owned(), place.folder().join("backup"), place.folder().join("lost"));
    copy(&data, &backup)?;
    place = place.started(listen, &[])?;
    let service = Service::start(&follow("witness"))?.ready().await?;
    ensure!(stays.get(service.address(), "/closed").await?.status == 200);
    ensure!(leaves.sign_out(listen, "?wait=2s").await?.status == 200);
    ensure!(leaves.get(service.address(), "/closed").await?.code() == Some("token_revoked"));

    place.server.take().context("running")?.stop()?;
    fs::rename(&data, lost)?;
    copy(&backup, &data)?;
    place = place.started(listen, &[])?;
    let begun = now();
    while begun.elapsed() < Duration::from_secs(4) {
        let answer = leaves.get(service.address(), "/closed").await?;
        ensure!(answer.status != 200, "{:?} after the restore: {answer:?}", begun.elapsed());
        sleep(Duration::from_millis(20)).await;
    }
    let log = place.server_log()?;
    ensure!(log.contains("rewound") && log.contains("witness"), "the server's log does not name it: {log}");

    // One that starts now knows nothing of before, and the server's cutoff says enough.
    let newcomer = Service::start(&follow("newcomer"))?.ready().await?;
    for (name, service) in [("witness", &service), ("newcomer", &newcomer)] {
        let answer = leaves.get(service.address(), "/closed").await?;
        ensure!(answer.status == 401, "signed out before the restore, {name}: {answer:?}");
    }
    stays.refresh(listen).await?;
    let again = request("GET", "/closed", Some(&stays.access_token), None);
    for service in [&service, &newcomer] {
        service.wait_for("in sync with the restored server", &again, |answer| answer.status == 200).await?;
    }
    Ok(())
}

/// Two copies of one store behind one address: what one is told, the other does not know. No verifier says that it knows.
async fn two_servers_are_noticed() -> anyhow::Result<()> {
    let mut place = Place::new(8, &[])?;
    let mut session = place.session().await?;
    place.server.take().context("running")?.stop()?;
    let other = place.folder().join("other");
    copy(place.data(), &other)?;
    // Both are told the balancer's address, so their own must be known before it is made.
    let anywhere = (Ipv4Addr::LOCALHOST, 0).into();
    let (first, second) = (Server::start(place.data(), anywhere, &[])?, Server::start(&other, anywhere, &[])?);
    let switch = Switch::in_turn(vec![first.address(), second.address()]).await?;
    let public_url = format!("http://{}", switch.address());
    let (first_at, second_at) = (first.address(), second.address());
    first.stop()?;
    second.stop()?;
    let settings = [("PUBLIC_URL", public_url.as_str())];
    let first = Server::start(place.data(), first_at, &settings)?;
    let second = Server::start(&other, second_at, &settings)?;

    session.refresh(first.address()).await?;
    let service = Service::start(&Guarded::following(&public_url, "between"))?.ready().await?;
    ensure!(session.get(service.address(), "/closed").await?.status == 200, "nothing differs yet");

    // A sign-out of somebody else on each: now their histories part.
    for server in [&first, &second] {
        let somebody = place.session_at(server.address()).await?;
        ensure!(somebody.sign_out(server.address(), "").await?.status == 200);
    }
    let probe = request("GET", "/closed", Some(&session.access_token), None);
    service.wait_for("contested", &probe, |answer| answer.code() == Some("revocations_stale")).await?;
    let begun = now();
    let (mut asked, mut let_in) = (0_u32, 0_u32);
    while begun.elapsed() < Duration::from_secs(5) {
        let_in += u32::from(ask(service.address(), &probe).await?.status == 200);
        asked += 1;
        sleep(Duration::from_millis(20)).await;
    }
    println!("two servers: {asked} requests, {let_in} let in as if all were well");
    ensure!(let_in == 0, "a verifier between two servers said that it knows everything");
    let log = fs::read_to_string(place.folder().join("server.log"))?;
    ensure!(log.contains("fork") || log.contains("rewound"), "the server's log does not name it: {log}");
    first.kill()?;
    second.kill()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_restored_from_an_old_backup_is_noticed() {
    an_old_backup_is_noticed().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_that_claim_to_be_one_are_noticed() {
    two_servers_are_noticed().await.unwrap();
}
