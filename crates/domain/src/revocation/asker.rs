//! What a server makes of the place that a verifier names, and what it does about a store that was put back.
//!
//! A verifier believes nobody's numbers but those of the feed. So where one that proved who it is has read *more* than
//! there is, or something else, the store was restored from a backup and nobody began a new epoch: what was signed out
//! since the backup is good again in it. The server cannot bring that back. It can see to it that no verifier takes the
//! new entries for old ones (a new epoch), and that every token is asked about once more (a cutoff: everybody refreshes,
//! and a refresh asks the store).

use super::entry::{Chain, FeedHead, FeedPosition};
use super::follower::Anomaly;
use crate::{
    event::{Event, EventKind, Occasion},
    id::AccountId,
    key::StoredKey,
    revocation::RevocationDraft,
    session::cutoff_of_keys,
};
use std::time::Duration;

/// A new epoch is begun at most so often, whatever verifiers say.
pub const BETWEEN_EPOCHS: Duration = Duration::from_mins(1);

/// Judges the place that a verifier says it has applied, by the server's own head. `our_chain` is the chain at that place,
/// where the server knows it, and `oldest_seq` the lowest place after which it can give entries.
///
/// # Errors
/// What is wrong with it: entries cannot be given from there.
pub fn judge_place(
    head: FeedHead,
    oldest_seq: i64,
    our_chain: Option<Chain>,
    place: FeedPosition,
    chain: Option<Chain>,
) -> Result<(), Anomaly> {
    let newest = head.position;
    if place.epoch > newest.epoch {
        return Err(Anomaly::OlderEpoch);
    }
    if place.epoch < newest.epoch {
        return Err(Anomaly::NewEpoch);
    }
    if place.seq > newest.seq {
        return Err(Anomaly::Rewound);
    }
    if our_chain.zip(chain).is_some_and(|(ours, theirs)| ours != theirs) {
        return Err(Anomaly::Fork);
    }
    if place.seq < oldest_seq { Err(Anomaly::BehindRetention) } else { Ok(()) }
}

impl Anomaly {
    /// Whether a verifier that proved who it is shows by it that the store was put back: it has read more than there is, or
    /// something else, or a later life.
    pub const fn shows_rewind(self) -> bool {
        matches!(self, Self::Rewound | Self::Fork | Self::OlderEpoch)
    }
}

/// What is written when a store turns out to have been put back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AfterRewind {
    /// Refuses every token minted until now.
    pub drafts: Vec<RevocationDraft>,
    /// The line for the audit log.
    pub event: Event,
}

/// What to write into the new epoch of a store that was put back, as `verifier` showed. `keys` are all that it has.
pub fn after_rewind(
    keys: &[StoredKey],
    verifier: &str,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> AfterRewind {
    let drafts = cutoff_of_keys(keys, longest_token_lifetime, occasion);
    let detail = format!("seen by {verifier}");
    AfterRewind { drafts, event: occasion.event_with(EventKind::StoreRewound, AccountId::NOBODY, None, detail) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{revocation::Epoch, time::UnixMillis};

    fn place(epoch: i64, seq: i64) -> FeedPosition {
        FeedPosition { epoch: Epoch(epoch), seq }
    }

    #[test]
    fn each_place_is_told_what_is_wrong_with_it() {
        let (ours, other) = (Chain([1; 16]), Chain([2; 16]));
        let head = FeedHead { position: place(5, 100), chain: ours };
        for (what, asked, our_chain, chain, expected) in [
            ("the head", place(5, 100), Some(ours), Some(ours), Ok(())),
            ("the head, without its chain", place(5, 100), Some(ours), None, Ok(())),
            ("the oldest that there is", place(5, 40), None, Some(other), Ok(())),
            ("one before that", place(5, 39), None, Some(other), Err(Anomaly::BehindRetention)),
            ("one ahead", place(5, 101), None, Some(ours), Err(Anomaly::Rewound)),
            ("another history", place(5, 100), Some(ours), Some(other), Err(Anomaly::Fork)),
            ("an earlier life", place(4, 500), None, Some(ours), Err(Anomaly::NewEpoch)),
            ("a later life", place(6, 1), None, Some(ours), Err(Anomaly::OlderEpoch)),
        ] {
            assert_eq!(judge_place(head, 40, our_chain, asked, chain), expected, "{what}");
        }
    }

    #[test]
    fn epochs_rise_whatever_the_clock_says() {
        let at = UnixMillis::from_millis;
        assert_eq!(Epoch(5).next(at(9)), Epoch(9));
        assert_eq!(Epoch(9).next(at(5)), Epoch(10));
        assert_eq!(Epoch(i64::MAX).next(at(5)), Epoch(i64::MAX));
    }
}
