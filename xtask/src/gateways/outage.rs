//! While the server cannot be asked: closed, and nobody is told that they are signed out.

use std::time::Duration;

use anyhow::{Context, ensure};

use super::checks::service_saw_nothing;
use super::http::Request;
use super::question;
use super::world::{SignedIn, World};
use crate::cases::Cases;

/// The gateways give up after two seconds; this is for one that waits until it is told.
const CLOSED_LIMIT: Duration = Duration::from_secs(15);

/// Stops the server and starts it again, and notes what the gateway made of it.
pub(super) fn play(world: &mut World<'_>, cases: &mut Cases) -> anyhow::Result<()> {
    let person = world.sign_in("refresh")?;
    world.ask(&person.with(Request::get("/")))?.expect(200)?;

    world.set_server_frozen(true);
    cases
        .note("the server does not answer: 503 with Retry-After, and the service sees nothing", closed(world, &person));
    world.set_server_frozen(false);
    cases.note("it answers again: 200", open(world, &person));

    world.stop_server()?;
    cases.note("the server is down: 503 with Retry-After, and the service sees nothing", closed(world, &person));
    cases.note(
        "public paths go on",
        world.ask(&Request::get("/public/1")).and_then(|answer| answer.expect(200)).map(drop),
    );
    cases.note("the question is complete: method, place, Origin, credentials, and no body", question::complete(world));
    world.start_server()?;
    cases.note("it is up again: 200, without a restart of the gateway", open(world, &person));
    Ok(())
}

fn closed(world: &World<'_>, person: &SignedIn) -> anyhow::Result<()> {
    world.service.paths_seen()?;
    let requests = [
        ("signed in", person.with(Request::post("/drafts/1").body(b"text"))),
        ("signed out", Request::get("/articles/1")),
    ];
    for (who, request) in requests {
        let answer = request.send_within(CLOSED_LIMIT, world.addresses.gateway).context(who)?;
        let answer = answer.expect_problem(503, "auth_unavailable").context(who)?;
        ensure!(answer.header("retry-after") == Some("1"), "{who}: no Retry-After");
        ensure!(answer.all("www-authenticate").next().is_none(), "{who}: told to sign in");
    }
    service_saw_nothing(world)
}

fn open(world: &World<'_>, person: &SignedIn) -> anyhow::Result<()> {
    world.ask(&person.with(Request::get("/")))?.expect(200)?;
    world.ask(&Request::get("/"))?.expect_problem(401, "token_missing")?;
    Ok(())
}
