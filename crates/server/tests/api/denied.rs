//! Every path of the document, asked by those who may not. A path that is in the document and not in the table fails.

use crate::harness::{Carried, Held, PUBLIC_URL, Reply, Server};
use counterfoil_domain::policy::SessionPolicy;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const EMAIL: &str = "minsu@example.com";

/// Who may ask, each with all that those before need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Access {
    /// Anybody.
    Open,
    /// Who brings a good credential, whatever its scope.
    SignedIn,
    /// With the scope `account`.
    Reader,
    /// Who is no program.
    Person,
    /// Who has signed in within the last ten minutes.
    RecentPerson,
}
use Access::{Open, Person, Reader, RecentPerson, SignedIn};

const TABLE: [(&str, &str, Access); 25] = [
    ("POST", "/v1/accounts", Open),
    ("GET", "/v1/account", Reader),
    // A new address needs a recent sign-in besides: `account_changes.rs`.
    ("PATCH", "/v1/account", Person),
    ("DELETE", "/v1/account", RecentPerson),
    ("PUT", "/v1/account/password", Person),
    ("POST", "/v1/sessions", Open),
    ("GET", "/v1/sessions", Person),
    ("DELETE", "/v1/sessions", Person),
    ("DELETE", "/v1/sessions/{id}", Person),
    ("POST", "/v1/sessions/current/refresh", Open),
    ("POST", "/v1/sessions/current/extend", SignedIn),
    ("GET", "/v1/personal-tokens", Person),
    ("POST", "/v1/personal-tokens", Person),
    ("DELETE", "/v1/personal-tokens", Person),
    ("DELETE", "/v1/personal-tokens/{id}", Person),
    ("GET", "/v1/forward-auth", SignedIn),
    ("GET", "/v1/openapi.json", Open),
    ("POST", "/oauth/token", Open),
    ("POST", "/oauth/revoke", Open),
    ("GET", "/.well-known/jwks.json", Open),
    ("GET", "/.well-known/oauth-authorization-server", Open),
    ("GET", "/.well-known/openid-configuration", Open),
    ("GET", "/healthz", Open),
    ("GET", "/readyz", Open),
    ("GET", "/v1/nowhere", Open),
];

/// The operations of the document: method, path, and whether it says that a credential is needed. Those that are for
/// clients and no person's are in `clients.rs`.
fn documented() -> BTreeSet<(String, String, bool)> {
    let document: Value = serde_json::from_str(&counterfoil::openapi_document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let is_for_clients = |operation: &Value| operation["security"][0].get("client").is_some();
    let operations =
        paths.iter().flat_map(|(path, methods)| {
            methods.as_object().unwrap().iter().filter(move |(_, operation)| !is_for_clients(operation)).map(
                move |(method, operation)| (method.to_uppercase(), path.clone(), operation.get("security").is_some()),
            )
        });
    operations.collect()
}

#[test]
fn the_table_holds_every_path_of_the_document() {
    let in_table = TABLE.iter().filter(|(_, path, _)| *path != "/v1/nowhere");
    let in_table = in_table.map(|(method, path, access)| ((*method).to_owned(), (*path).to_owned(), *access > Open));
    assert_eq!(in_table.collect::<BTreeSet<_>>(), documented());
}

/// Who asks, with what the answer must be where the path needs so much.
struct Asker {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    /// What is refused to them, and how: from this access on.
    refused: Vec<(Access, u16, &'static str)>,
}

impl Asker {
    fn new(name: &'static str, headers: &[(&'static str, &str)], refused: &[(Access, u16, &'static str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { name, headers, refused: refused.to_vec() }
    }

    /// One with a credential and nothing wrong but that.
    fn with(name: &'static str, carried: &Carried, refused: &[(Access, u16, &'static str)]) -> Self {
        match carried {
            Carried::Bearer(token) => Self::new(name, &[("authorization", &format!("Bearer {token}"))], refused),
            Carried::Cookie(cookie) => Self::new(name, &[("cookie", cookie), ("origin", PUBLIC_URL)], refused),
        }
    }

    /// The last entry that applies: what is demanded first is refused first, so entries go from the most to the least.
    fn refusal_at(&self, access: Access) -> Option<(u16, &'static str)> {
        let applies = |entry: &&(Access, u16, &'static str)| access >= entry.0;
        self.refused.iter().rev().find(applies).map(|(_, status, code)| (*status, *code))
    }

    async fn ask(&self, server: &Server, method: &str, path: &str) -> Reply {
        let request = server.request(method, path);
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        server.send(request).await
    }
}

/// Everybody who may not do something. Sessions are made in an order that lets the clock be turned between.
async fn askers(server: &Server, elsewhere: &Server) -> (Vec<Asker>, Held) {
    server.sign_up(EMAIL).await;
    let mut askers = Vec::new();
    let all = |status, code| [(SignedIn, status, code)];
    let foreign = elsewhere.sign_up(EMAIL).await;
    assert_eq!(foreign.claims()["iss"], PUBLIC_URL, "else this would test too little");

    // What ends in time.
    let policies = [SessionPolicy::Session, SessionPolicy::Tracked, SessionPolicy::Sliding, SessionPolicy::Refresh];
    let mut stale = Vec::new();
    for policy in policies {
        stale.push(server.sign_in_with(EMAIL, policy).await.carried);
    }
    let maker = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    let ends = counterfoil_wire::Timestamp::from_unix_millis(
        counterfoil_domain::time::Clock::now(&*server.clock).plus(Duration::from_hours(1)).as_millis(),
    );
    let request = json!({ "name": "short", "scope": "account", "expires_at": ends });
    stale.push(server.personal_token(&maker, &request).await.carried);
    server.clock.advance(Duration::from_hours(13));
    let codes = ["session_ended", "token_expired", "token_expired", "token_expired", "personal_token_refused"];
    for (carried, code) in stale.iter().zip(codes) {
        askers.push(Asker::with("expired", carried, &all(401, code)));
    }

    // What was signed in some time ago, and is good.
    let long_ago = server.sign_in_with(EMAIL, SessionPolicy::Sliding).await;
    server.clock.advance(Duration::from_mins(11));
    let too_old = (RecentPerson, 401, "insufficient_user_authentication");
    askers.push(Asker::with("signed in long ago", &long_ago.carried, &[too_old]));

    // What was signed out.
    for (policy, code) in policies.into_iter().zip(["session_ended", "token_revoked", "token_revoked", "token_revoked"])
    {
        let held = server.sign_in_with(EMAIL, policy).await;
        held.send(server, "DELETE", "/v1/sessions/current", None).await.expect(200);
        askers.push(Asker::with("signed out", &held.carried, &all(401, code)));
    }

    let good = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
    let deleted = server.personal_token(&good, &json!({ "name": "old", "scope": "account" })).await;
    good.send(server, "DELETE", &format!("/v1/personal-tokens/{}", deleted.id), None).await.expect(200);
    askers.push(Asker::with("signed out", &deleted.carried, &all(401, "personal_token_refused")));

    // The scope is missing.
    let body = json!({ "email": EMAIL, "password": crate::harness::PASSWORD, "policy": "sliding", "scope": "" });
    let narrow = server.post_json("/v1/sessions", &body).await.expect(201).json();
    let narrow = Carried::Bearer(narrow["access_token"].as_str().unwrap().to_owned());
    askers.push(Asker::with("without the scope", &narrow, &[(Reader, 403, "insufficient_scope")]));
    let person_only = [(Person, 403, "person_only")];
    let personal = server.personal_token(&good, &json!({ "name": "backup", "scope": "account" })).await;
    askers.push(Asker::with("a program", &personal.carried, &person_only));
    let useless = server.personal_token(&good, &json!({ "name": "nothing", "scope": "" })).await;
    askers.push(Asker::with("a program without the scope", &useless.carried, &[(Reader, 403, "insufficient_scope")]));

    // No credential, or the wrong kind.
    let cookie = server.sign_in_with(EMAIL, SessionPolicy::Session).await;
    let Carried::Cookie(pair) = &cookie.carried else { panic!("no cookie") };
    let id = pair.split_once('=').unwrap().1;
    let Carried::Bearer(access) = &good.carried else { panic!("no token") };
    let refresh = good.refresh.clone().unwrap();
    let bearer = |token: &str| format!("Bearer {token}");
    for (name, headers, status, code) in [
        ("nobody", vec![], 401, "token_missing"),
        ("another scheme", vec![("authorization", "Basic bWluc3U6cGx1bQ==".to_owned())], 401, "token_missing"),
        ("a refresh token", vec![("authorization", bearer(&refresh))], 401, "refresh_token_presented"),
        (
            "a refresh token's cookie",
            vec![("cookie", format!("__Host-counterfoil-refresh={refresh}"))],
            401,
            "token_missing",
        ),
        ("a session's id as a token", vec![("authorization", bearer(id))], 401, "session_id_presented"),
        (
            "an access token as a session's id",
            vec![("cookie", format!("__Host-counterfoil-session={access}")), ("origin", PUBLIC_URL.to_owned())],
            401,
            "session_ended",
        ),
        (
            "a personal token as a cookie",
            vec![("cookie", format!("__Host-counterfoil-access={}", "cfp_x")), ("origin", PUBLIC_URL.to_owned())],
            401,
            "not_a_compact_jws",
        ),
        (
            "a session's id that somebody chose",
            vec![("cookie", "__Host-counterfoil-session=cfs_chosen".to_owned()), ("origin", PUBLIC_URL.to_owned())],
            401,
            "session_ended",
        ),
        ("somebody else's token", vec![("authorization", bearer(&foreign.access))], 401, "unknown_key"),
        (
            "two credentials",
            vec![("authorization", bearer(access)), ("cookie", pair.clone()), ("origin", PUBLIC_URL.to_owned())],
            400,
            "credentials_ambiguous",
        ),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        askers.push(Asker::new(name, &headers, &all(status, code)));
    }
    (askers, cookie)
}

#[tokio::test]
async fn who_may_not_is_refused_everywhere() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let (askers, cookie) = askers(&server, &elsewhere).await;
    let before = server.snapshot().await;
    for asker in &askers {
        for (method, path, access) in TABLE {
            let path = path.replace("{id}", &cookie.id);
            let Some((status, code)) = asker.refusal_at(access) else {
                if access == Open {
                    let reply = asker.ask(&server, method, &path).await;
                    // A refresh by a cookie must come from one of our pages, whoever asks.
                    let is_fine = ![401, 403, 500].contains(&reply.status) || reply.code() == "cross_origin";
                    assert!(is_fine, "{method} {path} asks for a token: {reply:?}");
                }
                continue;
            };
            let reply = asker.ask(&server, method, &path).await;
            // Gateways know 401 and 403 only.
            let status = if path == "/v1/forward-auth" && status == 400 { 401 } else { status };
            let told = format!("{method} {path} as {}: {} {}", asker.name, reply.status, reply.text());
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{told}");
            reply.expect_refusal(status, code);
        }
    }
    assert_eq!(without_use(server.snapshot().await), without_use(before));

    // A page of another origin, with the browser's cookie: nothing that changes something.
    let Carried::Cookie(pair) = cookie.carried.clone() else { panic!("no cookie") };
    cookie.ask(&server).await.expect(200);
    let before = server.snapshot().await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("x-nothing", ""),
    ] {
        let foreign = Asker::new("a foreign page", &[("cookie", &pair), (name, value)], &[]);
        for (method, path, access) in TABLE.into_iter().filter(|(method, _, access)| *method != "GET" && *access > Open)
        {
            let path = path.replace("{id}", &cookie.id);
            let reply = foreign.ask(&server, method, &path).await;
            assert_eq!((reply.status, reply.code().as_str()), (403, "cross_origin"), "{method} {path} {access:?}");
        }
        foreign.ask(&server, "GET", "/v1/account").await.expect(200);
    }
    assert_eq!(server.snapshot().await, before);

    // The same paths let in who may.
    for (method, path, access) in TABLE {
        if access > Open && method == "GET" {
            cookie.send(&server, method, path, None).await.expect(200);
        }
    }
}

/// That somebody was there is no change.
fn without_use(mut snapshot: crate::harness::Snapshot) -> crate::harness::Snapshot {
    for view in &mut snapshot.sessions {
        view.session.last_seen_at = view.session.created_at;
        view.session.idle_until = view.session.absolute_until;
    }
    snapshot
}
