//! The data file is deleted while the server runs: whoever is signed in stays so, nothing is acknowledged that would be
//! lost, and a copy is saved from which everything comes back.

use crate::harness::{DATA_FILE, PASSWORD, PAST_THE_WINDOW, Server, eventually};
use serde_json::json;
use std::{fs, path::PathBuf, time::Duration};

const EMAIL: &str = "minsu@example.com";

#[tokio::test]
async fn verification_goes_on_and_a_copy_is_saved() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    server.pass(PAST_THE_WINDOW).await;
    let data = server.folder.path().join("data");
    fs::remove_file(data.join(DATA_FILE)).unwrap();

    for _ in 0..2 {
        server.refresh(&tokens.refresh).await.expect_refusal(503, "store_unavailable");
        server.try_sign_in(EMAIL, PASSWORD).await.expect_refusal(503, "store_unavailable");
        let account = json!({ "email": "jiho@example.com", "password": PASSWORD });
        server.post_json("/v1/accounts", &account).await.expect_refusal(503, "store_unavailable");
        let sign_out = server.with_token("DELETE", "/v1/sessions", &tokens.access).await;
        sign_out.expect_refusal(503, "store_unavailable");
        server.get("/readyz").await.expect(503);
        server.get("/healthz").await.expect(200);
        server.with_token("GET", "/v1/forward-auth", &tokens.access).await.expect(200);
        server.with_token("GET", "/guarded", &tokens.access).await.expect(200);
    }

    let copies = || -> Vec<PathBuf> {
        let files = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.to_str().unwrap().contains(".rescued-")).collect()
    };
    eventually("a copy", Duration::from_secs(5), || async { !copies().is_empty() }).await;
    let (folder, clock) = server.stop().await;
    let [copy] = &copies()[..] else { panic!("one copy, not {:?}", copies()) };

    // What the log tells the operator to do.
    fs::rename(copy, data.join(DATA_FILE)).unwrap();
    for companion in ["-wal", "-shm"] {
        drop(fs::remove_file(data.join(format!("{DATA_FILE}{companion}"))));
    }
    let server = Server::start_in(folder, clock, |_| {}).await.unwrap();
    server.account(&tokens.access).await.expect(200);
    server.refresh(&tokens.refresh).await.expect(200);
    server.sign_in(EMAIL).await;
    assert_eq!(server.snapshot().await.accounts.len(), 1, "nothing that was refused is there");
}
