//! The layer that brings a token with a later end: when it does, where it puts it, and that it leaves everything else be.

use crate::{
    bench::{ACCOUNT, Bench, ISSUER, NOW_SECONDS, access_cookie, bearer, headers, session_cookie},
    sessions::{living, secret},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, Response, StatusCode},
    routing::{any, get},
};
use counterfoil_domain::{
    opaque::SecretKind::{PersonalToken, SessionId as SessionSecret},
    policy::SessionPolicy,
    time::UnixMillis,
};
use counterfoil_guard::{
    CurrentUser, EXTENDED_TOKEN, ExtendFuture, ExtendLayer, ExtendedToken, NotExtended, SessionExtender,
};
use http_body_util::BodyExt;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};
use tower::{Layer, Service, ServiceExt, service_fn};

/// How long after it was minted a token is asked about, where it is old enough.
const LATER: i64 = 60;

/// Issues tokens with a text of its own, or none.
#[derive(Default)]
struct Extender {
    refuses: bool,
    text: Option<&'static str>,
    users: Mutex<Vec<CurrentUser>>,
}

impl Extender {
    fn asked(&self) -> usize {
        self.users.lock().unwrap().len()
    }
}

impl SessionExtender for Extender {
    fn extend<'a>(&'a self, user: &'a CurrentUser) -> ExtendFuture<'a> {
        self.users.lock().unwrap().push(user.clone());
        let token = ExtendedToken {
            access_token: self.text.unwrap_or("new.token.text").to_owned(),
            ends_at: UnixMillis::from_seconds(NOW_SECONDS + LATER + 1_800),
        };
        Box::pin(std::future::ready(if self.refuses { Err(NotExtended) } else { Ok(token) }))
    }
}

/// A service behind the layer, and how often it was called.
struct Behind {
    extender: Arc<Extender>,
    calls: Arc<AtomicU64>,
    answer: Response<String>,
}

fn behind(bench: &Bench, extender: Extender, status: u16, request: Request<String>) -> Behind {
    bench.turn_clock_to(NOW_SECONDS + LATER);
    let (extender, calls) = (Arc::new(extender), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&calls);
    let inner = service_fn(move |request: Request<String>| {
        counted.fetch_add(1, Relaxed);
        let answer = Response::builder().status(status).header("etag", "\"1\"").header("set-cookie", "theirs=1");
        let answer = answer.header("cache-control", "public, max-age=60");
        std::future::ready(Ok::<_, Infallible>(answer.body(format!("answer to {}", request.into_body())).unwrap()))
    });
    let mut service = ExtendLayer::new(bench.guard.clone(), extender.clone()).layer(inner);
    let waker = std::task::Waker::noop();
    let mut answering = service.call(request);
    let Poll::Ready(answer) = answering.as_mut().poll(&mut Context::from_waker(waker)) else { panic!("it waits") };
    Behind { extender, calls, answer: answer.unwrap() }
}

fn request(method: Method, headers: HeaderMap) -> Request<String> {
    let mut request = Request::new("question".to_owned());
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    request
}

/// A request that reads, with a sliding token in the header.
fn sliding(bench: &Bench) -> Request<String> {
    request(Method::GET, bearer(&bench.token_of(SessionPolicy::Sliding)))
}

/// Where the new token is: in the header, in a cookie, in none.
fn place(answer: &Response<String>) -> (Option<&str>, Option<&str>) {
    let mut cookies = answer.headers().get_all("set-cookie").iter().filter(|cookie| **cookie != "theirs=1");
    let cookie = cookies.next().map(|cookie| cookie.to_str().unwrap());
    assert!(cookies.next().is_none() && answer.headers().get_all(EXTENDED_TOKEN).iter().count() < 2);
    (answer.headers().get(EXTENDED_TOKEN).map(|token| token.to_str().unwrap()), cookie)
}

/// The answer as the service gave it.
fn assert_untouched(answer: &Response<String>) {
    assert_eq!(place(answer), (None, None));
    assert_eq!(answer.headers()["cache-control"], "public, max-age=60");
    assert_rest_kept(answer);
}

fn assert_rest_kept(answer: &Response<String>) {
    assert_eq!((&answer.headers()["etag"], answer.body().as_str()), (&"\"1\"".parse().unwrap(), "answer to question"));
    assert!(answer.headers().get_all("set-cookie").iter().any(|cookie| cookie == "theirs=1"));
}

#[test]
fn a_token_from_the_header_comes_back_in_a_header() {
    let bench = Bench::with_sessions();
    let behind = behind(&bench, Extender::default(), 200, sliding(&bench));
    assert_eq!(place(&behind.answer), (Some("new.token.text"), None));
    assert_eq!(behind.answer.headers()["cache-control"], "no-store");
    assert_eq!(behind.answer.headers().get_all("cache-control").iter().count(), 1);
    assert_rest_kept(&behind.answer);
    assert_eq!((behind.calls.load(Relaxed), behind.extender.asked()), (1, 1));
    let user = behind.extender.users.lock().unwrap()[0].clone();
    assert_eq!((user.policy(), user.account()), (SessionPolicy::Sliding, ACCOUNT));
}

/// The cookie that scripts cannot read stays one: in a header they could.
#[test]
fn a_token_from_the_cookie_comes_back_as_a_cookie() {
    let bench = Bench::with_sessions();
    let cookie = access_cookie(&bench.token_of(SessionPolicy::Sliding));
    // As a browser sends it to a site that is behind a password of another kind as well.
    let mut with_basic = cookie.clone();
    with_basic.extend(headers(&[("authorization", b"Basic YTpi")]));
    for headers in [cookie, with_basic] {
        let behind = behind(&bench, Extender::default(), 200, request(Method::GET, headers));
        let expected = "__Host-counterfoil-access=new.token.text; Max-Age=1800; Path=/; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(place(&behind.answer), (None, Some(expected)));
        assert_eq!(behind.answer.headers()["cache-control"], "no-store");
        assert_rest_kept(&behind.answer);
    }
}

#[test]
fn other_policies_are_not_extended() {
    let bench = Bench::with_sessions();
    bench.sessions.add(&secret(SessionSecret, 1), living(SessionPolicy::Session));
    bench.sessions.add(&secret(PersonalToken, 1), living(SessionPolicy::Personal));
    for headers in [
        bearer(&bench.token_of(SessionPolicy::Refresh)),
        bearer(&bench.good_token()),
        bearer(&bench.token_of(SessionPolicy::Tracked)),
        access_cookie(&bench.token_of(SessionPolicy::Tracked)),
        session_cookie(&secret(SessionSecret, 1).expose_text()),
        bearer(&secret(PersonalToken, 1).expose_text()),
        HeaderMap::new(),
    ] {
        let behind = behind(&bench, Extender::default(), 200, request(Method::GET, headers));
        assert_untouched(&behind.answer);
        assert_eq!((behind.calls.load(Relaxed), behind.extender.asked()), (1, 0));
    }
    assert_eq!(bench.sessions.lookups(), 0, "the layer looks nothing up");
}

/// Whoever is not let in is not extended; whether the handler answers them is the handler's business.
#[test]
fn a_token_that_is_not_good_is_not_extended() {
    let bench = Bench::with_sessions();
    let good = bench.token_of(SessionPolicy::Sliding);
    let with = |mut request: HeaderMap, fields: &[(&'static str, &[u8])]| {
        request.extend(headers(fields));
        request
    };
    let evil: &[(&str, &[u8])] = &[("origin", b"https://evil.example")];
    let ours: &[(&str, &[u8])] = &[("origin", ISSUER.as_bytes())];
    for (method, headers, asked) in [
        (Method::GET, bearer(&good[1..]), 0),
        (Method::POST, access_cookie(&good), 0),
        (Method::POST, with(access_cookie(&good), evil), 0),
        (Method::POST, with(access_cookie(&good), ours), 1),
        (Method::POST, with(bearer(&good), evil), 1),
        (Method::GET, with(bearer(&good), &[("cookie", b"__Host-counterfoil-session=x")]), 0),
    ] {
        let behind = behind(&bench, Extender::default(), 200, request(method, headers.clone()));
        assert_eq!((behind.calls.load(Relaxed), behind.extender.asked()), (1, asked), "{headers:?}");
        assert_rest_kept(&behind.answer);
    }
}

#[test]
fn a_token_younger_than_a_minute_is_not_extended() {
    let bench = Bench::with_sessions();
    for (age, asked) in [(59, 0), (60, 1), (61, 1), (0, 0), (-3, 0)] {
        let mut claims = crate::bench::claims_with("policy", "sliding");
        claims["iat"] = (NOW_SECONDS + LATER - age).into();
        let behind = behind(&bench, Extender::default(), 200, request(Method::GET, bearer(&bench.mint(&claims))));
        assert_eq!(behind.extender.asked(), asked, "{age} s old");
    }
}

#[test]
fn only_what_succeeded_counts_as_use() {
    let bench = Bench::with_sessions();
    for (status, asked) in [(200, 1), (204, 1), (303, 1), (304, 1), (400, 0), (401, 0), (404, 0), (500, 0), (503, 0)] {
        let behind = behind(&bench, Extender::default(), status, sliding(&bench));
        assert_eq!((behind.answer.status().as_u16(), behind.extender.asked()), (status, asked), "{status}");
        if asked == 0 {
            assert_untouched(&behind.answer);
        }
    }
}

/// Also a text that would end the header line, or that no cookie can hold: that is no reason to fail the request.
#[test]
fn an_extender_that_fails_leaves_the_answer_untouched() {
    let bench = Bench::with_sessions();
    let cookie = || request(Method::GET, access_cookie(&bench.token_of(SessionPolicy::Sliding)));
    for extender in [
        || Extender { refuses: true, ..Extender::default() },
        || Extender { text: Some("a\r\nset-cookie: b=c"), ..Extender::default() },
    ] {
        for request in [sliding(&bench), cookie()] {
            let behind = behind(&bench, extender(), 200, request);
            assert_eq!((behind.calls.load(Relaxed), behind.extender.asked()), (1, 1));
            assert_untouched(&behind.answer);
        }
    }
    let behind = behind(&bench, Extender { text: Some("a; Domain=b"), ..Extender::default() }, 200, cookie());
    assert_untouched(&behind.answer);
}

/// One layer on the route and one around all: the client gets one token.
#[tokio::test]
async fn two_layers_bring_one_token() {
    let bench = Bench::with_sessions();
    bench.turn_clock_to(NOW_SECONDS + LATER);
    let layer = || ExtendLayer::new(bench.guard.clone(), Arc::new(Extender::default()));
    let service =
        layer().layer(layer().layer(service_fn(|_: Request<String>| {
            std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
        })));
    let answer = service.oneshot(sliding(&bench)).await.unwrap();
    assert_eq!(answer.headers().get_all(EXTENDED_TOKEN).iter().count(), 1);
}

/// As in a real service: the handler takes the user, too, and still nothing is asked twice.
#[tokio::test]
async fn around_a_handler_nothing_is_asked_twice() {
    let bench = Bench::with_sessions();
    bench.turn_clock_to(NOW_SECONDS + LATER);
    bench.sessions.add(&secret(SessionSecret, 1), living(SessionPolicy::Session));
    bench.sessions.add(&secret(PersonalToken, 1), living(SessionPolicy::Personal));
    let extender = Arc::new(Extender::default());
    let layer = ExtendLayer::new(bench.guard.clone(), extender.clone());
    let handler = async |user: CurrentUser, body: String| format!("{} {body}", user.policy());
    let app = Router::new().route("/", any(handler)).route("/open", get(async || "open"));
    let app = app.layer(layer).with_state(bench.guard.clone());
    let ask = async |path: &str, headers: HeaderMap| {
        let mut request = Request::get(path).body(Body::from("the body")).unwrap();
        *request.headers_mut() = headers;
        let (lookups, verifications) = (bench.sessions.lookups(), bench.guard.verifications());
        let answer = app.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let (lookups, verifications) =
            (bench.sessions.lookups() - lookups, bench.guard.verifications() - verifications);
        (parts.status, body, lookups, verifications)
    };
    let sliding = bench.token_of(SessionPolicy::Sliding);
    for (headers, body, lookups, verifications) in [
        (bearer(&sliding), "sliding the body", 0, 1),
        (bearer(&sliding), "sliding the body", 0, 0),
        (session_cookie(&secret(SessionSecret, 1).expose_text()), "session the body", 1, 0),
    ] {
        let told = ask("/", headers).await;
        assert_eq!(told, (StatusCode::OK, body.to_owned(), lookups, verifications));
    }
    let (status, body, lookups, _) = ask("/", bearer(&secret(PersonalToken, 1).expose_text())).await;
    assert_eq!((status, body.as_str(), lookups), (StatusCode::OK, "personal the body", 1));
    assert_eq!(ask("/", HeaderMap::new()).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(extender.asked(), 2);
    assert_eq!(ask("/open", bearer(&sliding)).await.0, StatusCode::OK);
    assert_eq!(extender.asked(), 3, "a handler that takes no user counts as well");
}

/// A service that must be asked whether it is ready, each copy by itself, as those with a bound on their calls are.
struct OnlyWhenReady {
    is_ready: bool,
}

impl Clone for OnlyWhenReady {
    fn clone(&self) -> Self {
        Self { is_ready: false }
    }
}

impl Service<Request<String>> for OnlyWhenReady {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without having been asked");
        Box::pin(std::future::ready(Ok(Response::default())))
    }
}

#[tokio::test]
async fn the_one_that_is_ready_is_called() {
    let bench = Bench::with_sessions();
    let layer = ExtendLayer::new(bench.guard.clone(), Arc::new(Extender::default()));
    let mut service = layer.layer(OnlyWhenReady { is_ready: false });
    let mut answers = Vec::new();
    // One after the other, all answered later: each was ready when it was called.
    for _ in 0..3 {
        answers.push(service.ready().await.unwrap().call(sliding(&bench)));
    }
    for answer in answers {
        assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(service.clone().oneshot(sliding(&bench)).await.unwrap().status(), StatusCode::OK);
}

/// Nothing is done before the answer is waited for.
#[test]
fn a_call_that_is_dropped_calls_nothing() {
    let bench = Bench::with_sessions();
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let inner = service_fn(move |_: Request<String>| {
        counted.fetch_add(1, Relaxed);
        std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
    });
    drop(ExtendLayer::new(bench.guard.clone(), Arc::new(Extender::default())).layer(inner).call(sliding(&bench)));
    assert_eq!((calls.load(Relaxed), bench.guard.verifications()), (0, 0));
}
