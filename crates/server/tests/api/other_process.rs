//! An operator's command works on the same store as the running server, which hears of it through the feed.

use crate::harness::{DATA_FILE, Process};
use counterfoil::{
    app::AccountAdministration,
    system::{OsEntropy, SystemClock},
};
use counterfoil_store_sqlite::{SqliteOptions, SqliteStore};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The bound that we state between a sign-out in another process and its effect.
const BOUND: Duration = Duration::from_secs(1);

/// Waits until the server refuses the token; how long that took.
async fn refused_after(process: &Process, access_token: &str) -> Duration {
    let begin = Instant::now();
    while process.account(access_token).await.status == 200 {
        assert!(begin.elapsed() < 10 * BOUND, "still good after {:?}", begin.elapsed());
        sleep(Duration::from_millis(10)).await;
    }
    begin.elapsed()
}

#[tokio::test]
async fn what_another_process_ends_is_refused_within_a_second() {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    let path = folder.path().join("data").join(DATA_FILE);
    let store = SqliteStore::open(SqliteOptions::new(path, Arc::new(SystemClock))).unwrap();
    let operator = AccountAdministration {
        store: Arc::new(store),
        entropy: Arc::new(OsEntropy),
        longest_token_lifetime: Duration::from_mins(31),
    };

    let (one, other) = (process.sign_up("minsu@example.com").await, process.sign_in("minsu@example.com").await);
    operator.end_session(one.session().parse().unwrap()).await.unwrap();
    let after = refused_after(&process, &one.access).await;
    assert!(after <= BOUND, "{after:?}");
    process.refresh(&one.refresh).await.expect_refusal(401, "invalid_grant");
    process.account(&other.access).await.expect(200);

    assert_eq!(operator.end_sessions(other.account().parse().unwrap()).await.unwrap().revoked, 1);
    // The store knows at once; a refresh asks it.
    process.refresh(&other.refresh).await.expect_refusal(401, "invalid_grant");
    let after = refused_after(&process, &other.access).await;
    assert!(after <= BOUND, "{after:?}");

    let back = process.sign_in("minsu@example.com").await;
    process.account(&back.access).await.expect(200);
}
