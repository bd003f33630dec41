//! The model passes the suite it is the measure of, and agrees with itself.

use counterfoil_domain::time::Clock;
use counterfoil_store_contract::{Fixture, MemoryStore, TestClock, compare_with_model, operations};
use proptest::prelude::*;
use std::sync::Arc;

async fn make(clock: Arc<dyn Clock>) -> Fixture {
    Fixture::new(Arc::new(MemoryStore::new(clock)))
}

counterfoil_store_contract::store_contract!(make);

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn two_models_agree(operations in operations(60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let clock = Arc::new(TestClock::new());
        let store = MemoryStore::new(clock.clone());
        runtime.block_on(compare_with_model(&store, clock, &operations));
    }
}
