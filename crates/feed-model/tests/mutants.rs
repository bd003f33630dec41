//! Broken judgements and broken habits that the model must find: a check that passes everything checks nothing.

use counterfoil_domain::{
    revocation::{Anomaly, FeedHead, Follower, Next},
    store::FeedPage,
};
use counterfoil_feed_model::{
    Practice, Rule,
    model::{Broken, Failure, Limits, Scenario, search},
};
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mutant {
    /// Freshness is counted from the answer instead of from the asking.
    ProvenByArrival,
    /// How old the node's own knowledge was is not heeded.
    AgeIgnored,
    /// The head of an answer is believed whatever entries came with it.
    HeadBelieved,
    /// A cold verifier believes the first head it sees, without a snapshot.
    NoSnapshot,
    /// An earlier life of the store is believed again.
    OlderEpochBelieved,
    /// Missing entries are read over.
    GapIgnored,
    /// A feed that contradicts itself is believed.
    ContradictionIgnored,
    /// An answer with less is a contradiction, however old it is: what the rule did before the model had seen it.
    LessIsContradiction,
    /// A snapshot with less is taken without a word: likewise.
    SnapshotUnquestioned,
    /// Entries are applied after the answer that brought them was judged.
    AppliesLate,
    /// The next question acknowledges what has not been applied.
    AcknowledgesAhead,
    /// A snapshot replaces what was held.
    SnapshotReplaces,
    /// Entries are forgotten before their time.
    ForgetsEarly,
    /// A request looks into the ledger first, and asks how fresh it is afterwards.
    LedgerFirst,
    /// The verifier's clock stands still while it is stopped.
    ClockStops,
    /// The server measures how long it held a question when it has read already.
    MeasuresLate,
    /// Receipts compare places, not chains.
    ReceiptByPlace,
    /// After an old backup the new epoch begins without a cutoff.
    NoCutoff,
}

impl Rule for Mutant {
    fn proven_until(&self, sent_at: Duration, received_at: Duration, held: Duration, age: Duration) -> Duration {
        let right = |age| counterfoil_domain::revocation::proven_until(sent_at, received_at, held, age);
        match self {
            Self::ProvenByArrival => received_at,
            Self::AgeIgnored => right(Duration::ZERO),
            _ => right(age),
        }
    }

    fn read(&self, follower: &mut Follower, page: &FeedPage, proven_until: Duration, now: Duration) -> Next {
        let mut right = *follower;
        let next = right.read(page, proven_until, now);
        let believe = |follower: &mut Follower| {
            *follower = fresh(page.head, proven_until.max(follower.proven_until().unwrap_or_default()), now);
            Next::Wait
        };
        match (self, next) {
            (Self::HeadBelieved, Next::ReadOn)
            | (Self::NoSnapshot, Next::LoadSnapshot(Anomaly::Cold))
            | (Self::OlderEpochBelieved, Next::Disregard(Anomaly::OlderEpoch))
            | (Self::ContradictionIgnored, Next::LoadSnapshot(Anomaly::Rewound | Anomaly::Fork)) => believe(follower),
            (Self::GapIgnored, Next::LoadSnapshot(Anomaly::Gap)) => Next::Wait,
            (Self::LessIsContradiction, Next::Disregard(Anomaly::Overtaken)) => follower.read(page, now * 2, now),
            _ => {
                *follower = right;
                next
            }
        }
    }

    fn take_snapshot(&self, follower: &mut Follower, head: FeedHead, proven_until: Duration, now: Duration) -> bool {
        let mut right = *follower;
        let taken = right.take_snapshot(head, proven_until, now);
        let is_this_life = head.position.epoch >= follower.applied().position.epoch;
        *follower = if *self == Self::SnapshotUnquestioned && !taken && is_this_life {
            fresh(head, proven_until, now)
        } else {
            right
        };
        taken || follower.applied() == head
    }

    fn practice(&self) -> Practice {
        let right = Practice::default();
        match self {
            Self::AppliesLate => Practice { applies_before_judging: false, ..right },
            Self::AcknowledgesAhead => Practice { acknowledges_what_is_applied: false, ..right },
            Self::SnapshotReplaces => Practice { snapshot_is_added: false, ..right },
            Self::ForgetsEarly => Practice { forgets_what_is_over: false, ..right },
            Self::LedgerFirst => Practice { freshness_before_ledger: false, ..right },
            Self::ClockStops => Practice { clock_counts_pauses: false, ..right },
            Self::MeasuresLate => Practice { measures_before_reading: false, ..right },
            Self::ReceiptByPlace => Practice { receipt_compares_chains: false, ..right },
            Self::NoCutoff => Practice { cutoff_after_backup: false, ..right },
            _ => right,
        }
    }
}

fn fresh(head: FeedHead, proven_until: Duration, now: Duration) -> Follower {
    let mut follower = Follower::default();
    follower.take_snapshot(head, proven_until, now);
    follower
}

#[test]
fn the_model_kills_every_mutant() {
    let any_loss = Scenario { another: false, ..Scenario::any_loss() };
    let several_pages = Scenario::any_loss();
    let (backup, tail) = (Scenario::after(Failure::OldBackup), Scenario::after(Failure::LosesTail));
    let warm_backup = Scenario { warm: true, ..backup.clone() };
    let two_primaries = Scenario::after(Failure::TwoPrimaries);
    let ahead = Scenario { crossing: true, warm: true, ..any_loss.clone() };
    let mut alive = Vec::new();
    for (mutant, scenario, expected) in [
        (Mutant::ProvenByArrival, &any_loss, Broken::FreshnessOverstated),
        (Mutant::AgeIgnored, &Scenario::two_nodes(), Broken::FreshnessOverstated),
        (Mutant::HeadBelieved, &several_pages, Broken::ReceiptUntrue),
        (Mutant::NoSnapshot, &any_loss, Broken::AcceptedWhileCold),
        (Mutant::OlderEpochBelieved, &two_primaries, Broken::FreshnessOverstated),
        (Mutant::GapIgnored, &any_loss, Broken::Stuck),
        (Mutant::ContradictionIgnored, &backup, Broken::ContradictionBelieved),
        (Mutant::LessIsContradiction, &Scenario::two_nodes(), Broken::HonestFeedContested),
        (Mutant::SnapshotUnquestioned, &warm_backup, Broken::ContradictionBelieved),
        (Mutant::AppliesLate, &any_loss, Broken::ReceiptUntrue),
        (Mutant::AcknowledgesAhead, &ahead, Broken::ReceiptUntrue),
        (Mutant::SnapshotReplaces, &tail, Broken::RefusalUndone),
        (Mutant::ForgetsEarly, &any_loss, Broken::RefusalUndone),
        (Mutant::LedgerFirst, &Scenario::slow_requests(), Broken::AcceptedTooLate),
        (Mutant::ClockStops, &any_loss, Broken::FreshnessOverstated),
        (Mutant::MeasuresLate, &any_loss, Broken::FreshnessOverstated),
        (Mutant::ReceiptByPlace, &backup, Broken::ReceiptUntrue),
        (Mutant::NoCutoff, &warm_backup, Broken::AcceptedTooLate),
    ] {
        let found = search(scenario, &mutant, Limits { depth: 60, states: 2_000_000 }, |_, _| {});
        let broken = found.broken.map(|broken| broken.property);
        println!("{mutant:?}: {broken:?}, {} states, depth {}", found.states, found.depth);
        if broken != Some(expected) {
            alive.push((mutant, broken));
        }
    }
    assert!(alive.is_empty(), "not found, or not as expected: {alive:?}");
}
