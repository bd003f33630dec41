//! Which credential a request brings, from where one with a cookie may come, and how refusals are answered.

use crate::{
    answers::refusal,
    bench::{ACCOUNT, Bench, ISSUER, access_cookie, bearer, claims_with, headers, session_cookie},
    sessions::{living, secret},
};
use axum::{
    body::Body,
    http::{HeaderMap, Method, Response},
    response::IntoResponse,
};
use counterfoil_domain::{
    opaque::SecretKind::{PersonalToken, SessionId as SessionSecret},
    policy::SessionPolicy,
};
use counterfoil_guard::{CurrentUser, FoundSession, GuardOptions, Rejection};

const SAFE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];
const UNSAFE: [&str; 8] = ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PURGE", "get"];

/// A bench that knows a cookie session and a personal token, both of the same account.
pub(crate) fn bench() -> Bench {
    let bench = Bench::with_sessions();
    bench.sessions.add(&secret(SessionSecret, 1), living(SessionPolicy::Session));
    bench.sessions.add(&secret(PersonalToken, 1), living(SessionPolicy::Personal));
    bench
}

pub(crate) fn good_session() -> HeaderMap {
    session_cookie(&secret(SessionSecret, 1).expose_text())
}

pub(crate) fn good_personal() -> HeaderMap {
    bearer(&secret(PersonalToken, 1).expose_text())
}

/// All of these fields in one request.
fn together(requests: &[&HeaderMap]) -> HeaderMap {
    let fields = requests.iter().flat_map(|headers| headers.iter());
    fields.map(|(name, value)| (name.clone(), value.clone())).fold(HeaderMap::new(), |mut all, (name, value)| {
        all.append(name, value);
        all
    })
}

fn with(request: &HeaderMap, fields: &[(&'static str, &[u8])]) -> HeaderMap {
    together(&[request, &headers(fields)])
}

pub(crate) async fn user(bench: &Bench, request: &HeaderMap) -> CurrentUser {
    bench.guard.authenticate(&Method::GET, request).await.unwrap()
}

async fn rejection(bench: &Bench, request: &HeaderMap) -> Rejection {
    bench.guard.authenticate(&Method::GET, request).await.unwrap_err()
}

fn method(name: &str) -> Method {
    name.parse().unwrap()
}

// Which one.

/// Whatever they are, and also when both say the same: which of them counts is not ours to guess.
#[tokio::test]
async fn two_credentials_are_refused() {
    let bench = bench();
    let signed = bench.good_token();
    let bearers = [
        bearer(&signed),
        good_personal(),
        bearer("garbage"),
        bearer("cfp_x"),
        headers(&[("authorization", b"Bearer")]),
    ];
    let sessions = [good_session(), session_cookie("garbage"), session_cookie("")];
    let accesses = [access_cookie(&signed), access_cookie("garbage"), access_cookie("")];
    let mut pairs = Vec::new();
    for session in &sessions {
        pairs.extend(bearers.iter().chain(&accesses).map(|other| together(&[session, other])));
        pairs.extend(accesses.iter().map(|other| together(&[other, session])));
    }
    for access in &accesses {
        pairs.extend(bearers.iter().map(|other| together(&[other, access])));
    }
    pairs.push(together(&[&bearers[0], &sessions[0], &accesses[0]]));
    assert_eq!(pairs.len(), 3 * (5 + 3) + 3 * 3 + 3 * 5 + 1);
    for request in pairs {
        let told = bench.asked(&Method::GET, &request).await;
        assert_eq!(told, ("credentials_ambiguous", 0, 0), "{request:?}");
        let request = with(&request, &[("origin", ISSUER.as_bytes())]);
        assert_eq!(bench.asked(&Method::POST, &request).await.0, "credentials_ambiguous", "{request:?}");
    }
}

#[tokio::test]
async fn each_is_found_where_it_belongs() {
    let bench = bench();
    let signed = bench.good_token();
    for (request, policy) in [
        (bearer(&signed), SessionPolicy::Refresh),
        (good_personal(), SessionPolicy::Personal),
        (good_session(), SessionPolicy::Session),
        (access_cookie(&signed), SessionPolicy::Refresh),
    ] {
        assert_eq!(user(&bench, &request).await.policy(), policy);
        // What is no credential here does not stand in the way.
        let refresh = headers(&[("cookie", b"a=b; __Host-counterfoil-refresh=cfr_x; counterfoil-session=y")]);
        let request = together(&[&refresh, &request]);
        assert_eq!(user(&bench, &request).await.policy(), policy, "{request:?}");
    }
    for request in [good_session(), access_cookie(&signed)] {
        let request = with(&request, &[("authorization", b"Basic YTpi")]);
        assert_eq!(user(&bench, &request).await.account(), ACCOUNT, "another scheme is not presented here");
    }
}

/// Faults are told in the order in which schemes are looked for: bearer, session cookie, access cookie.
#[tokio::test]
async fn the_first_fault_is_told() {
    let bench = bench();
    let twice = |request: &HeaderMap| together(&[request, request]);
    let too_long = "x".repeat(5_000);
    let (authorization, session) = (twice(&bearer("x")), twice(&session_cookie("x")));
    let access = access_cookie(&too_long);
    for (request, code) in [
        (together(&[&access, &session, &authorization]), "authorization_malformed"),
        (together(&[&access, &session]), "cookie_repeated"),
        (together(&[&access, &bearer("x")]), "cookie_too_large"),
        (twice(&access_cookie("x")), "cookie_repeated"),
        (session_cookie(&too_long), "cookie_too_large"),
        (with(&bearer("x"), &[("authorization", b"Basic YTpi")]), "authorization_malformed"),
    ] {
        assert_eq!(bench.asked(&Method::GET, &request).await, (code, 0, 0), "{request:?}");
        // Another site learns nothing else.
        let request = with(&request, &[("origin", b"https://evil.example")]);
        assert_eq!(bench.asked(&Method::POST, &request).await, (code, 0, 0), "{request:?}");
    }
}

#[tokio::test]
async fn without_rules_there_are_no_cookies() {
    let bench = bench();
    let (signed, lookup) = (bench.good_token(), Some(bench.sessions.clone() as _));
    let guard = bench.guard_with(GuardOptions { lookup, ..GuardOptions::default() });
    assert_eq!(guard.cookies(), None);
    let repeated = together(&[&good_session(), &good_session(), &access_cookie(&signed)]);
    for cookie in [good_session(), access_cookie(&signed), repeated] {
        let told = guard.authenticate(&Method::GET, &cookie).await;
        assert_eq!(told, Err(Rejection::NotPresented), "{cookie:?}");
        let request = together(&[&cookie, &bearer(&signed)]);
        assert!(guard.authenticate(&Method::POST, &request).await.is_ok(), "{request:?}");
    }
    assert_eq!(bench.sessions.lookups(), 0);
}

/// The cookie's name is that of the server's own kind of address, and no other.
#[tokio::test]
async fn over_https_a_cookie_without_its_prefix_is_none() {
    let bench = bench();
    let (secret, signed) = (secret(SessionSecret, 1).expose_text(), bench.good_token());
    for cookie in [
        format!("counterfoil-session={secret}"),
        format!("__Secure-counterfoil-session={secret}"),
        format!("__host-counterfoil-session={secret}"),
        format!("counterfoil-access={signed}"),
        format!("__Host-counterfoil-refresh={signed}"),
    ] {
        let request = headers(&[("cookie", cookie.as_bytes())]);
        assert_eq!(bench.asked(&Method::GET, &request).await, ("token_missing", 0, 0), "{cookie}");
    }
}

/// A cookie that is not good is 401, whatever is wrong with it: the way out of it is to sign in.
#[tokio::test]
async fn an_access_cookie_that_is_no_token_is_not_good() {
    let bench = bench();
    let refresh_token = format!("cfr_{}", "A".repeat(56));
    for (value, code) in [
        (&b""[..], "not_a_compact_jws"),
        (b"garbage", "not_a_compact_jws"),
        (b"two words", "not_a_compact_jws"),
        (b"a,b", "not_a_compact_jws"),
        (b"\xff\xfe", "not_a_compact_jws"),
        (refresh_token.as_bytes(), "refresh_token_presented"),
        (secret(SessionSecret, 1).expose_text().as_bytes(), "session_id_presented"),
    ] {
        let cookie = [b"__Host-counterfoil-access=", value].concat();
        let rejection = rejection(&bench, &headers(&[("cookie", &cookie)])).await;
        assert_eq!((rejection.status().as_u16(), rejection.code()), (401, code), "{value:?}");
    }
    assert_eq!(bench.sessions.lookups(), 0);
}

/// Mistakes that everybody makes once.
#[tokio::test]
async fn what_belongs_elsewhere_gets_a_plain_word() {
    let bench = bench();
    let session = secret(SessionSecret, 1).expose_text();
    for (token, code) in [
        (session.as_str(), "session_id_presented"),
        ("cfs_mistyped", "session_id_presented"),
        ("cfr_mistyped", "refresh_token_presented"),
    ] {
        assert_eq!(bench.asked(&Method::GET, &bearer(token)).await, (code, 0, 0), "{token}");
        assert_eq!(bench.guard.recognize_token(token).unwrap_err().code(), code);
        let told = refusal(rejection(&bench, &bearer(token)).await.into_response()).await;
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{code}\"");
        assert_eq!(told, (401, code.to_owned(), challenge));
    }
    let detail = rejection(&bench, &bearer(&session)).await.detail().into_owned();
    assert!(!detail.contains(&session[4..12]), "nothing of it is repeated: {detail}");
}

// From where.

#[tokio::test]
async fn what_may_change_something_with_a_cookie_comes_from_our_pages() {
    let bench = bench();
    let ours: [&[(&str, &[u8])]; 3] =
        [&[("origin", ISSUER.as_bytes())], &[("sec-fetch-site", b"same-origin")], &[("sec-fetch-site", b"none")]];
    let not_ours: [&[(&str, &[u8])]; 9] = [
        &[("origin", b"https://localhost"), ("host", b"localhost")],
        &[],
        &[("origin", b"https://evil.example")],
        &[("origin", b"null")],
        &[("origin", b"\xff")],
        &[("sec-fetch-site", b"same-site")],
        &[("origin", ISSUER.as_bytes()), ("sec-fetch-site", b"cross-site")],
        &[("origin", ISSUER.as_bytes()), ("origin", ISSUER.as_bytes())],
        &[("sec-fetch-site", b"same-origin"), ("sec-fetch-site", b"cross-site")],
    ];
    for cookie in [good_session(), access_cookie(&bench.good_token())] {
        for fields in ours.iter().chain(&not_ours) {
            let request = with(&cookie, fields);
            for name in SAFE {
                assert_eq!(bench.asked(&method(name), &request).await.0, "", "{name} {fields:?}");
            }
            let is_ours = ours.contains(fields);
            for name in UNSAFE {
                let (code, lookups, _) = bench.asked(&method(name), &request).await;
                assert_eq!(code, if is_ours { "" } else { "cross_origin" }, "{name} {fields:?}");
                assert!(is_ours || lookups == 0, "{name} {fields:?}");
            }
        }
    }
}

/// A browser adds no bearer token by itself, so it does not matter whose page sends it: that is for CORS to say.
#[tokio::test]
async fn bearer_requests_come_from_anywhere() {
    let bench = bench();
    let tracked = FoundSession {
        session: counterfoil_domain::id::SessionId::from_bytes([8; 16]),
        ..living(SessionPolicy::Tracked)
    };
    bench.sessions.add(&secret(SessionSecret, 8), tracked.clone());
    let mut claims = claims_with("policy", "tracked");
    claims["sid"] = tracked.session.to_string().into();
    for request in [bearer(&bench.good_token()), good_personal(), bearer(&bench.mint(&claims))] {
        for fields in [&[][..], &[("origin", &b"https://evil.example"[..]), ("sec-fetch-site", b"cross-site")]] {
            for name in SAFE.into_iter().chain(UNSAFE) {
                let request = with(&request, fields);
                assert_eq!(bench.asked(&method(name), &request).await.0, "", "{name} {request:?}");
            }
        }
    }
}

/// A gateway that tells the method is judged by it; of one that does not, a request without an origin is taken for reading:
/// whoever follows a link brings none, wherever it stood.
#[tokio::test]
async fn gateways_tell_the_method_or_do_not() {
    let bench = bench();
    let evil: &[(&str, &[u8])] = &[("origin", b"https://evil.example")];
    let ours: &[(&str, &[u8])] = &[("origin", ISSUER.as_bytes())];
    let same_site: &[(&str, &[u8])] = &[("sec-fetch-site", b"same-site")];
    for cookie in [good_session(), access_cookie(&bench.good_token())] {
        for (told, fields, code) in [
            (None, &[][..], ""),
            (None, ours, ""),
            (None, evil, "cross_origin"),
            (None, same_site, ""),
            (Some(Method::GET), &[], ""),
            (Some(Method::HEAD), evil, ""),
            (Some(Method::POST), &[], "cross_origin"),
            (Some(Method::POST), ours, ""),
            (Some(Method::DELETE), evil, "cross_origin"),
            (Some(Method::TRACE), same_site, "cross_origin"),
        ] {
            let verdict = bench.guard.authenticate_for_gateway(told.as_ref(), &with(&cookie, fields)).await;
            let found = verdict.err().map_or("", |rejection| rejection.code());
            assert_eq!(found, code, "{told:?} {fields:?}");
        }
    }
    for request in [bearer(&bench.good_token()), good_personal()] {
        for told in [None, Some(Method::POST)] {
            assert!(bench.guard.authenticate_for_gateway(told.as_ref(), &with(&request, evil)).await.is_ok());
        }
    }
    let two = together(&[&good_session(), &good_personal()]);
    let told = bench.guard.authenticate_for_gateway(None, &two).await;
    assert_eq!(told, Err(Rejection::Ambiguous));
}

// What is answered.

#[tokio::test]
async fn each_answer_has_its_status_and_challenge() {
    let error = |error: &str, code: &str| format!("Bearer error=\"{error}\", error_description=\"{code}\"");
    for (rejection, status, code, challenge, forgets) in [
        (Rejection::NotPresented, 401, "token_missing", "Bearer".to_owned(), false),
        (
            Rejection::Malformed("x"),
            400,
            "authorization_malformed",
            error("invalid_request", "authorization_malformed"),
            false,
        ),
        (Rejection::Ambiguous, 400, "credentials_ambiguous", error("invalid_request", "credentials_ambiguous"), false),
        (Rejection::CookieRepeated, 400, "cookie_repeated", String::new(), true),
        (Rejection::CookieTooLarge, 431, "cookie_too_large", String::new(), true),
        (Rejection::CrossOrigin, 403, "cross_origin", String::new(), false),
        (Rejection::Revoked, 401, "token_revoked", error("invalid_token", "token_revoked"), false),
        (Rejection::RoleMissing, 403, "role_missing", String::new(), false),
        (Rejection::PersonOnly, 403, "person_only", String::new(), false),
        (
            Rejection::InsufficientScope("a:b c".to_owned()),
            403,
            "insufficient_scope",
            error("insufficient_scope", "insufficient_scope") + ", scope=\"a:b c\"",
            false,
        ),
        (
            Rejection::SignInTooOld { max_age_seconds: 600 },
            401,
            "insufficient_user_authentication",
            error("insufficient_user_authentication", "insufficient_user_authentication") + ", max_age=\"600\"",
            false,
        ),
        (Rejection::NotReady, 503, "not_ready", String::new(), false),
        (Rejection::Unavailable, 503, "store_unavailable", String::new(), false),
    ] {
        assert_eq!((rejection.status().as_u16(), rejection.code()), (status, code));
        let answer: Response<Body> = rejection.into_response();
        let cleared = answer.headers().get("clear-site-data").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(cleared, forgets.then(|| "\"cookies\"".to_owned()), "{code}");
        assert_eq!(refusal(answer).await, (status, code.to_owned(), challenge));
    }
}

/// The same by way of requests: what the guard says is what is answered.
#[tokio::test]
async fn requests_are_answered_so() {
    let bench = bench();
    let twice = together(&[&good_session(), &good_session()]);
    let oversized = access_cookie(&"x".repeat(5_000));
    for (request, status, code) in [
        (twice, 400, "cookie_repeated"),
        (oversized, 431, "cookie_too_large"),
        (together(&[&good_session(), &good_personal()]), 400, "credentials_ambiguous"),
        (session_cookie("x"), 401, "session_ended"),
        (bearer("cfp_x"), 401, "personal_token_mistyped"),
        (bearer(&secret(PersonalToken, 9).expose_text()), 401, "personal_token_refused"),
        (HeaderMap::new(), 401, "token_missing"),
    ] {
        let rejection = rejection(&bench, &request).await;
        let (found, told, challenge) = refusal(rejection.into_response()).await;
        assert_eq!((found, told.as_str()), (status, code));
        assert_eq!(challenge.is_empty(), status == 431 || code == "cookie_repeated", "{code}: {challenge}");
    }
    let rejection = bench.guard.authenticate(&Method::POST, &good_session()).await.unwrap_err();
    assert_eq!(refusal(rejection.into_response()).await.0, 403);
}
