//! Following the feed: what one answer is worth to whoever asked for it.
//!
//! A verifier may only say that it knows of every sign-out if it can prove it. The proof is an answer to a question of its
//! own: whatever was written before it asked is in the answer. So staleness counts from *asking*, by a clock that nobody
//! can set, and a verifier that was stopped for a minute wakes up knowing that it knows nothing since.
//!
//! Nothing here waits, asks or reads a clock: answers and instants come in, verdicts go out. The same code is run by the
//! server's nodes, by verifiers elsewhere, and by the model that searches every order of events.

use super::entry::{FeedEntry, FeedHead};
use crate::store::FeedPage;
use std::time::Duration;

/// So long an answer is as good as new.
pub const FRESH_FOR: Duration = Duration::from_secs(1);
/// So long after the last proof a verifier goes on as always; from then on it says so, and each route's policy decides.
pub const STALE_AFTER: Duration = Duration::from_secs(5);
/// So long a history that contradicts itself is not believed, whatever it answers.
pub const CONTESTED_FOR: Duration = Duration::from_secs(30);

/// What is wrong with an answer, or with what is held. The words are those of logs and metrics.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Anomaly {
    /// Nothing is known yet.
    Cold,
    /// Entries are missing between what is held and what came.
    Gap,
    /// The server has forgotten entries that were not yet read.
    BehindRetention,
    /// A new life of the store has begun: a failover, or a restored backup.
    NewEpoch,
    /// The answer is from an earlier life of the store than one that was seen already.
    OlderEpoch,
    /// The feed is shorter than what was read of it: a backup was restored without a new epoch.
    Rewound,
    /// Another entry stands where one was read: two servers write to copies of one store.
    Fork,
    /// The answer tells less than is known, and of an instant at which that may not have been written yet: it was long on
    /// its way, or comes from a node that is behind. Ask again.
    Overtaken,
}

impl Anomaly {
    /// Every one there is.
    pub const ALL: [Self; 8] = [
        Self::Cold,
        Self::Gap,
        Self::BehindRetention,
        Self::NewEpoch,
        Self::OlderEpoch,
        Self::Rewound,
        Self::Fork,
        Self::Overtaken,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Gap => "gap",
            Self::BehindRetention => "behind_retention",
            Self::NewEpoch => "new_epoch",
            Self::OlderEpoch => "older_epoch",
            Self::Rewound => "rewound",
            Self::Fork => "fork",
            Self::Overtaken => "overtaken",
        }
    }

    /// The anomaly of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|anomaly| anomaly.as_str() == word)
    }

    /// Whether no honest feed shows it: then a snapshot alone does not mend it.
    pub const fn is_contradiction(self) -> bool {
        matches!(self, Self::Rewound | Self::Fork)
    }
}

/// What to do after an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Everything there is has been applied: ask again in a moment.
    Wait,
    /// There is more: ask again at once.
    ReadOn,
    /// Load every living entry anew, and keep those that are held: nothing is ever taken back.
    LoadSnapshot(Anomaly),
    /// Believe nothing of it but its revocations.
    Disregard(Anomaly),
}

/// How fresh a verifier's knowledge is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Freshness {
    /// It has not read the feed yet: nothing protected is answered.
    Cold,
    /// As good as new.
    InSync,
    /// Older than [`FRESH_FOR`], by the age given: nothing changes but a metric.
    Lagging(Duration),
    /// It cannot say any more who was signed out. Since how long it cannot.
    Stale(Duration),
}

/// Until when an answer proves what it says, by the clock of whoever asked.
///
/// The question went out at `sent_at` and the answer came at `received_at`. The server may hold a question until there is
/// something to say: it held this one for `held`, read its feed, and what it read was `age` old already (its own last
/// reading of the primary). A server that claims to have held it for longer than the whole took is not believed.
pub fn proven_until(sent_at: Duration, received_at: Duration, held: Duration, age: Duration) -> Duration {
    let took = received_at.saturating_sub(sent_at);
    sent_at.saturating_add(held.min(took)).saturating_sub(age)
}

/// Where one verifier stands in the feed, and until when it knows everything.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Follower {
    applied: Option<FeedHead>,
    /// When that place was reached. Everything up to there was written before, so an answer that tells of a later instant
    /// and has less contradicts it; one that tells of an earlier instant may be honest.
    reached_at: Duration,
    proven_until: Option<Duration>,
    contest: Option<Contest>,
}

/// Contradictions, each within [`CONTESTED_FOR`] of the one before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Contest {
    first: Duration,
    last: Duration,
}

impl Contest {
    fn is_on(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) < CONTESTED_FOR
    }
}

impl Follower {
    /// How far the feed was applied; the place before the first entry while nothing was.
    pub fn applied(&self) -> FeedHead {
        self.applied.unwrap_or_default()
    }

    /// Judges entries that were read after [`Self::applied`]. Apply `page.entries` before, whatever comes of it: a
    /// revocation is one even if the feed that tells of it is not whole.
    ///
    /// `proven_until` is from [`proven_until`], or the instant before asking where nobody holds the question. `now` is when
    /// the answer is read, by the same clock.
    ///
    /// One question at a time: an answer to one that was given up, or from another place, does not fit and costs a snapshot.
    pub fn read(&mut self, page: &FeedPage, proven_until: Duration, now: Duration) -> Next {
        let Some(applied) = self.applied else { return Next::LoadSnapshot(Anomaly::Cold) };
        match walk(applied, page) {
            Ok(reached) => {
                self.reach(reached, now);
                if reached != page.head {
                    return Next::ReadOn;
                }
                self.prove(proven_until);
                Next::Wait
            }
            Err(Anomaly::OlderEpoch) => Next::Disregard(Anomaly::OlderEpoch),
            Err(Anomaly::Rewound) if proven_until <= self.reached_at => Next::Disregard(Anomaly::Overtaken),
            Err(anomaly) => {
                if anomaly.is_contradiction() {
                    self.contest(now);
                }
                Next::LoadSnapshot(anomaly)
            }
        }
    }

    /// The server says itself why it gives no entries from [`Self::applied`]: it sees more of its feed than it answers, and
    /// the chain that was sent along. What it says of an earlier life of its store is not believed. The instants are those of
    /// [`Self::read`].
    pub fn told(&mut self, anomaly: Anomaly, head: FeedHead, proven_until: Duration, now: Duration) -> Next {
        if head.position.epoch < self.applied().position.epoch {
            return Next::Disregard(Anomaly::OlderEpoch);
        }
        if anomaly == Anomaly::Rewound && proven_until <= self.reached_at {
            return Next::Disregard(Anomaly::Overtaken);
        }
        if anomaly.is_contradiction() {
            self.contest(now);
        }
        Next::LoadSnapshot(anomaly)
    }

    /// Takes the place of a snapshot whose every entry has been applied, `now` by the clock of `proven_until`.
    ///
    /// `false` if it is not to be believed: go on asking from [`Self::applied`]. That is so for an earlier life of the store
    /// than one that was seen already, and for one of this life that does not have what was read, until a question has
    /// shown the same: a question says how far its verifier has read, so it tells the server as well.
    pub fn take_snapshot(&mut self, head: FeedHead, proven_until: Duration, now: Duration) -> bool {
        if let Some(applied) = self.applied {
            let (before, newest) = (applied.position, head.position);
            if newest.epoch < before.epoch {
                return false;
            }
            let is_less = newest.epoch == before.epoch && newest.seq < before.seq;
            let is_another = newest == before && head.chain != applied.chain;
            if is_less || is_another {
                let was_contested = self.contest.is_some_and(|contest| contest.is_on(now));
                if is_another || proven_until > self.reached_at {
                    self.contest(now);
                }
                if !was_contested {
                    return false;
                }
            }
        }
        self.reach(head, now);
        self.prove(proven_until);
        true
    }

    /// How fresh what is known is at `now`, by the same clock.
    pub fn freshness(&self, now: Duration) -> Freshness {
        let (Some(_), Some(proven_until)) = (self.applied, self.proven_until) else { return Freshness::Cold };
        let age = now.saturating_sub(proven_until);
        match self.contest.filter(|contest| contest.is_on(now)) {
            Some(contest) => Freshness::Stale(now.saturating_sub(contest.first).max(age.saturating_sub(STALE_AFTER))),
            None if age <= FRESH_FOR => Freshness::InSync,
            None if age <= STALE_AFTER => Freshness::Lagging(age),
            None => Freshness::Stale(age.saturating_sub(STALE_AFTER)),
        }
    }

    /// When [`Self::applied`] was reached, by the clock of [`proven_until`].
    pub const fn reached_at(&self) -> Duration {
        self.reached_at
    }

    /// Until when everything is known, by the clock of [`proven_until`].
    pub const fn proven_until(&self) -> Option<Duration> {
        self.proven_until
    }

    /// An answer that was long on its way proves nothing that a later one has not proven.
    fn prove(&mut self, until: Duration) {
        self.proven_until = self.proven_until.max(Some(until));
    }

    fn reach(&mut self, place: FeedHead, now: Duration) {
        if self.applied.replace(place) != Some(place) {
            self.reached_at = now;
        }
    }

    /// Counts from when it was seen, not from the proof: a verifier that was stopped may read an old answer.
    fn contest(&mut self, now: Duration) {
        let first = self.contest.filter(|contest| contest.is_on(now)).map_or(now, |contest| contest.first);
        self.contest = Some(Contest { first, last: now });
    }
}

/// Walks from what is held over the entries of a page, as far as they go.
fn walk(applied: FeedHead, page: &FeedPage) -> Result<FeedHead, Anomaly> {
    let (held, newest) = (applied.position, page.head.position);
    if newest.epoch < held.epoch {
        return Err(Anomaly::OlderEpoch);
    }
    if newest.epoch > held.epoch {
        return Err(Anomaly::NewEpoch);
    }
    if newest.seq < held.seq {
        return Err(Anomaly::Rewound);
    }
    let reached = page.entries.iter().try_fold(applied, step)?;
    if reached.position == newest && reached.chain != page.head.chain {
        return Err(Anomaly::Fork);
    }
    // A feed that has more and gives none of it would be asked for ever.
    if page.entries.is_empty() && reached != page.head { Err(Anomaly::Gap) } else { Ok(reached) }
}

fn step(held: FeedHead, entry: &FeedEntry) -> Result<FeedHead, Anomaly> {
    if entry.head.position.seq != held.position.seq.saturating_add(1) {
        Err(Anomaly::Gap)
    } else if entry.follows(&held) {
        Ok(entry.head)
    } else {
        Err(Anomaly::Fork)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{FeedEntryId, SessionId},
        revocation::{Chain, Epoch, FeedPosition, Revocation, RevocationDraft},
        time::UnixMillis,
    };

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn begin(epoch: i64) -> FeedHead {
        FeedHead { position: FeedPosition { epoch: Epoch(epoch), seq: 0 }, chain: Chain::default() }
    }

    fn entries_after(mut head: FeedHead, names: &[u8]) -> Vec<FeedEntry> {
        let at = UnixMillis::from_millis(1);
        let mut next = |name: &u8| {
            let revocation = Revocation::Session(SessionId::from_bytes([*name; 16]));
            let draft = RevocationDraft { id: FeedEntryId::from_bytes([*name; 16]), at, drop_at: at, revocation };
            let entry = FeedEntry::seal(&head, draft);
            head = entry.head;
            entry
        };
        names.iter().map(&mut next).collect()
    }

    fn page(entries: &[FeedEntry], head: FeedHead) -> FeedPage {
        FeedPage { entries: entries.to_vec(), head }
    }

    /// A follower in sync at second 10 with three entries of epoch 5, and those entries.
    fn in_sync() -> (Follower, Vec<FeedEntry>) {
        let entries = entries_after(begin(5), &[1, 2, 3]);
        let mut follower = Follower::default();
        assert!(follower.take_snapshot(begin(5), secs(9), secs(9)));
        assert_eq!(follower.read(&page(&entries, entries[2].head), secs(10), secs(10)), Next::Wait);
        (follower, entries)
    }

    #[test]
    fn nothing_is_known_before_a_snapshot() {
        let mut follower = Follower::default();
        assert_eq!(follower.freshness(secs(0)), Freshness::Cold);
        let entries = entries_after(begin(5), &[1]);
        assert_eq!(
            follower.read(&page(&entries, entries[0].head), secs(1), secs(1)),
            Next::LoadSnapshot(Anomaly::Cold)
        );
        assert_eq!(follower.freshness(secs(1)), Freshness::Cold);
    }

    #[test]
    fn freshness_ages_from_the_last_proof() {
        let (follower, _) = in_sync();
        for (millis, expected) in [
            (11_000, Freshness::InSync),
            (11_001, Freshness::Lagging(Duration::from_millis(1_001))),
            (15_000, Freshness::Lagging(secs(5))),
            (15_001, Freshness::Stale(Duration::from_millis(1))),
            (70_000, Freshness::Stale(secs(55))),
        ] {
            assert_eq!(follower.freshness(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn a_part_of_what_there_is_proves_nothing() {
        let (mut follower, entries) = in_sync();
        let more = entries_after(entries[2].head, &[4, 5]);
        assert_eq!(follower.read(&page(&more[..1], more[1].head), secs(20), secs(20)), Next::ReadOn);
        assert_eq!(follower.proven_until(), Some(secs(10)));
        assert_eq!(follower.read(&page(&more[1..], more[1].head), secs(21), secs(21)), Next::Wait);
        assert_eq!(follower.proven_until(), Some(secs(21)));
        assert_eq!(follower.applied(), more[1].head);
        // An answer to an earlier question, late on its way.
        assert_eq!(follower.read(&page(&[], more[1].head), secs(15), secs(15)), Next::Wait);
        assert_eq!(follower.proven_until(), Some(secs(21)));
    }

    #[test]
    fn what_does_not_fit_is_seen_and_proves_nothing() {
        let (_, entries) = in_sync();
        let held = entries[2].head;
        let more = entries_after(held, &[4, 5]);
        let others = entries_after(begin(5), &[1, 2, 9, 4]);
        let mut altered = more[0].clone();
        altered.draft.at = UnixMillis::from_millis(2);
        let later_epoch = FeedHead { position: FeedPosition { epoch: Epoch(6), ..held.position }, ..held };
        for (what, page, anomaly) in [
            ("an entry left out", page(&more[1..], more[1].head), Anomaly::Gap),
            ("nothing given of what there is", page(&[], more[1].head), Anomaly::Gap),
            ("entries in another order", page(&[more[1].clone(), more[0].clone()], more[1].head), Anomaly::Gap),
            ("an altered entry", page(&[altered], more[0].head), Anomaly::Fork),
            ("another entry in the place of one that was read", page(&[], others[2].head), Anomaly::Fork),
            ("an entry after another history", page(&others[3..], others[3].head), Anomaly::Fork),
            ("a head that is not that of its entries", page(&more[..1], others[3].head), Anomaly::Fork),
            ("less than was read", page(&[], entries[1].head), Anomaly::Rewound),
            ("a new life of the store", page(&[], later_epoch), Anomaly::NewEpoch),
        ] {
            let (mut follower, _) = in_sync();
            assert_eq!(follower.read(&page, secs(11), secs(11)), Next::LoadSnapshot(anomaly), "{what}");
            assert_eq!(follower.proven_until(), Some(secs(10)), "{what}");
            assert_eq!(follower.applied(), held, "{what}");
            let stale = matches!(follower.freshness(secs(11)), Freshness::Stale(_));
            assert_eq!(stale, anomaly.is_contradiction(), "{what}");
        }
    }

    #[test]
    fn an_earlier_life_of_the_store_is_never_believed_again() {
        let (mut follower, entries) = in_sync();
        let older = entries_after(begin(4), &[1, 2, 3, 4, 5, 6]);
        let verdict = follower.read(&page(&older[3..], older[5].head), secs(12), secs(12));
        assert_eq!(verdict, Next::Disregard(Anomaly::OlderEpoch));
        assert!(!follower.take_snapshot(older[5].head, secs(12), secs(12)));
        assert_eq!((follower.applied(), follower.proven_until()), (entries[2].head, Some(secs(10))));
        assert!(follower.take_snapshot(begin(6), secs(13), secs(13)));
        assert_eq!(follower.freshness(secs(13)), Freshness::InSync);
    }

    #[test]
    fn a_contested_history_is_stale_until_it_has_been_quiet() {
        let (mut follower, entries) = in_sync();
        let shorter = page(&[], entries[0].head);
        assert_eq!(follower.read(&shorter, secs(11), secs(11)), Next::LoadSnapshot(Anomaly::Rewound));
        // The snapshot is taken, for what it tells; that does not make it the truth.
        assert!(follower.take_snapshot(entries[0].head, secs(12), secs(12)));
        assert_eq!(follower.freshness(secs(12)), Freshness::Stale(secs(1)));
        assert_eq!(follower.read(&page(&[], begin(5)), secs(40), secs(40)), Next::LoadSnapshot(Anomaly::Rewound));
        assert!(follower.take_snapshot(begin(5), secs(41), secs(41)));
        assert_eq!(follower.read(&page(&[], begin(5)), secs(70), secs(70)), Next::Wait);
        assert_eq!(follower.freshness(secs(70)), Freshness::Stale(secs(59)), "counted from the first of the row");
        assert_eq!(follower.freshness(secs(71)), Freshness::InSync);
    }

    #[test]
    fn a_contradiction_counts_from_when_it_was_seen() {
        // Asked at second 11, stopped for a minute, read at 71.
        let (mut follower, entries) = in_sync();
        assert_eq!(
            follower.read(&page(&[], entries[0].head), secs(11), secs(71)),
            Next::LoadSnapshot(Anomaly::Rewound)
        );
        assert!(follower.take_snapshot(entries[0].head, secs(72), secs(72)));
        assert!(matches!(follower.freshness(secs(72)), Freshness::Stale(_)));
    }

    #[test]
    fn a_node_that_is_behind_is_no_contradiction() {
        // The third entry was read at second 10. A node that last read the primary at 10 need not have it; at 11 it must.
        let (mut follower, entries) = in_sync();
        let shorter = page(&[], entries[1].head);
        assert_eq!(follower.read(&shorter, secs(10), secs(12)), Next::Disregard(Anomaly::Overtaken));
        assert!(!follower.take_snapshot(entries[1].head, secs(10), secs(12)));
        assert_eq!((follower.applied(), follower.proven_until()), (entries[2].head, Some(secs(10))));
        assert_eq!(follower.freshness(secs(12)), Freshness::Lagging(secs(2)));
        assert_eq!(follower.read(&shorter, secs(11), secs(12)), Next::LoadSnapshot(Anomaly::Rewound));
    }

    #[test]
    fn a_snapshot_with_less_is_a_contradiction_too_and_the_server_is_told() {
        let others = entries_after(begin(5), &[1, 2, 9]);
        let (_, entries) = in_sync();
        for (head, next) in [(entries[1].head, Anomaly::Rewound), (others[2].head, Anomaly::Fork)] {
            let (mut follower, _) = in_sync();
            assert!(!follower.take_snapshot(head, secs(11), secs(11)));
            assert_eq!(follower.applied(), entries[2].head, "the next question says how far was read");
            assert!(matches!(follower.freshness(secs(11)), Freshness::Stale(_)));
            assert_eq!(follower.read(&page(&[], head), secs(12), secs(12)), Next::LoadSnapshot(next));
            assert!(follower.take_snapshot(head, secs(13), secs(13)));
            assert_eq!(follower.applied(), head);
            assert!(matches!(follower.freshness(secs(42)), Freshness::Stale(_)));
        }
    }

    #[test]
    fn a_server_may_say_itself_what_does_not_fit() {
        for anomaly in Anomaly::ALL {
            let (mut follower, entries) = in_sync();
            assert_eq!(follower.told(anomaly, entries[2].head, secs(11), secs(11)), Next::LoadSnapshot(anomaly));
            let stale = matches!(follower.freshness(secs(11)), Freshness::Stale(_));
            assert_eq!((stale, follower.applied()), (anomaly.is_contradiction(), entries[2].head), "{anomaly:?}");
            let older = follower.told(anomaly, begin(4), secs(11), secs(11));
            assert_eq!(older, Next::Disregard(Anomaly::OlderEpoch), "{anomaly:?}");
        }
    }

    #[test]
    fn the_proof_counts_from_asking_and_no_server_can_stretch_it() {
        let (sent, received) = (secs(10), secs(12));
        assert_eq!(proven_until(sent, received, Duration::ZERO, Duration::ZERO), secs(10));
        assert_eq!(proven_until(sent, received, secs(1), Duration::ZERO), secs(11));
        assert_eq!(proven_until(sent, received, secs(1), secs(3)), secs(8));
        assert_eq!(proven_until(sent, received, secs(900), Duration::ZERO), received);
        assert_eq!(proven_until(sent, received, Duration::ZERO, secs(900)), Duration::ZERO);
    }
}
