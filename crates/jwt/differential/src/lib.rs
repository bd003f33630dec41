//! Only tests: see `tests/verdicts.rs`.
