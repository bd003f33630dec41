//! What a gateway must do: who comes in, as whom, and what the client is told.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::http::{Answer, Request};
use super::world::World;
use crate::process;

/// What must hold, and how it is found out.
pub(super) type Check = (&'static str, fn(&World<'_>) -> anyhow::Result<()>);

#[rustfmt::skip]
pub(super) const CHECKS: &[Check] = &[
    ("signed out: 401 with challenge and problem", signed_out),
    ("a token that is not good: 401 says why", refused),
    ("signed in: 200, and the service is told who it is", signed_in),
    ("a cookie session: 200, and the service is told who it is", cookie_session),
    ("a cookie from somebody else's page: reads, and is 403 for whatever may change something", cross_origin),
    ("a client cannot say which method is asked about", method_forged),
    ("without the scope: 403 names it; with it: 200", scope),
    ("signed out: refused within a second", sign_out),
    ("a body with its length arrives whole", body),
    ("a body in chunks arrives whole", chunked_body),
    ("what the service refuses is passed on as it is", service_error),
    ("a sliding token is renewed where that is marked, and the client gets it", renewed_token),
    ("a sliding cookie is renewed, beside the service's own", renewed_cookie),
    ("the renewed cookie is not lost when the service fails", renewed_cookie_with_error),
    ("the gateway's question is not for clients", question),
    ("forty requests share a few connections to the server", connections),
];

/// The headers that say who is asking, as the service got them.
pub(super) fn identity(answer: &Answer) -> anyhow::Result<Vec<(String, String)>> {
    let seen = answer.json()?;
    let pairs = seen.get("identity").and_then(Value::as_array).context("no identity in the service's answer")?;
    let text = |pair: &Value, index: usize| pair.get(index).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(pairs.iter().map(|pair| (text(pair, 0), text(pair, 1))).collect())
}

/// The service was told of this person, and of nothing else.
pub(super) fn expect_identity(answer: &Answer, claims: &Value) -> anyhow::Result<()> {
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let expected = [
        ("x-auth-email", "gateways@example.com".to_owned()),
        ("x-auth-email-verified", "false".to_owned()),
        ("x-auth-scope", claim("scope")),
        ("x-auth-session", claim("sid")),
        ("x-auth-subject", claim("sub")),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let found = identity(answer)?;
    ensure!(found == expected, "the service was told {found:?}, not {expected:?}");
    Ok(())
}

/// Nothing came through to the service.
pub(super) fn service_saw_nothing(world: &World<'_>) -> anyhow::Result<()> {
    let seen = world.service.paths_seen()?;
    if seen.is_empty() { Ok(()) } else { bail!("the service saw {seen:?}") }
}

fn signed_out(world: &World<'_>) -> anyhow::Result<()> {
    for path in ["/", "/articles/1", "/drafts/1", "/no/such/place"] {
        let answer = world.ask(&Request::get(path))?.expect_problem(401, "token_missing")?;
        answer.expect_header("www-authenticate", "Bearer")?.expect_header("cache-control", "no-store")?;
    }
    service_saw_nothing(world)
}

fn refused(world: &World<'_>) -> anyhow::Result<()> {
    let token = world.sign_in("refresh")?.credential;
    let (signed, signature) = token.rsplit_once('.').context("a token has parts")?;
    // Another signature in a spelling that base64url has: of 64 bytes, only the last character is particular.
    let (turned, last) = signature.split_at(signature.len() - 1);
    let turned: String = turned.chars().rev().chain(last.chars()).collect();
    for (token, code) in [(signed.to_owned(), "not_a_compact_jws"), (format!("{signed}.{turned}"), "signature_invalid")]
    {
        let answer = world.ask(&Request::get("/").bearer(&token))?.expect_problem(401, code)?;
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{code}\"");
        answer.expect_header("www-authenticate", &challenge)?.expect_header("cache-control", "no-store")?;
    }
    service_saw_nothing(world)
}

fn signed_in(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in("refresh")?;
    let (claims, _) = world.older(&person)?;
    for path in ["/", "/notes?scope=none&extend=maybe", "/articles/1", "/drafts/1"] {
        let answer = world.ask(&person.with(Request::get(path)))?.expect(200)?;
        expect_identity(&answer, &claims)?;
        ensure!(answer.json()?.get("path").is_some_and(|seen| seen == path), "{path} became {}", answer.text());
    }
    Ok(())
}

fn cookie_session(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in_cookie("session")?;
    let found = identity(&world.ask(&person.with(Request::get("/")))?.expect(200)?)?;
    let account = world.ask(&person.with(Request::get("/v1/account")))?.expect(200)?.json()?;
    let id = account.get("id").and_then(Value::as_str).unwrap_or_default();
    ensure!(found.iter().any(|(name, value)| name == "x-auth-subject" && value == id), "told {found:?}, not {id}");
    Ok(())
}

fn cross_origin(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in_cookie("session")?;
    let from = |method: &str, origin: &str| person.with(Request::new(method, "/notes")).header("Origin", origin);
    world.ask(&from("GET", "https://evil.example"))?.expect(200)?;
    world.ask(&from("POST", &world.public_url).body(b"mine"))?.expect(200)?;
    world.service.paths_seen()?;
    for method in ["POST", "PUT", "DELETE"] {
        world.ask(&from(method, "https://evil.example").body(b"theirs"))?.expect_problem(403, "cross_origin")?;
        world.ask(&person.with(Request::new(method, "/notes")).body(b"whose"))?.expect_problem(403, "cross_origin")?;
    }
    let same_site = from("POST", &world.public_url).header("Sec-Fetch-Site", "same-site").body(b"theirs");
    world.ask(&same_site)?.expect_problem(403, "cross_origin")?;
    service_saw_nothing(world)
}

fn method_forged(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in_cookie("session")?;
    for names in [&["X-Forwarded-Method"][..], &["X-Original-Method"], &["X-Forwarded-Method", "X-Original-Method"]] {
        let mut request = person.with(Request::post("/notes")).header("X-HTTP-Method-Override", "GET");
        for name in names {
            request = request.header(name, "GET");
        }
        world.ask(&request.body(b"theirs"))?.expect_problem(403, "cross_origin")?;
        // The other way round nobody is kept from reading.
        let mut request = person.with(Request::get("/notes"));
        for name in names {
            request = request.header(name, "POST");
        }
        world.ask(&request)?.expect(200)?;
    }
    ensure!(world.service.paths_seen()?.len() == 3, "only the three that read come through");
    Ok(())
}

fn scope(world: &World<'_>) -> anyhow::Result<()> {
    let (narrow, wide) = (world.sign_in_narrow()?, world.sign_in("refresh")?);
    world.ask(&wide.with(Request::get("/articles/1")))?.expect(200)?;
    world.ask(&narrow.with(Request::get("/")))?.expect(200)?;
    world.service.paths_seen()?;
    let answer = world.ask(&narrow.with(Request::get("/articles/1")))?.expect_problem(403, "insufficient_scope")?;
    let challenge =
        "Bearer error=\"insufficient_scope\", error_description=\"insufficient_scope\", scope=\"articles:write\"";
    answer.expect_header("www-authenticate", challenge)?;
    service_saw_nothing(world)
}

fn sign_out(world: &World<'_>) -> anyhow::Result<()> {
    const LIMIT: Duration = Duration::from_secs(1);
    for policy in ["refresh", "sliding", "session"] {
        let person = if policy == "session" { world.sign_in_cookie(policy)? } else { world.sign_in(policy)? };
        world.ask(&person.with(Request::get("/")))?.expect(200)?;
        let sign_out = person.with(Request::new("DELETE", "/v1/sessions/current")).header("Origin", &world.public_url);
        let started = process::now();
        world.ask(&sign_out)?.expect(200)?;
        while world.ask(&person.with(Request::get("/")))?.status != 401 {
            ensure!(started.elapsed() < LIMIT, "{policy}: still let in after {LIMIT:?}");
        }
        println!("          {policy}: {:.1} ms after the sign-out was sent", started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(())
}

/// More than gateways keep in memory, and no two places alike.
fn long_text() -> String {
    (0..30_000).map(|number: u32| number.to_string()).collect::<Vec<_>>().join(" ")
}

fn body(world: &World<'_>) -> anyhow::Result<()> {
    let (person, text) = (world.sign_in("refresh")?, long_text());
    let answer = world.ask(&person.with(Request::post("/notes")).body(text.as_bytes()))?.expect(200)?;
    ensure!(answer.json()?.get("body").is_some_and(|seen| *seen == text), "another body arrived");
    Ok(())
}

fn chunked_body(world: &World<'_>) -> anyhow::Result<()> {
    let (person, text) = (world.sign_in("refresh")?, long_text());
    let pieces: Vec<_> = text.as_bytes().chunks(7_001).collect();
    let answer = world.ask(&person.with(Request::post("/notes")).chunks(&pieces))?.expect(200)?;
    ensure!(answer.json()?.get("body").is_some_and(|seen| *seen == text), "another body arrived");
    world.service.paths_seen()?;
    world.ask(&Request::post("/notes").chunks(&pieces))?.expect_problem(401, "token_missing")?;
    service_saw_nothing(world)
}

fn service_error(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in("refresh")?;
    let answer = world.ask(&person.with(Request::get("/broken")))?.expect(500)?;
    ensure!(answer.json()?.get("path").is_some_and(|seen| seen == "/broken"), "not the service's: {}", answer.text());
    answer.expect_header("set-cookie", "theme=dark; Path=/")?;
    Ok(())
}

fn renewed_token(world: &World<'_>) -> anyhow::Result<()> {
    let young = world.sign_in("sliding")?;
    let (claims, old) = world.older(&young)?;
    for (person, path) in [(&young, "/drafts/1"), (&old, "/notes")] {
        let answer = world.ask(&person.with(Request::get(path)))?.expect(200)?;
        ensure!(
            answer.all("counterfoil-access-token").next().is_none(),
            "{path}: renewed too early or in no marked place"
        );
    }
    let answer = world.ask(&old.with(Request::post("/drafts/1").body(b"text")))?.expect(200)?;
    expect_identity(&answer, &claims)?;
    let token = answer.header("counterfoil-access-token").context("no renewed token")?;
    ensure!(token != old.credential && token != young.credential, "the same token again");
    world.ask(&Request::get("/").bearer(token))?.expect(200)?;
    expect_no_store(&answer)
}

fn expect_no_store(answer: &Answer) -> anyhow::Result<()> {
    ensure!(
        answer.all("cache-control").any(|value| value == "no-store"),
        "an answer with a token may be kept by caches"
    );
    Ok(())
}

fn renewed_cookie(world: &World<'_>) -> anyhow::Result<()> {
    expect_renewed_cookie(world, "/drafts/1", 200)
}

fn renewed_cookie_with_error(world: &World<'_>) -> anyhow::Result<()> {
    expect_renewed_cookie(world, "/drafts/broken", 500)
}

fn expect_renewed_cookie(world: &World<'_>, path: &str, status: u16) -> anyhow::Result<()> {
    let young = world.sign_in_cookie("sliding")?;
    let (claims, old) = world.older(&young)?;
    let answer = world.ask(&old.with(Request::get(path)))?.expect(status)?;
    expect_identity(&answer, &claims)?;
    let (ours, others): (Vec<_>, Vec<_>) =
        answer.all("set-cookie").partition(|cookie| cookie.starts_with("counterfoil-access="));
    ensure!(others == ["theme=dark; Path=/"], "the service's own cookie became {others:?}");
    ensure!(ours.len() == 1 && answer.all("counterfoil-access-token").next().is_none(), "renewed by {ours:?}");
    let set = ours.first().copied().unwrap_or_default();
    ensure!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "the cookie lost its attributes: {set}");
    let pair = set.split(';').next().unwrap_or_default();
    ensure!(pair != old.credential && pair != young.credential, "the same cookie again");
    world.ask(&Request::get("/").header("Cookie", pair))?.expect(200)?;
    expect_no_store(&answer)
}

fn question(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in("refresh")?;
    for path in ["/v1/forward-auth", "/v1/forward-auth?extend=true", "/v1/%66orward-auth", "/_auth/signed-in"] {
        let answer = world.ask(&person.with(Request::get(path)))?;
        ensure!(answer.all("x-auth-subject").next().is_none(), "{path} tells who is asking");
    }
    world.ask(&person.with(Request::get("/v1/forward-auth")))?.expect(404)?;
    Ok(())
}

fn connections(world: &World<'_>) -> anyhow::Result<()> {
    const REQUESTS: usize = 40;
    const MORE_MAX: usize = 8;
    let person = world.sign_in("refresh")?;
    let count = || super::linux::connections(world.addresses.server.port());
    let Some(before) = count() else {
        println!("          (not counted: this system has no /proc/net/tcp)");
        return Ok(());
    };
    for _ in 0..REQUESTS {
        world.ask(&person.with(Request::get("/")))?.expect(200)?;
    }
    let more = count().unwrap_or_default().saturating_sub(before);
    ensure!(more <= MORE_MAX, "{REQUESTS} requests opened {more} connections");
    Ok(())
}
