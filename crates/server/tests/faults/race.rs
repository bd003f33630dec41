//! One refresh token, presented sixty-four times at once.

use crate::driver::{
    child::Server,
    fill::fill,
    http::{Connection, refresh_request},
};
use anyhow::Context;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::Ipv4Addr,
    time::Duration,
};
use tokio::time::sleep;

const RACERS: usize = 64;
const OPTIONS: [(&str, &str); 1] = [("REFRESH__RETRY_WINDOW", "1s")];
/// Longer than the retry window.
const REST: Duration = Duration::from_millis(1_100);

/// What came of the rounds.
#[derive(Default)]
pub(crate) struct Outcome {
    rounds: u64,
    /// How often each status was answered.
    answers: BTreeMap<u16, usize>,
    /// The successors that went on to be refreshed themselves.
    went_on: usize,
    pub(crate) faults: Vec<String>,
}

/// So many rounds, each with a session of its own.
pub(crate) fn run(rounds: u64) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let data = folder.path().join("data");
    let tokens = fill(&data, usize::try_from(rounds)?)?;
    let server = Server::start(&data, (Ipv4Addr::LOCALHOST, 0).into(), &OPTIONS)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut outcome = Outcome { rounds, ..Outcome::default() };
    runtime.block_on(async {
        let mut racers = Vec::new();
        for _ in 0..RACERS {
            racers.push(Connection::open(server.address()).await?);
        }
        let mut successors = Vec::new();
        for token in &tokens {
            successors.extend(race(&mut racers, token, &mut outcome).await?);
        }
        sleep(REST).await;
        let racer = racers.first_mut().context("no racers")?;
        for successor in &successors {
            let reply = racer.exchange(&refresh_request(successor)).await?;
            let moved = reply.member("refresh_token").is_some_and(|token| token != successor);
            if reply.status == 200 && moved {
                outcome.went_on += 1;
            } else {
                let code = reply.member("code").unwrap_or_default();
                outcome.faults.push(format!("a successor was answered {} {code}", reply.status));
            }
        }
        anyhow::Ok(())
    })?;
    server.stop()?;
    Ok(outcome)
}

/// One round; its successor, if there is exactly one.
async fn race(racers: &mut [Connection], token: &str, outcome: &mut Outcome) -> anyhow::Result<Option<String>> {
    let request = refresh_request(token);
    // All are on their way before the first answer is read.
    for racer in &mut *racers {
        racer.send(&request).await?;
    }
    let mut successors = BTreeSet::new();
    for racer in racers {
        let reply = racer.receive().await?;
        *outcome.answers.entry(reply.status).or_default() += 1;
        match reply.member("refresh_token") {
            Some(successor) if reply.status == 200 => {
                successors.insert(successor.to_owned());
            }
            _ => {
                let code = reply.member("code").unwrap_or_default();
                outcome.faults.push(format!("a racer was answered {} {code}", reply.status));
            }
        }
    }
    if successors.len() != 1 || successors.contains(token) {
        outcome.faults.push(format!("{} successors in one round", successors.len()));
        return Ok(None);
    }
    Ok(successors.pop_first())
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers: Vec<_> = self.answers.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        write!(
            f,
            "{} rounds of {RACERS}: {}; {} successors went on; {} faults",
            self.rounds,
            answers.join(", "),
            self.went_on,
            self.faults.len()
        )
    }
}
