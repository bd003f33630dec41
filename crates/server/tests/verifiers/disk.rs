//! A full disk: sign-outs are refused and not lost, verification goes on, and all is well when there is room again.

use crate::{
    driver::{
        child::Server,
        fill::fill,
        http::{json_member, refresh_request, request},
        now,
    },
    guarded::Guarded,
    place::ask,
    service::Service,
};
use anyhow::{Context, bail, ensure};
use std::{
    fs::{self, File},
    io::Write,
    net::Ipv4Addr,
    path::Path,
    process::Command,
    time::Duration,
};
use tokio::time::sleep;

const DISK_BYTES: u32 = 16 * 1024 * 1024;

/// A small file system in memory; dropping it takes it away.
struct SmallDisk<'p>(&'p Path);

impl<'p> SmallDisk<'p> {
    fn mount(at: &'p Path) -> anyhow::Result<Self> {
        fs::create_dir(at)?;
        let options = format!("size={DISK_BYTES},mode=0700");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).status()?;
        ensure!(status.success(), "mounting a small file system (this needs root): {status}");
        Ok(Self(at))
    }

    /// Writes until nothing fits any more. Removing the file makes room again.
    fn fill(&self) -> anyhow::Result<std::path::PathBuf> {
        let path = self.0.join("ballast");
        let mut file = File::create(&path)?;
        for block in [64 * 1024, 512, 1] {
            while file.write_all(&vec![1; block]).is_ok() {}
        }
        Ok(path)
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

async fn verification_goes_on() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let at = folder.path().join("disk");
    let disk = SmallDisk::mount(&at)?;
    let data = at.join("data");
    let filled = std::thread::scope(|scope| scope.spawn(|| fill(&data, 64)).join());
    let refresh_tokens = filled.map_err(|_| anyhow::anyhow!("filling the store panicked"))??;
    // Its log is beside its data, and must not fill the disk that it tells of.
    let server = Server::start_in(&data, (Ipv4Addr::LOCALHOST, 0).into(), &[], &[])?;
    let address = server.address();
    let mut tokens = Vec::new();
    for token in refresh_tokens.iter().take(40) {
        let answer = ask(address, &refresh_request(token)).await?;
        tokens.push(json_member(&answer.body, "access_token").context("no access token")?.to_owned());
    }
    let issuer = format!("http://{address}");
    let service = Service::start(&Guarded::following(&issuer, "beside"))?.ready().await?;
    let verified = async |token: &str| -> anyhow::Result<(u16, u16)> {
        let own = ask(service.address(), &request("GET", "/closed", Some(token), None)).await?.status;
        Ok((own, ask(address, &request("GET", "/v1/forward-auth", Some(token), None)).await?.status))
    };

    let ballast = disk.fill()?;
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for token in tokens.iter().take(30) {
        let answer = ask(address, &request("DELETE", "/v1/sessions/current", Some(token), None)).await?;
        match answer.status {
            200 => done.push(token.as_str()),
            503 => refused.push(token.as_str()),
            _ => bail!("a sign-out on a full disk: {answer:?}"),
        }
    }
    ensure!(!refused.is_empty(), "the disk was not full");
    println!("full disk: {} sign-outs refused, {} found room", refused.len(), done.len());
    // Longer than a verifier goes on without proof: reading needs no room, so there is one.
    let begun = now();
    while begun.elapsed() < Duration::from_secs(7) {
        for token in tokens.iter().skip(30).map(String::as_str).chain(refused.iter().copied()) {
            let answers = verified(token).await?;
            ensure!(answers == (200, 200), "verification on a full disk: {answers:?} after {:?}", begun.elapsed());
        }
        sleep(Duration::from_millis(100)).await;
    }

    fs::remove_file(ballast)?;
    let begun = now();
    for token in &refused {
        loop {
            let answer = ask(address, &request("DELETE", "/v1/sessions/current?wait=2s", Some(token), None)).await?;
            match answer.status {
                200 => break,
                503 if begun.elapsed() < Duration::from_secs(10) => sleep(Duration::from_millis(50)).await,
                _ => bail!("a sign-out once there is room: {answer:?}"),
            }
        }
        done.push(token);
    }
    println!("full disk: all is well {:?} after there was room", begun.elapsed());
    for token in done {
        let answers = verified(token).await?;
        ensure!(answers == (401, 401), "signed out: {answers:?}");
    }
    server.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_disk_full_verification_goes_on_and_no_sign_out_is_lost() {
    verification_goes_on().await.unwrap();
}
