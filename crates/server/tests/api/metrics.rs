//! `GET /metrics`, as Prometheus reads it.

use crate::harness::{Server, Verifier};
use std::collections::BTreeMap;

async fn figures(server: &Server, credentials: &crate::harness::Credentials) -> BTreeMap<String, f64> {
    let reply = credentials.get(server, "/metrics").await.expect(200);
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let lines = reply.text().lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn what_happens_is_counted() {
    let server = Server::start().await;
    let credentials = server.register("orders").await;
    let tokens = server.sign_up("minsu@example.com").await;
    let verifier = Verifier::new(&server, &credentials, "orders-1");
    verifier.load().await;
    verifier.ask("").await;
    let before = figures(&server, &credentials).await;
    let path = "/v1/sessions/current?wait=10ms";
    server.with_token("DELETE", path, &tokens.access).await.expect(200);
    server.account(&tokens.access).await.expect(401);
    server.counterfoil().app().follow_feed().await.unwrap();
    let after = figures(&server, &credentials).await;
    for (name, more) in [
        ("counterfoil_feed_seq", 1.0),
        ("counterfoil_feed_entries_live", 1.0),
        ("counterfoil_verifiers_live", 0.0),
        ("counterfoil_verifiers_behind", 1.0),
        ("counterfoil_verifiers_stale", 0.0),
        ("counterfoil_revocations_total{kind=\"session\"}", 1.0),
        ("counterfoil_receipts_total{outcome=\"incomplete\"}", 1.0),
        ("counterfoil_requests_total{status=\"4xx\"}", 1.0),
        ("counterfoil_requests_total{status=\"2xx\"}", 2.0),
        ("counterfoil_requests_total{status=\"5xx\"}", 0.0),
    ] {
        let difference = after[name] - before[name];
        assert!((difference - more).abs() < 0.5, "{name}: {} and then {}", before[name], after[name]);
    }
    assert!(after["counterfoil_verifiers_live"] > 0.5 && after["counterfoil_feed_epoch"] > 1e12);
    assert!(after.contains_key("counterfoil_feed_age_seconds"));
}
