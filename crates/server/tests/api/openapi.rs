//! The OpenAPI document: the copy in the repository is the one that the code makes, and it tells of every path.
//!
//! After a change of the API, `UPDATE_OPENAPI=1 cargo test -p counterfoil --test api openapi` writes the copy anew.

use crate::harness::Server;
use serde_json::Value;
use std::{collections::BTreeSet, env, fs, path::Path};

#[test]
fn the_copy_in_the_repository_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let document = counterfoil::openapi_document();
    if env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &document).unwrap();
    }
    let copy = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        copy == document,
        "openapi.json is not what the code says: run this test with UPDATE_OPENAPI=1 and look at the diff"
    );
}

/// `METHOD path` of every operation in the document.
fn documented() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&counterfoil::openapi_document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

/// The router cannot be asked for its paths, so its source is.
#[test]
fn every_route_is_in_the_document() {
    let source = include_str!("../../src/http/mod.rs");
    let routes = source.split(".fallback(").next().unwrap().split(".route(").skip(1);
    let routes = routes.filter_map(|route| route.trim_start().strip_prefix('"')?.split_once('"'));
    let mut in_router = BTreeSet::new();
    for (path, handlers) in routes {
        for (word, method) in
            [("get", "GET"), ("post", "POST"), ("delete", "DELETE"), ("put", "PUT"), ("patch", "PATCH"), ("any", "GET")]
        {
            if handlers.contains(&format!("{word}(")) {
                in_router.insert(format!("{method} {path}"));
            }
        }
    }
    assert!(in_router.len() > 10, "the routes are written in another way now: {in_router:?}");
    assert_eq!(in_router, documented());
}

#[tokio::test]
async fn every_documented_path_is_served_and_the_document_too() {
    let server = Server::start().await;
    for operation in documented() {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = path.replace("{id}", "01980b4e-7c1d-7c3a-9f7e-0242ac120002");
        let reply = server.send(server.request(method, &path)).await;
        assert!(![404, 405].contains(&reply.status), "{operation}: {reply:?}");
    }
    let document = server.get("/v1/openapi.json").await.expect(200);
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.text(), counterfoil::openapi_document());
}
