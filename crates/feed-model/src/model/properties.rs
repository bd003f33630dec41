//! What must hold in every state.

use super::{
    state::{State, Verifier},
    world::World,
};
use crate::rule::Rule;

/// A property that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Broken {
    /// P1: a token was accepted by a verifier that said it knew of every sign-out, longer after its own was answered than
    /// the bound.
    AcceptedTooLate,
    /// P2: a token that was refused for revocation is not refused any more.
    RefusalUndone,
    /// P3: a verifier that a receipt names does not refuse the token.
    ReceiptUntrue,
    /// P4: a verifier that has taken no snapshot accepts tokens.
    AcceptedWhileCold,
    /// P5: with every message delivered from now on, a verifier does not come to know of every sign-out.
    Stuck,
    /// P6: a verifier says that it knows of every sign-out, and what it knows is older than it may be.
    FreshnessOverstated,
    /// P7: a feed that never contradicted itself was taken for two.
    HonestFeedContested,
    /// P8: a verifier that was shown two histories believes one of them too soon.
    ContradictionBelieved,
}

impl<R: Rule> World<'_, R> {
    pub(super) fn check_properties(&self, state: &State) -> Result<(), Broken> {
        for verifier in state.verifiers.iter().take(self.scenario.verifiers) {
            self.check_verifier(state, verifier)?;
        }
        self.check_everybody_gets_there(state)
    }

    fn check_verifier(&self, state: &State, verifier: &Verifier) -> Result<(), Broken> {
        let (refuses, claims) = (self.refuses(verifier), self.claims(verifier));
        let accepts = claims && !refuses;
        if accepts && !verifier.loaded {
            return Err(Broken::AcceptedWhileCold);
        }
        if verifier.loaded && verifier.refused && !refuses {
            return Err(Broken::RefusalUndone);
        }
        if verifier.loaded && verifier.confirmed && !refuses {
            return Err(Broken::ReceiptUntrue);
        }
        if claims && verifier.doubts > 0 {
            return Err(Broken::ContradictionBelieved);
        }
        if !self.is_promised(state, verifier) {
            return Ok(());
        }
        if accepts && self.is_late(state) {
            return Err(Broken::AcceptedTooLate);
        }
        if claims && verifier.read > self.clock.stale_after() {
            return Err(Broken::FreshnessOverstated);
        }
        Ok(())
    }
}
