//! Every path of the document, asked by those who may not. A path that is in the document and not in the table fails.

use crate::harness::{PAST_THE_ACCESS_TOKEN, Server};
use serde_json::Value;
use std::collections::BTreeSet;

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Access {
    /// Anybody.
    Open,
    /// Who brings an access token.
    SignedIn,
}
use Access::{Open, SignedIn};

const TABLE: [(&str, &str, Access); 15] = [
    ("POST", "/v1/accounts", Open),
    ("GET", "/v1/account", SignedIn),
    ("POST", "/v1/sessions", Open),
    ("GET", "/v1/sessions", SignedIn),
    ("DELETE", "/v1/sessions", SignedIn),
    ("DELETE", "/v1/sessions/{id}", SignedIn),
    ("POST", "/v1/sessions/current/refresh", Open),
    ("GET", "/v1/forward-auth", SignedIn),
    ("GET", "/v1/openapi.json", Open),
    ("POST", "/oauth/token", Open),
    ("POST", "/oauth/revoke", Open),
    ("GET", "/.well-known/jwks.json", Open),
    ("GET", "/.well-known/oauth-authorization-server", Open),
    ("GET", "/healthz", Open),
    ("GET", "/readyz", Open),
];

/// The operations of the document: method, path, and whether it says that an access token is needed.
fn documented() -> Vec<(String, String, Access)> {
    let document: Value = serde_json::from_str(&counterfoil::openapi_document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| {
            let access = if operation.get("security").is_some() { SignedIn } else { Open };
            (method.to_uppercase(), path.clone(), access)
        })
    });
    operations.collect()
}

#[test]
fn the_table_holds_every_path_of_the_document() {
    let name = |(method, path, access): &(String, String, Access)| format!("{method} {path} {access:?}");
    let documented: BTreeSet<_> = documented().iter().map(name).collect();
    let table: BTreeSet<_> = TABLE.iter().map(|(method, path, access)| format!("{method} {path} {access:?}")).collect();
    assert_eq!(documented, table);
}

#[tokio::test]
async fn who_may_not_is_refused_everywhere() {
    let (server, elsewhere) = (Server::start().await, Server::start().await);
    let stale = server.sign_up("minsu@example.com").await;
    server.clock.advance(PAST_THE_ACCESS_TOKEN);
    let signed_out = server.sign_in("minsu@example.com").await;
    server.with_token("DELETE", "/v1/sessions/current", &signed_out.access).await.expect(200);
    let good = server.sign_in("minsu@example.com").await;
    let (foreign_id, foreign) = ("https://auth.example.com", elsewhere.sign_up("minsu@example.com").await);
    assert_eq!(foreign.claims()["iss"], foreign_id, "else this would test too little");
    let bearer = |token: &str| format!("Bearer {token}");
    let credentials = [
        ("", "token_missing"),
        ("Basic bWluc3U6cGx1bQ==", "token_missing"),
        (&bearer(&good.refresh), "refresh_token_presented"),
        (&bearer(&stale.access), "token_expired"),
        (&bearer(&signed_out.access), "token_revoked"),
        (&bearer(&foreign.access), "unknown_key"),
    ];
    let before = server.snapshot().await;
    for (method, path, access) in TABLE {
        let path = path.replace("{id}", &good.session());
        for (credential, code) in credentials {
            let mut request = server.request(method, &path);
            if !credential.is_empty() {
                request = request.header("authorization", credential);
            }
            let reply = server.send(request).await;
            if access == SignedIn {
                reply.expect_refusal(401, code);
            } else {
                assert!(![401, 403, 500].contains(&reply.status), "{method} {path} asks for a token: {reply:?}");
            }
        }
    }
    assert_eq!(server.snapshot().await, before);
    // The same paths let in who may.
    for (method, path, access) in TABLE {
        if access == SignedIn && method == "GET" {
            server.with_token(method, path, &good.access).await.expect(200);
        }
    }
}
