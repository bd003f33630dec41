//! Checks that are made one by one and told as they are decided: of the steps that put questions to a running server.

use crate::tally::Tally;

/// Prints each case as it is decided, and counts.
#[derive(Default)]
pub(crate) struct Cases {
    /// How many held, and how many did not.
    pub(crate) tally: Tally,
}

impl Cases {
    /// Takes in the verdict on one.
    pub(crate) fn note(&mut self, case: &str, result: anyhow::Result<()>) {
        self.tally += Tally::one(result.is_ok());
        match result {
            Ok(()) => println!("  ok      {case}"),
            Err(error) => println!("  FAILED  {case}: {error:#}"),
        }
    }
}
