//! Ending every session of every account at once.

use crate::{
    event::{Event, EventKind, Occasion},
    id::AccountId,
    key::StoredKey,
    revocation::{Revocation, RevocationDraft},
    time::UnixMillis,
};
use std::time::Duration;

/// What a store is to do so that everybody is signed out: one step, whatever their number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EverybodyOut {
    /// Sessions opened until then are over.
    pub cutoff: UnixMillis,
    /// Refuses the tokens minted until then.
    pub drafts: Vec<RevocationDraft>,
    /// The line for the audit log.
    pub event: Event,
}

/// Signs everybody out. Tokens are refused by the keys that signed them and not by their issuer: a command may be configured
/// with another public URL than the server. `keys` are all that the store has.
pub fn end_everybody(keys: &[StoredKey], longest_token_lifetime: Duration, occasion: &Occasion<'_>) -> EverybodyOut {
    let drafts = cutoff_of_keys(keys, longest_token_lifetime, occasion);
    let event = occasion.event(EventKind::EverybodySignedOut, AccountId::NOBODY, None);
    EverybodyOut { cutoff: occasion.now, drafts, event }
}

/// Refuses every token minted until now, by each key that could have signed one that is not over.
pub fn cutoff_of_keys(
    keys: &[StoredKey],
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Vec<RevocationDraft> {
    let cutoff = occasion.now;
    let signing = keys.iter().filter(|key| key.verifies());
    let revocations = signing.map(|key| Revocation::Issuer { key: key.kid.clone(), cutoff });
    let draft = |revocation| RevocationDraft::new(revocation, cutoff, longest_token_lifetime, occasion.entropy);
    revocations.map(draft).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::{KeyState, KeyUse},
        testing::{self, Counting, START},
    };

    #[test]
    fn every_key_whose_tokens_may_be_about_is_named() {
        let key = |kid: &str, key_use, state| StoredKey { key_use, state, ..testing::signing_key(kid, START) };
        let keys = [
            key("active", KeyUse::Sign, KeyState::Active),
            key("retiring", KeyUse::Sign, KeyState::Retiring),
            key("retired", KeyUse::Sign, KeyState::Retired),
            key("1", KeyUse::RefreshTag, KeyState::Active),
        ];
        let entropy = Counting::default();
        let out = end_everybody(&keys, Duration::from_mins(30), &testing::occasion(START, &entropy));
        let named: Vec<_> = out.drafts.into_iter().map(|draft| draft.revocation).collect();
        let issuer = |kid: &str| Revocation::Issuer { key: kid.to_owned(), cutoff: START };
        assert_eq!((out.cutoff, named), (START, vec![issuer("active"), issuer("retiring")]));
    }
}
