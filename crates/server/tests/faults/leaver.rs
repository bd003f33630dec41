//! Clients that sign out, and the proof that whoever was told so stays out.

use crate::{
    client::Held,
    driver::http::{refresh_request, request},
    kill::Run,
    line::Line,
};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::time::sleep;

/// How long a leaver pauses between two sessions.
const PAUSE: Duration = Duration::from_millis(15);

const FORM: &str = "application/x-www-form-urlencoded";

/// A session whose sign-out was acknowledged.
#[derive(Clone)]
pub(crate) struct SignedOut {
    refresh_token: String,
    access_token: String,
}

/// The ways to sign out.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// The session that asks.
    Current,
    /// Every session of the account.
    Everywhere,
    /// By giving the refresh token back (RFC 7009).
    Revoke,
}

impl Way {
    fn request(self, held: &Held) -> Vec<u8> {
        let bearer = Some(held.access_token.as_str());
        match self {
            Self::Current => request("DELETE", "/v1/sessions/current", bearer, None),
            Self::Everywhere => request("DELETE", "/v1/sessions", bearer, None),
            Self::Revoke => {
                let body = format!("token={}", held.refresh_token);
                request("POST", "/oauth/revoke", None, Some((FORM, &body)))
            }
        }
    }
}

/// Signs out of one session after the other until the run is over, each in the next of the three ways.
pub(crate) async fn sign_out_in_turn(run: Arc<Run>, tokens: Vec<String>) -> anyhow::Result<()> {
    let mut line = Line::to(run.address);
    let ways = [Way::Current, Way::Everywhere, Way::Revoke].into_iter().cycle();
    for (token, way) in tokens.into_iter().zip(ways) {
        if run.is_over() {
            break;
        }
        let mut held = Held::new(token);
        if held.refresh(&mut line, &run).await? {
            sign_out(&run, &mut line, held, way).await?;
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

async fn sign_out(run: &Run, line: &mut Line, held: Held, way: Way) -> anyhow::Result<()> {
    let answer = line.ask(&way.request(&held)).await?;
    run.counts.lost.fetch_add(answer.lost.into(), Relaxed);
    run.counts.put_off.fetch_add(answer.put_off.into(), Relaxed);
    // An earlier attempt, whose answer was lost, may have worked: then this one is told that the token is revoked.
    let ended_before = answer.lost > 0 && answer.member("code") == Some("token_revoked");
    if answer.status == 200 || ended_before {
        run.counts.sign_outs.fetch_add(1, Relaxed);
        let Held { refresh_token, access_token, .. } = held;
        run.signed_out(SignedOut { refresh_token, access_token });
    } else {
        run.fault(format!("{way:?} not signed out: {answer}"));
    }
    Ok(())
}

impl SignedOut {
    /// Reports a fault if the session lives again.
    pub(crate) async fn check(&self, line: &mut Line, run: &Run) -> anyhow::Result<()> {
        let answer = line.ask(&request("GET", "/v1/forward-auth", Some(&self.access_token), None)).await?;
        if answer.status != 401 || answer.member("code") != Some("token_revoked") {
            run.fault(format!("a signed-out access token is answered {answer}"));
        }
        let answer = line.ask(&refresh_request(&self.refresh_token)).await?;
        if answer.status != 401 || answer.member("code") != Some("invalid_grant") {
            run.fault(format!("a signed-out refresh token is answered {answer}"));
        }
        run.counts.checks.fetch_add(1, Relaxed);
        Ok(())
    }
}
