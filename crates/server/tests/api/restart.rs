//! What outlives a restart: accounts, sessions, keys, and the tokens made with them.

use crate::harness::{PAST_THE_WINDOW, Process, Server};
use counterfoil::Config;
use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt, time::Duration};
use tempfile::TempDir;

const EMAIL: &str = "minsu@example.com";

#[tokio::test]
async fn sessions_and_sign_outs_outlive_the_binary() {
    let folder = TempDir::new().unwrap();
    // Without a name of its own the server would be another issuer at each port.
    let options = [("COUNTERFOIL_PUBLIC_URL", "https://auth.example.com")];
    let process = Process::start(folder.path(), &options).await;
    let (kept, ended) = (process.sign_up(EMAIL).await, process.sign_in(EMAIL).await);
    process.with_token("DELETE", "/v1/sessions/current", &ended.access).await.expect(200);
    let keys = process.get("/.well-known/jwks.json").await.body;
    // Not stopped but killed: what was answered is on the disk.
    drop(process);
    let process = Process::start(folder.path(), &options).await;
    process.account(&kept.access).await.expect(200);
    process.account(&ended.access).await.expect_refusal(401, "token_revoked");
    process.refresh(&ended.refresh).await.expect_refusal(401, "invalid_grant");
    let renewed = process.refresh(&kept.refresh).await.expect(200).tokens();
    assert_eq!(renewed.session(), kept.session());
    assert_eq!(process.get("/.well-known/jwks.json").await.body, keys);
    assert_eq!(process.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_changed_algorithm_leaves_earlier_tokens_good() {
    let mut server = Server::start().await;
    let mut tokens = vec![server.sign_up(EMAIL).await];
    // There and back. A key pair that follows a key pair is published first; a shared secret comes and goes at once.
    for (algorithm, published, first) in
        [("ES256", 2, Some("EdDSA")), ("EdDSA", 3, Some("ES256")), ("HS512", 3, None), ("ES256", 4, None)]
    {
        let (folder, clock) = server.stop().await;
        let change = |config: &mut Config| config.signing.algorithm = algorithm.to_owned();
        server = Server::start_in(folder, clock, change).await.unwrap();
        for earlier in &tokens {
            // A shared secret that was replaced is refused at once: whoever had it could go on signing.
            let shared = earlier.token_header()["alg"] == "HS512";
            server.account(&earlier.access).await.expect(if shared { 401 } else { 200 });
        }
        server.pass(PAST_THE_WINDOW).await;
        if let Some(first) = first {
            let meanwhile = server.sign_in(EMAIL).await;
            assert_eq!(meanwhile.token_header()["alg"], first, "until everybody can know the other key");
            server.pass(Duration::from_mins(6)).await;
            server.counterfoil().app().tend_keys().await.unwrap();
            server.account(&meanwhile.access).await.expect(200);
        }
        let latest = server.refresh(&tokens.last().unwrap().refresh).await.expect(200).tokens();
        assert_eq!(latest.token_header()["alg"], algorithm);
        tokens.push(latest);
        let keys = server.get("/.well-known/jwks.json").await.json();
        assert_eq!(keys["keys"].as_array().unwrap().len(), published, "a shared secret is never published");
    }
    let kids: HashSet<_> = tokens.iter().map(|tokens| tokens.token_header()["kid"].to_string()).collect();
    assert_eq!(kids.len(), tokens.len(), "no key comes back");
}

#[tokio::test]
async fn a_shared_secret_comes_from_its_file_and_may_be_changed() {
    let folder = TempDir::new().unwrap();
    let secret = folder.path().join("secret");
    let with_secret = |config: &mut Config| {
        config.signing.algorithm = "HS256".to_owned();
        config.signing.secret_file = Some(secret.clone());
    };
    let server = Server::start_with(with_secret).await;
    let first = server.sign_up(EMAIL).await;
    assert!(fs::read_to_string(&secret).unwrap().trim_end().len() >= 43, "made at the first start");
    let (data, clock) = server.stop().await;
    fs::write(&secret, format!("{}\n", "k9_".repeat(20))).unwrap(); // the mode stays 0600
    let server = Server::start_in(data, clock, with_secret).await.unwrap();
    server.account(&first.access).await.expect_refusal(401, "unknown_key");
    let second = server.refresh(&first.refresh).await.expect(200).tokens();
    assert_ne!(first.token_header()["kid"], second.token_header()["kid"]);
    server.account(&second.access).await.expect(200);
    assert_eq!(server.get("/.well-known/jwks.json").await.json(), serde_json::json!({ "keys": [] }));
    let (data, clock) = server.stop().await;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = Server::start_in(data.clone(), clock.clone(), with_secret).await.err().expect("readable by others");
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&secret, "c2hvcnQ\n").unwrap();
    let refused = Server::start_in(data, clock, with_secret).await.err().expect("a short secret").to_string();
    assert!(refused.contains("secret") && !refused.contains("c2hvcnQ"), "{refused}");
}

/// A restart with shorter-lived tokens, as after an incident: those from before live on, and so must their revocation.
#[tokio::test]
async fn a_shortened_lifetime_forgets_no_revocation_of_a_longer_one() {
    let hours = Duration::from_hours(8);
    let server = Server::start_with(|config| config.access_token.lifetime = hours.into()).await;
    let tokens = server.sign_up(EMAIL).await;
    let (folder, clock) = server.stop().await;
    let short = |config: &mut Config| config.access_token.lifetime = Duration::from_secs(10).into();
    let server = Server::start_in(folder, clock, short).await.unwrap();
    server.with_token("DELETE", "/v1/sessions", &tokens.access).await.expect(200);
    let entry = &server.snapshot().await.feed.entries[0];
    assert!(entry.draft.drop_at >= entry.draft.at.plus(hours), "the token can still be shown");
}
