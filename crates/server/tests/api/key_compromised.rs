//! A key has leaked: what it signed is refused everywhere, and people refresh once.

use crate::harness::{DATA_FILE, Process, eventually};
use counterfoil::{
    app::KeyAdministration,
    keys::MasterKey,
    system::{OsEntropy, SystemClock},
};
use counterfoil_domain::{key::KeyTerms, revocation::Revocation, time::Clock};
use counterfoil_store_sqlite::{SqliteOptions, SqliteStore};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

#[tokio::test]
async fn what_a_leaked_key_signed_is_refused_and_everybody_refreshes_once() {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    let tokens = process.sign_up("minsu@example.com").await;
    let leaked = tokens.token_header()["kid"].as_str().unwrap().to_owned();
    let data = folder.path().join("data");
    let store = Arc::new(SqliteStore::open(SqliteOptions::new(data.join(DATA_FILE), Arc::new(SystemClock))).unwrap());
    let minutes = Duration::from_mins;
    let operator = KeyAdministration {
        store,
        master: Arc::new(MasterKey::load(&data).unwrap().unwrap()),
        entropy: Arc::new(OsEntropy),
        terms: KeyTerms {
            jwks_max_age: minutes(5),
            token_lifetime: minutes(30),
            longest_token_lifetime: minutes(32),
            rotate_after: None,
        },
    };
    let (done, committed) = operator.give_up(SystemClock.now()).await.unwrap().unwrap();
    assert_eq!(done.given_up, std::slice::from_ref(&leaked));
    let told: Vec<_> = committed.entries.iter().map(|entry| &entry.draft.revocation).collect();
    assert!(
        matches!(told[..], [Revocation::Issuer { key, .. }, Revocation::Keys { .. }] if *key == leaked),
        "{told:?}"
    );

    let is_refused = async || process.account(&tokens.access).await.status == 401;
    eventually("the running server refuses it", Duration::from_secs(5), is_refused).await;
    eventually("the running server publishes the new one only", Duration::from_secs(5), async || {
        let set = process.get("/.well-known/jwks.json").await.json();
        set["keys"].as_array().unwrap().len() == 1 && set["keys"][0]["kid"] == *done.kid
    })
    .await;
    let renewed = process.refresh(&tokens.refresh).await.expect(200).tokens();
    assert_eq!(renewed.token_header()["kid"], *done.kid);
    process.account(&renewed.access).await.expect(200);
}
