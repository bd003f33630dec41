//! What no well-meaning client sends: each is a clear refusal with its code, never a 500, and changes nothing.

use crate::harness::{Client, PASSWORD, Process, Reply, Server, eventually};
use serde_json::json;
use std::time::Duration;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const EMAIL: &str = "minsu@example.com";
const ACCOUNTS: &str = "/v1/accounts";
const SESSIONS: &str = "/v1/sessions";
const REFRESH: &str = "/v1/sessions/current/refresh";

/// A body that is said to be JSON, and how it is refused.
struct Case(&'static str, String, u16, &'static str);

fn cases() -> Vec<Case> {
    let good = format!(r#""email":"jiho@example.com","password":"{PASSWORD}""#);
    let invalid = |path, body: String| Case(path, body, 422, "invalid_request");
    let not_json = |path, body: &str| Case(path, body.to_owned(), 400, "invalid_json");
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let mut cases = vec![
        // Members that nobody knows, or that come twice.
        invalid(ACCOUNTS, format!(r#"{{{good},"admin":true}}"#)),
        invalid(ACCOUNTS, format!(r#"{{{good},"sign_in":{{"polici":"refresh"}}}}"#)),
        invalid(ACCOUNTS, format!(r#"{{{good},"email":"other@example.com"}}"#)),
        invalid(ACCOUNTS, format!(r#"{{{good},"name":null,"name":"a"}}"#)),
        invalid(ACCOUNTS, format!(r#"{{{good},"sign_in":{{"policy":"refresh","policy":"refresh"}}}}"#)),
        invalid(ACCOUNTS, format!(r#"{{{good},"sign_in":{{}},"sign_in":{{}}}}"#)),
        invalid(SESSIONS, format!(r#"{{{good},"sign_in":{{}}}}"#)),
        invalid(SESSIONS, format!(r#"{{{good},"password":"{PASSWORD}"}}"#)),
        invalid(REFRESH, r#"{"refresh_token":"a","scope":"account"}"#.into()),
        invalid(REFRESH, r#"{"refresh_token":"a","refresh_token":"a"}"#.into()),
        // Members that are missing or of another type.
        invalid(ACCOUNTS, format!(r#"{{"password":"{PASSWORD}"}}"#)),
        invalid(ACCOUNTS, r#"{"email":"jiho@example.com"}"#.into()),
        invalid(ACCOUNTS, format!(r#"{{"email":null,"password":"{PASSWORD}"}}"#)),
        invalid(ACCOUNTS, r#"{"email":"jiho@example.com","password":123456789012345}"#.into()),
        invalid(ACCOUNTS, format!(r#"{{{good},"name":7}}"#)),
        invalid(ACCOUNTS, format!(r#"{{{good},"sign_in":true}}"#)),
        invalid(ACCOUNTS, format!(r#"{{{good},"sign_in":["refresh","body",null]}}"#)),
        invalid(ACCOUNTS, format!(r#"["jiho@example.com","{PASSWORD}",null,null]"#)),
        invalid(SESSIONS, format!(r#"["{EMAIL}","{PASSWORD}",null,null,null]"#)),
        invalid(SESSIONS, format!(r#"{{"email":["{EMAIL}"],"password":"{PASSWORD}"}}"#)),
        invalid(SESSIONS, format!(r#"{{{good},"device_name":{{}}}}"#)),
        invalid(REFRESH, r#"["cfr_a",null]"#.into()),
        invalid(REFRESH, r#"{"refresh_token":null}"#.into()),
        invalid(REFRESH, format!(r#"{{"refresh_token":{nested}}}"#)),
        // Values that are not taken.
        Case(ACCOUNTS, format!(r#"{{{good},"name":"  "}}"#), 422, "invalid_name"),
        Case(ACCOUNTS, format!(r#"{{{good},"name":"a\u0000b"}}"#), 422, "invalid_name"),
        Case(ACCOUNTS, format!(r#"{{{good},"name":"{}"}}"#, "x".repeat(101)), 422, "invalid_name"),
        Case(ACCOUNTS, format!(r#"{{{good},"name":"admin\u200b"}}"#), 422, "invalid_name"),
        Case(ACCOUNTS, format!(r#"{{{good},"name":"\u202enimda"}}"#), 422, "invalid_name"),
        Case(SESSIONS, format!(r#"{{{good},"device_name":"\u2066phone"}}"#), 422, "invalid_name"),
        Case(
            ACCOUNTS,
            format!(r#"{{"email":"mi\u200bnsu@example.com","password":"{PASSWORD}"}}"#),
            422,
            "invalid_email",
        ),
        Case(SESSIONS, format!(r#"{{{good},"device_name":"\n"}}"#), 422, "invalid_name"),
        Case(ACCOUNTS, format!(r#"{{{good},"sign_in":{{"policy":"personal"}}}}"#), 422, "policy_not_allowed"),
        Case(ACCOUNTS, format!(r#"{{{good},"sign_in":{{"transport":"post"}}}}"#), 422, "transport_not_allowed"),
        Case(SESSIONS, format!(r#"{{{good},"policy":""}}"#), 422, "policy_not_allowed"),
        Case(SESSIONS, format!(r#"{{{good},"transport":"Body"}}"#), 422, "transport_not_allowed"),
        Case(ACCOUNTS, format!(r#"{{"email":"MINSU@example.com","password":"{PASSWORD}"}}"#), 409, "email_taken"),
    ];
    for path in [ACCOUNTS, SESSIONS, REFRESH] {
        cases.extend(["null", "true", "7", "\"a\"", "[]"].map(|body| invalid(path, body.into())));
        cases.push(invalid(path, "{}".into()));
        cases.extend(["", " ", "{", "{,}", "{'email':1}", "{} {}", "{}x", "\u{feff}{}", "a=b"].map(|body| {
            // What follows a whole value is looked at only when the value itself was taken, as a refresh without members is.
            if body.starts_with("{}") && path != REFRESH { invalid(path, body.into()) } else { not_json(path, body) }
        }));
    }
    cases.push(not_json(SESSIONS, &format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}x"#)));
    cases.push(not_json(SESSIONS, &format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}{{}}"#)));
    let addresses = ["", "a", "a@", "@example.com", "a b@example.com", "a@localhost", "a@b@c.com", "a@example.com\\n"];
    cases.extend(addresses.map(|email| {
        Case(ACCOUNTS, format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#), 422, "invalid_email")
    }));
    let long = "ab1 ".repeat(70);
    let passwords = [
        ("", "password_too_short"),
        ("plum tin walrus", ""),
        ("plum tin walru", "password_too_short"),
        ("비밀번호비밀번호", "password_too_short"),
        (long.as_str(), "password_too_long"),
        ("passwordpassword", "password_common"),
        ("Password2026!!!!", "password_common"),
        ("abcdefghijklmnopq", "password_common"),
        ("jiho@example.com", "password_common"),
    ];
    let passwords = passwords.into_iter().filter(|(_, code)| !code.is_empty());
    cases.extend(passwords.map(|(password, code)| {
        Case(ACCOUNTS, format!(r#"{{"email":"jiho@example.com","password":"{password}"}}"#), 422, code)
    }));
    cases
}

#[tokio::test]
async fn json_bodies() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    let before = server.snapshot().await;
    for Case(path, body, status, code) in cases() {
        let shown: String = body.chars().take(80).collect();
        println!("{path} {shown}");
        server.post_text(path, body).await.expect_refusal(status, code);
    }
    assert_eq!(server.snapshot().await, before);
    server.account(&tokens.access).await.expect(200);
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let server = Server::start().await;
    let before = server.snapshot().await;
    for bytes in [&b"{\"email\":\"\xff\xfe\"}"[..], b"\xff", b"{\"refresh_token\":\"\xc3\"}", b"\0\0\0\0"] {
        for path in [ACCOUNTS, SESSIONS, REFRESH] {
            let reply = server.post_text(path, bytes).await;
            assert!(matches!(reply.status, 400 | 422), "{reply:?}");
            let code = reply.code();
            assert!(code == "invalid_json" || code == "invalid_request", "{code}");
        }
    }
    assert_eq!(server.snapshot().await, before);
}

#[tokio::test]
async fn content_types() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let before = server.snapshot().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    for path in [ACCOUNTS, SESSIONS, REFRESH] {
        for content_type in ["", "text/plain", "application/jsonp", "application/x-www-form-urlencoded", "json", "é"] {
            let request = server.request("POST", path).body(body.clone());
            let request = if content_type.is_empty() { request } else { request.header("content-type", content_type) };
            server.send(request).await.expect_refusal(415, "unsupported_media_type");
        }
    }
    assert_eq!(server.snapshot().await, before);
    for content_type in ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=\"utf-8\""] {
        let request = server.request("POST", SESSIONS).header("content-type", content_type).body(body.clone());
        server.send(request).await.expect(201);
    }
}

#[tokio::test]
async fn bodies_have_a_largest_size() {
    let server = Server::start().await;
    let before = server.snapshot().await;
    let body = |bytes: usize| {
        let empty = json!({ "email": EMAIL, "password": PASSWORD, "name": "" }).to_string().len();
        json!({ "email": EMAIL, "password": PASSWORD, "name": "x".repeat(bytes - empty) }).to_string()
    };
    for path in [ACCOUNTS, SESSIONS, REFRESH] {
        server.post_text(path, body(64 * 1024 + 1)).await.expect_refusal(413, "body_too_large");
        server.post_text(path, body(64 * 1024)).await.expect(422);
    }
    // One that does not say how large it is.
    let head = "POST /v1/accounts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let request = format!("{head}{:x}\r\n{}\r\n0\r\n\r\n", 70_000, " ".repeat(70_000));
    assert!(raw(&server, &request).await.starts_with("HTTP/1.1 413 "));
    assert_eq!(server.snapshot().await, before);
}

/// More slow bodies than there is memory for: those that are too many are told at once, and nobody else notices.
#[tokio::test]
async fn bodies_that_never_end_share_a_fixed_amount_of_memory() {
    let folder = TempDir::new().unwrap();
    // A process of its own: the amount is the process's.
    let process = Process::start(folder.path(), &[]).await;
    let address = process.base_url().strip_prefix("http://").unwrap().to_owned();
    let head =
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 65536\r\n\r\n";
    let request = format!("{head}{}", " ".repeat(60 * 1024));
    let mut slow = JoinSet::new();
    for _ in 0..400 {
        let (address, request) = (address.clone(), request.clone());
        slow.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            drop(stream.write_all(request.as_bytes()).await);
            let mut answer = vec![0; 1024];
            let length = stream.read(&mut answer).await.unwrap_or_default();
            String::from_utf8_lossy(&answer[..length]).into_owned()
        });
    }
    let answer = slow.join_next().await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("overloaded"), "{answer}");
    process.sign_up(EMAIL).await;
    slow.shutdown().await;
    let large = || async { process.post_text(SESSIONS, " ".repeat(64 * 1024)).await.status == 400 };
    eventually("the memory is free again", Duration::from_secs(10), large).await;
}

#[tokio::test]
async fn heads_have_a_largest_size() {
    let server = Server::start().await;
    let request = |bytes: usize| {
        let padding = "x".repeat(bytes);
        format!("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Padding: {padding}\r\n\r\n")
    };
    assert!(raw(&server, &request(30 * 1024)).await.starts_with("HTTP/1.1 200 "));
    assert!(raw(&server, &request(80 * 1024)).await.starts_with("HTTP/1.1 431 "));
    let many = format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-Again: a\r\n".repeat(200));
    assert!(raw(&server, &many).await.starts_with("HTTP/1.1 431 "));
    assert!(raw(&server, "GET\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

/// Sends these bytes and reads to the end of the connection.
async fn raw(client: &Client, request: &str) -> String {
    let address = client.base_url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The server may close before it has read everything, which resets the connection after the answer.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let server = Server::start().await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/accounts/",
        "/v1//account",
        "/V1/account",
        "/oauth",
        "/v1/account%00",
        "/../x",
        "/%ff",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            server.send(server.request(method, path)).await.expect_refusal(404, "not_found");
        }
    }
    for path in ["/oauth/", "/oauth/authorize", "/oauth/token/", "/oauth/%ff"] {
        server.send(server.request("POST", path)).await.expect_refusal(404, "invalid_request");
    }
    // No text at all where a session's id should be.
    let tokens = server.sign_up(EMAIL).await;
    for path in ["/v1/sessions/%ff", "/v1/sessions/%00", "/v1/sessions/%c3%28"] {
        server.send(server.request("DELETE", path)).await.expect_refusal(401, "token_missing");
        server.with_token("DELETE", path, &tokens.access).await.expect_refusal(404, "session_not_found");
    }
    let cases = [
        ("GET", ACCOUNTS, "POST"),
        ("POST", "/v1/account", "DELETE,GET,HEAD,PATCH"),
        ("PUT", SESSIONS, "DELETE,GET,HEAD,POST"),
        ("GET", "/v1/sessions/current", "DELETE"),
        ("GET", REFRESH, "POST"),
        ("GET", "/oauth/token", "POST"),
        ("DELETE", "/oauth/revoke", "POST"),
        ("POST", "/.well-known/jwks.json", "GET,HEAD"),
        ("POST", "/healthz", "GET,HEAD"),
        ("BREW", "/readyz", "GET,HEAD"),
    ];
    for (method, path, allow) in cases {
        let code = if path.starts_with("/oauth/") { "invalid_request" } else { "method_not_allowed" };
        let reply = server.send(server.request(method, path)).await.expect_refusal(405, code);
        let mut allowed: Vec<_> = reply.header("allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{method} {path}");
        let body = reply.json();
        let told = body.get("detail").or(body.get("error_description")).unwrap().as_str().unwrap();
        let named = allowed.iter().filter(|name| **name != "HEAD").copied().collect::<Vec<_>>().join(" or ");
        assert_eq!(told, format!("{method} is not for this path: use {named}"));
    }
}

/// Unknown account, wrong password, disabled account, texts that are no address or no password: one answer for all.
#[tokio::test]
async fn a_refused_sign_in_tells_nothing() {
    let server = Server::start().await;
    server.sign_up(EMAIL).await;
    let disabled = server.sign_up("jiho@example.com").await;
    server.disable(&disabled.account()).await;
    let before = server.snapshot().await;
    let long = "x".repeat(300);
    let mut answers = Vec::new();
    for (email, password) in [
        (EMAIL, "plum tin walrus 42 harbour"),
        ("nobody@example.com", PASSWORD),
        ("jiho@example.com", PASSWORD),
        ("jiho@example.com", "wrong and disabled"),
        ("no address", PASSWORD),
        (EMAIL, ""),
        (EMAIL, &long),
    ] {
        let reply = server.try_sign_in(email, password).await.expect_refusal(401, "invalid_credentials");
        answers.push((reply.body.clone(), headers(&reply)));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(server.snapshot().await, before);
}

/// Everything but what differs in every answer.
fn headers(reply: &Reply) -> Vec<(String, String)> {
    let told = reply.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    told.filter(|(name, _)| name != "date" && name != "x-request-id").collect()
}
