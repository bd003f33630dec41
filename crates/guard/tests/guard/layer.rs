//! The layer, and handlers that say what they want by their types.

use crate::bench::{Bench, bearer, policy};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, Response, StatusCode},
    routing::get,
};
use counterfoil_guard::{CurrentUser, Guard, RequireScope, required_scope};
use http_body_util::Full;
use std::convert::Infallible;
use tower::{Layer, ServiceExt};

required_scope! {
    /// The bench's tokens have it.
    Read = "read";
    /// And have this one not.
    Administrate = "administrate";
}

fn request(headers: HeaderMap) -> Request<Body> {
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    *request.headers_mut() = headers;
    request
}

async fn status(app: &Router, headers: HeaderMap) -> StatusCode {
    app.clone().oneshot(request(headers)).await.unwrap().status()
}

#[tokio::test]
async fn a_whole_router_is_guarded_and_nothing_verified_twice() {
    let bench = Bench::remembering(0);
    let handler = get(async |user: CurrentUser| user.account().to_string());
    let app = Router::new().route("/", handler).layer(bench.guard.layer()).with_state(bench.guard.clone());
    assert_eq!(status(&app, HeaderMap::new()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&app, bearer("a.b.c")).await, StatusCode::UNAUTHORIZED);
    let token = bench.good_token();
    let verifications = bench.guard.verifications();
    assert_eq!(status(&app, bearer(&token)).await, StatusCode::OK);
    assert_eq!(bench.guard.verifications(), verifications + 1);
}

/// A guard of other rules does not take the layer's word.
#[tokio::test]
async fn another_guard_looks_for_itself() {
    let bench = Bench::new();
    let other = bench.another_guard(policy().issuer("https://other.example.com"));
    let handler = get(async |user: CurrentUser| user.account().to_string());
    let app = Router::new().route("/", handler).layer(bench.guard.layer()).with_state(other);
    assert_eq!(status(&app, bearer(&bench.good_token())).await, StatusCode::UNAUTHORIZED);
}

/// Under plain hyper, bodies are of another type.
#[tokio::test]
async fn any_service_may_stand_below() {
    let bench = Bench::new();
    let inner = tower::service_fn(async |request: Request<Body>| {
        let user = request.extensions().get::<CurrentUser>().unwrap();
        assert!(request.headers().contains_key("authorization"), "headers are as they came");
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(user.account().to_string())))
    });
    let service = bench.guard.layer().layer(inner);
    let answer = service.clone().oneshot(request(bearer(&bench.good_token()))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = service.oneshot(request(HeaderMap::new())).await.unwrap();
    assert_eq!(
        (answer.status(), answer.headers()["www-authenticate"].as_bytes()),
        (StatusCode::UNAUTHORIZED, &b"Bearer"[..])
    );
}

#[tokio::test]
async fn a_scope_is_demanded_by_the_handlers_type() {
    let bench = Bench::new();
    let app: Router = Router::new()
        .route("/", get(async |user: RequireScope<Read>| user.account().to_string()))
        .route("/all", get(async |user: RequireScope<Administrate>| user.into_user().account().to_string()))
        .with_state::<()>(bench.guard.clone());
    let ask = async |path: &str, headers: HeaderMap| {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        *request.headers_mut() = headers;
        app.clone().oneshot(request).await.unwrap()
    };
    let token = bench.good_token();
    assert_eq!(ask("/", bearer(&token)).await.status(), StatusCode::OK);
    let refused = ask("/all", bearer(&token)).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(refused.headers()["www-authenticate"].to_str().unwrap().contains("scope=\"administrate\""));
    assert_eq!(ask("/all", HeaderMap::new()).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_handler_may_take_nobody() {
    let bench = Bench::new();
    let who = async |user: Option<CurrentUser>| user.map_or("nobody".to_owned(), |user| user.account().to_string());
    let app = Router::new().route("/", get(who)).with_state(bench.guard.clone());
    assert_eq!(status(&app, HeaderMap::new()).await, StatusCode::OK);
    assert_eq!(status(&app, bearer(&bench.good_token())).await, StatusCode::OK);
    assert_eq!(status(&app, bearer("a.b.c")).await, StatusCode::UNAUTHORIZED, "who believes to be signed in is told");
    let cold = Bench::cold();
    let app = Router::new().route("/", get(who)).with_state::<()>(Guard::clone(&cold.guard));
    assert_eq!(status(&app, bearer(&cold.good_token())).await, StatusCode::SERVICE_UNAVAILABLE);
}
