//! The suite that every store runs, on a real file; and random operations beside the model, with the file closed and
//! opened again on the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report"
)]

mod common;

use common::Place;
use counterfoil_domain::time::Clock;
use counterfoil_store_contract::{Comparison, Fixture, TestClock, operations};
use counterfoil_store_sqlite::{SqliteOptions, SqliteStore};
use proptest::prelude::*;
use std::sync::Arc;

async fn make(clock: Arc<dyn Clock>) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("counterfoil.db"), clock)).unwrap();
    Fixture::with(Arc::new(store), folder)
}

counterfoil_store_contract::store_contract!(make);

proptest! {
    // Proptest prints the seed and the shortest failing sequence, and keeps it beside this file.
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn the_store_agrees_with_the_model(before in operations(50), between in operations(20), after in operations(50)) {
        let place = Place { folder: tempfile::tempdir().unwrap(), clock: Arc::new(TestClock::new()) };
        common::block_on(async {
            let store = place.open();
            let mut comparison = Comparison::begin(&*store, place.clock.clone()).await;
            comparison.apply(&*store, &before).await;
            drop(store);
            let store = place.open();
            comparison.apply(&*store, &between).await;
            // And once with the other still open, as another process would have it.
            let other = place.open();
            comparison.apply(&*other, &after).await;
            comparison.finish(&*store).await;
            comparison.finish(&*other).await;
        });
    }
}
