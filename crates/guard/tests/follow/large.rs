//! Much at once.

use crate::{
    bench::{Bench, SESSION, get, until},
    server::SNAPSHOT,
};
use counterfoil_domain::{id::SessionId, revocation::Revocation};
use counterfoil_guard::GuardState;

fn session(number: u64) -> SessionId {
    SessionId::from_bytes((u128::from(number) + (1 << 100)).to_be_bytes())
}

/// Everybody of a large service is signed out one by one.
#[tokio::test]
async fn a_hundred_thousand_sign_outs_at_once() {
    let bench = Bench::new().await;
    let guard = bench.guard().await;
    let head = bench.server.change(|history| {
        for number in 0..100_000 {
            history.add(Revocation::Session(session(number)));
        }
        history.add(Revocation::Session(SESSION))
    });
    until("applied", || guard.status().applied == head.position).await;
    let status = guard.status();
    assert_eq!((status.entries, status.state, bench.server.calls(SNAPSHOT)), (100_001, GuardState::InSync, 1));
    assert_eq!(get(&guard, &bench.token()).await, "token_revoked");
    let another = bench.guard().await;
    assert_eq!((another.status().entries, get(&another, &bench.token()).await), (100_001, "token_revoked"));
}
