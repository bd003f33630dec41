//! What a client may try, to be taken for somebody else or to come in unasked.

use anyhow::ensure;

use super::checks::{Check, expect_identity, identity, service_saw_nothing};
use super::http::Request;
use super::world::World;

#[rustfmt::skip]
pub(super) const CHECKS: &[Check] = &[
    ("forged: what a client says of itself never arrives, signed in", forged_signed_in),
    ("forged: nor on a public path", forged_public),
    ("forged: nor without a credential", forged_signed_out),
    ("forged: nor spelt otherwise (X_Auth_Subject, X!Auth!…)", forged_spelling),
    ("forged: `Connection: X-Auth-Subject` takes nothing away from the service", named_by_connection),
    ("two Authorization headers: refused, whichever is good", two_authorizations),
    ("a token and a cookie: refused", two_credentials),
    ("a request hidden in a body does not arrive", hidden_request),
    ("a length and chunks at once: nothing is hidden between", length_and_chunks),
    ("paths with two readings do not get around the question", paths),
];

/// What the service must believe from nobody but its gateway.
const NAMES: [&str; 6] = [
    "X-Auth-Subject",
    "X-Auth-Session",
    "X-Auth-Scope",
    "X-Auth-Email",
    "X-Auth-Email-Verified",
    "Counterfoil-Access-Token",
];
const FORGED: &str = "forged";

fn forging(request: Request, names: &[&str]) -> Request {
    names.iter().fold(request, |request, name| request.header(name, FORGED).header(name, FORGED))
}

fn forged_signed_in(world: &World<'_>) -> anyhow::Result<()> {
    for policy in ["refresh", "sliding"] {
        let person = world.sign_in(policy)?;
        let (claims, _) = world.older(&person)?;
        for path in ["/", "/articles/1", "/drafts/1"] {
            let answer = world.ask(&forging(person.with(Request::get(path)), &NAMES))?.expect(200)?;
            expect_identity(&answer, &claims)?;
            let told = answer.all("counterfoil-access-token").next();
            ensure!(told.is_none(), "the client got its own token back: {told:?}");
        }
    }
    Ok(())
}

fn forged_public(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in("refresh")?;
    for request in [Request::get("/public/1"), person.with(Request::get("/public/1"))] {
        let found = identity(&world.ask(&forging(request, &NAMES))?.expect(200)?)?;
        ensure!(found.is_empty(), "the service was told {found:?}");
    }
    Ok(())
}

fn forged_signed_out(world: &World<'_>) -> anyhow::Result<()> {
    world.ask(&forging(Request::get("/"), &NAMES))?.expect_problem(401, "token_missing")?;
    service_saw_nothing(world)
}

/// Many a service takes every character that is neither letter nor digit for the same. These may be in a name besides the
/// hyphen (RFC 9110 §5.6.2).
const LIKE_HYPHENS: &str = "_.!#$%&'*+^`|~";

fn forged_spelling(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in("refresh")?;
    let (claims, _) = world.older(&person)?;
    let with =
        |names: &[String], request: Request| forging(request, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut spellings = vec![NAMES.map(str::to_lowercase).to_vec(), NAMES.map(str::to_uppercase).to_vec()];
    for character in LIKE_HYPHENS.chars() {
        let instead = character.to_string();
        let names = NAMES.iter();
        spellings.push(names.flat_map(|name| [name.replace('-', &instead), name.replacen('-', &instead, 1)]).collect());
    }
    for names in &spellings {
        // Refused as a whole, or without these.
        let answer = world.ask(&with(names, person.with(Request::get("/"))))?;
        if answer.status != 400 {
            expect_identity(&answer.expect(200)?, &claims)?;
        }
        let answer = world.ask(&with(names, Request::get("/public/1")))?;
        if answer.status != 400 {
            let found = identity(&answer.expect(200)?)?;
            ensure!(found.is_empty(), "the service was told {found:?}");
        }
    }
    Ok(())
}

/// RFC 9110 §7.6.1: what `Connection` names ends at the next hop. A gateway must not take that for its own headers, and may
/// refuse the request altogether.
fn named_by_connection(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in("refresh")?;
    let (claims, _) = world.older(&person)?;
    for names in ["X-Auth-Subject, X-Auth-Scope", "keep-alive, x-auth-scope", "X-Forwarded-Method"] {
        let answer = world.ask(&person.with(Request::get("/")).header("Connection", names))?;
        if answer.status != 400 {
            expect_identity(&answer.expect(200)?, &claims)?;
        }
    }
    // Nor for those that say who asks, and from where.
    let cookie = world.sign_in_cookie("session")?;
    let theirs = cookie.with(Request::post("/notes")).header("Origin", &world.public_url);
    let theirs = theirs.header("Sec-Fetch-Site", "same-site").header("Connection", "Sec-Fetch-Site");
    let answer = world.ask(&theirs.body(b"theirs"))?;
    ensure!(matches!(answer.status, 400 | 403), "answered {}: {}", answer.status, answer.text());
    Ok(())
}

fn two_authorizations(world: &World<'_>) -> anyhow::Result<()> {
    let (one, other) = (world.sign_in("refresh")?, world.sign_in("refresh")?);
    let pairs =
        [(one.credential.as_str(), "nonsense"), ("nonsense", &one.credential), (&one.credential, &other.credential)];
    for (first, second) in pairs {
        let answer = world.ask(&Request::get("/").bearer(first).bearer(second))?;
        ensure!(matches!(answer.status, 400 | 401), "answered {}: {}", answer.status, answer.text());
    }
    service_saw_nothing(world)
}

fn two_credentials(world: &World<'_>) -> anyhow::Result<()> {
    let (bearer, cookie) = (world.sign_in("refresh")?, world.sign_in_cookie("session")?);
    let answer = world.ask(&cookie.with(bearer.with(Request::get("/"))))?;
    answer.expect_problem(401, "credentials_ambiguous")?;
    // Two cookies of one name: a browser cannot get out of that by itself.
    let repeated = Request::get("/").header("Cookie", &format!("{0}; {0}", cookie.credential));
    let answer = world.ask(&repeated)?.expect_problem(401, "cookie_repeated")?;
    answer.expect_header("clear-site-data", "\"cookies\"")?;
    service_saw_nothing(world)
}

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: localhost\r\nX-Auth-Subject: forged\r\n\r\n";

fn expect_not_hidden(world: &World<'_>) -> anyhow::Result<()> {
    let seen = world.service.paths_seen()?;
    ensure!(!seen.iter().any(|path| path.contains("hidden")), "the service saw {seen:?}");
    Ok(())
}

fn hidden_request(world: &World<'_>) -> anyhow::Result<()> {
    let person = world.sign_in("refresh")?;
    for request in [
        person.with(Request::post("/notes")).body(HIDDEN.as_bytes()),
        person.with(Request::post("/notes")).chunks(&[HIDDEN.as_bytes()]),
        Request::post("/public/1").body(HIDDEN.as_bytes()),
        Request::post("/public/1").chunks(&[HIDDEN.as_bytes()]),
    ] {
        let answer = world.ask(&request)?.expect(200)?;
        ensure!(answer.text().contains("/hidden"), "the body did not arrive: {}", answer.text());
        // Whatever of it was left on a kept connection would be in front of the next request there.
        world.ask(&Request::get("/public/2"))?.expect(200)?;
    }
    for request in
        [Request::post("/notes").body(HIDDEN.as_bytes()), Request::post("/notes").chunks(&[HIDDEN.as_bytes()])]
    {
        world.ask(&request)?.expect_problem(401, "token_missing")?;
        world.ask(&Request::get("/public/2"))?.expect(200)?;
    }
    expect_not_hidden(world)
}

/// RFC 9112 §6.3: where the two sides count differently, the rest of one request is the next one.
fn length_and_chunks(world: &World<'_>) -> anyhow::Result<()> {
    let chunked = format!("0\r\n\r\n{HIDDEN}");
    let length = chunked.len().to_string();
    for headers in [
        &[("Content-Length", length.as_str()), ("Transfer-Encoding", "chunked")][..],
        &[("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
        &[("Content-Length", "5"), ("Content-Length", &length)],
        &[("Content-Length", &length), ("Transfer-Encoding", "xchunked")],
        &[("Content-Length", &length), ("Transfer_Encoding", "chunked")],
        &[("Transfer-Encoding", "chunked, identity")],
    ] {
        let request =
            headers.iter().fold(Request::post("/public/1"), |request, (name, value)| request.header(name, value));
        // Refused or read in one way, both are well; what came through is what counts. Some are cut off without an answer.
        _ = world.ask(&request.raw_body(chunked.as_bytes()));
        _ = world.ask(&Request::get("/public/2"))?.expect(200)?;
    }
    expect_not_hidden(world)
}

fn paths(world: &World<'_>) -> anyhow::Result<()> {
    world.service.paths_seen()?;
    for path in [
        "/public/../drafts/1",
        "/public/%2e%2e/drafts/1",
        "/public/.%2E/drafts/1",
        "/public/..%2fdrafts/1",
        "/drafts/..%2fpublic/1",
        "/drafts/%2e%2e%2fpublic/1",
        "/public/..;/drafts/1",
        "/public/..\\drafts/1",
        "/public/..%5cdrafts/1",
        "/drafts//../public/1",
        "//drafts/1",
        "/v1/../drafts/1",
        "/drafts/../v1/account",
        "/drafts/1?/public/",
        "/drafts/1;/public/",
        "/Public/1",
        "http://localhost/drafts/1",
    ] {
        let answer = world.ask(&Request::get(path))?;
        ensure!(matches!(answer.status, 400 | 401 | 404), "{path}: {}", answer.status);
    }
    service_saw_nothing(world)?;
    // The same for what is demanded at a place.
    let narrow = world.sign_in_narrow()?;
    for path in
        ["/%61rticles/1", "/notes/..%2farticles/1", "/articles/..%2fnotes/1", "/notes/../articles/1", "//articles/1"]
    {
        let answer = world.ask(&narrow.with(Request::get(path)))?;
        ensure!(matches!(answer.status, 400 | 403), "{path}: {}", answer.status);
    }
    service_saw_nothing(world)
}
