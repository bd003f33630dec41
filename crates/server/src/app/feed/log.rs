//! The newest entries of the feed, as they are sent.

use bytes::Bytes;
use counterfoil_domain::revocation::{Anomaly, Chain, FeedEntry, FeedHead, FeedPosition, judge_place};
use counterfoil_wire::{FeedEntryBody, FeedHeadBody};
use parking_lot::{Mutex, RwLock};
use std::{collections::VecDeque, time::Duration};
use tokio::sync::watch;

/// How many entries are kept: some 3 MB. A verifier that is further behind loads a snapshot.
const ENTRIES_MAX: usize = 10_000;
/// The most entries of one answer.
const PAGE_ENTRIES_MAX: usize = 1_000;
/// Pages of so many entries are kept for the others that ask for the same.
const SHARED_ENTRIES_MIN: usize = 32;
/// How many such pages are kept: some 4 MB.
const SHARED_PAGES_MAX: usize = 16;

/// The newest entries, in order and without gaps.
#[derive(Default)]
pub(in crate::app) struct FeedLog {
    held: RwLock<Held>,
    shared: Mutex<VecDeque<SharedPage>>,
    /// Where the log stands, for those who wait for more.
    reached: watch::Sender<FeedPosition>,
}

#[derive(Default)]
struct Held {
    /// The place before the first entry, and its chain where that is known.
    oldest_seq: i64,
    oldest_chain: Option<Chain>,
    entries: VecDeque<Kept>,
    head: FeedHead,
    /// Until when this is everything, by the clock that nobody can set. It stands beside the entries, so that no answer can
    /// promise more than it brings.
    proven_until: Duration,
}

struct Kept {
    head: FeedHead,
    /// The entry in JSON.
    json: Box<str>,
}

struct SharedPage {
    first: FeedPosition,
    last: FeedPosition,
    json: Bytes,
}

/// What the log holds after a place.
pub(in crate::app) struct LogPage {
    /// Where the log stands.
    pub(in crate::app) head: FeedHead,
    /// Until when that is everything.
    pub(in crate::app) proven_until: Duration,
    /// Entries in JSON, separated by commas; or why there can be none.
    pub(in crate::app) entries: Result<Bytes, Anomaly>,
}

/// The last entries of a feed that is read anew: those that follow each other up to its head.
#[derive(Default)]
pub(in crate::app) struct Tail {
    oldest_chain: Option<Chain>,
    entries: VecDeque<FeedEntry>,
}

impl Tail {
    /// Takes the next living entry.
    pub(in crate::app) fn push(&mut self, entry: FeedEntry) {
        if let Some(last) = self.entries.back() {
            let (held, next) = (last.head.position, entry.head.position);
            if next.epoch != held.epoch || next.seq != held.seq.saturating_add(1) {
                // Entries in between were dropped, or belong to another life.
                self.entries.clear();
                self.oldest_chain = None;
            }
        }
        self.entries.push_back(entry);
        if self.entries.len() > ENTRIES_MAX {
            self.oldest_chain = self.entries.pop_front().map(|dropped| dropped.head.chain);
        }
    }
}

impl FeedLog {
    /// Begins anew at `head`, with the entries that lead there.
    pub(in crate::app) fn begin(&self, head: FeedHead, tail: Tail, proven_until: Duration) {
        let Tail { oldest_chain, mut entries } = tail;
        entries
            .retain(|entry| entry.head.position <= head.position && entry.head.position.epoch == head.position.epoch);
        if entries.back().is_none_or(|last| last.head != head) {
            entries.clear();
        }
        let oldest_seq = entries.front().map_or(head.position.seq, |first| first.head.position.seq.saturating_sub(1));
        let oldest_chain = if entries.is_empty() { Some(head.chain) } else { oldest_chain };
        let entries = entries.iter().map(Kept::of).collect();
        *self.held.write() = Held { oldest_seq, oldest_chain, entries, head, proven_until };
        self.reached.send_replace(head.position);
    }

    /// Takes entries that follow on. `proven_until` is given where they are all that there is.
    pub(in crate::app) fn follow(&self, entries: &[FeedEntry], proven_until: Option<Duration>) {
        let kept: Vec<_> = entries.iter().map(Kept::of).collect();
        let mut held = self.held.write();
        for entry in kept {
            held.head = entry.head;
            held.entries.push_back(entry);
        }
        while held.entries.len() > ENTRIES_MAX {
            let Some(dropped) = held.entries.pop_front() else { break };
            held.oldest_seq = dropped.head.position.seq;
            held.oldest_chain = Some(dropped.head.chain);
        }
        held.proven_until = proven_until.map_or(held.proven_until, |proven| proven.max(held.proven_until));
        let position = held.head.position;
        drop(held);
        self.reached.send_if_modified(|reached| std::mem::replace(reached, position) != position);
    }

    /// Where the log stands, and until when that is everything.
    pub(in crate::app) fn head(&self) -> (FeedHead, Duration) {
        let held = self.held.read();
        (held.head, held.proven_until)
    }

    /// What is wrong with a place, if something is.
    pub(in crate::app) fn judge(&self, place: FeedPosition, chain: Option<Chain>) -> Result<(), Anomaly> {
        self.held.read().judge(place, chain)
    }

    /// What comes after a place.
    pub(in crate::app) fn page(&self, place: Option<(FeedPosition, Option<Chain>)>) -> LogPage {
        let log = self.held.read();
        let (head, proven_until) = (log.head, log.proven_until);
        let Some((place, chain)) = place else { return LogPage { head, proven_until, entries: Ok(Bytes::new()) } };
        if let Err(anomaly) = log.judge(place, chain) {
            return LogPage { head, proven_until, entries: Err(anomaly) };
        }
        let skipped = usize::try_from(place.seq.saturating_sub(log.oldest_seq)).unwrap_or(usize::MAX);
        let page = || log.entries.iter().skip(skipped).take(PAGE_ENTRIES_MAX);
        let (first, last) = (page().next(), page().next_back());
        let entries = match first.zip(last) {
            None => Bytes::new(),
            Some((first, last)) => self.rendered(first.head.position, last.head.position, page),
        };
        LogPage { head, proven_until, entries: Ok(entries) }
    }

    /// The page in JSON. Verifiers that were behind together ask for the same pages: a large one is made once, and all of
    /// them are sent the same memory.
    fn rendered<'k, I: Iterator<Item = &'k Kept>>(
        &self,
        first: FeedPosition,
        last: FeedPosition,
        page: impl Fn() -> I,
    ) -> Bytes {
        let is_shared =
            usize::try_from(last.seq.saturating_sub(first.seq)).is_ok_and(|more| more >= SHARED_ENTRIES_MIN);
        if !is_shared {
            return joined(page());
        }
        let mut shared = self.shared.lock();
        if let Some(found) = shared.iter().find(|page| page.first == first && page.last == last) {
            return found.json.clone();
        }
        let json = joined(page());
        if shared.len() >= SHARED_PAGES_MAX {
            shared.pop_front();
        }
        shared.push_back(SharedPage { first, last, json: json.clone() });
        json
    }

    /// Waits until the log stands elsewhere than at `place`.
    pub(in crate::app) async fn moved_from(&self, place: FeedPosition) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.reached.subscribe().wait_for(|reached| *reached != place).await;
    }
}

impl Held {
    fn judge(&self, place: FeedPosition, chain: Option<Chain>) -> Result<(), Anomaly> {
        judge_place(self.head, self.oldest_seq, self.chain_at(place.seq), place, chain)
    }

    fn chain_at(&self, seq: i64) -> Option<Chain> {
        if seq == self.oldest_seq {
            return self.oldest_chain;
        }
        let index = usize::try_from(seq.checked_sub(self.oldest_seq)?.checked_sub(1)?).ok()?;
        self.entries.get(index).map(|entry| entry.head.chain)
    }
}

impl Kept {
    fn of(entry: &FeedEntry) -> Self {
        let json = serde_json::to_string(&entry_body(entry)).unwrap_or_default();
        Self { head: entry.head, json: json.into() }
    }
}

fn joined<'k>(entries: impl Iterator<Item = &'k Kept>) -> Bytes {
    let mut text = String::new();
    for entry in entries {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&entry.json);
    }
    text.into()
}

/// A place as it travels.
pub(super) fn head_body(head: FeedHead) -> FeedHeadBody {
    FeedHeadBody { epoch: head.position.epoch.0, seq: head.position.seq, chain: format!("{:?}", head.chain) }
}

fn entry_body(entry: &FeedEntry) -> FeedEntryBody {
    let (kind, key, arg) = entry.draft.revocation.to_columns();
    let head = head_body(entry.head);
    FeedEntryBody {
        epoch: head.epoch,
        seq: head.seq,
        id: entry.draft.id.to_string(),
        at_ms: entry.draft.at.as_millis(),
        kind: kind.into(),
        key,
        arg,
        drop_at: entry.draft.drop_at.as_millis(),
        chain: head.chain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_domain::{
        id::{FeedEntryId, SessionId},
        revocation::{Epoch, Revocation, RevocationDraft},
        time::UnixMillis,
    };

    const SECOND: Duration = Duration::from_secs(1);

    fn begin(epoch: i64, seq: i64) -> FeedHead {
        FeedHead { position: FeedPosition { epoch: Epoch(epoch), seq }, chain: Chain([9; 16]) }
    }

    fn entries_after(mut head: FeedHead, count: usize) -> Vec<FeedEntry> {
        let at = UnixMillis::from_millis(1);
        let mut next = |_| {
            let revocation = Revocation::Session(SessionId::from_bytes([1; 16]));
            let draft = RevocationDraft { id: FeedEntryId::from_bytes([2; 16]), at, drop_at: at, revocation };
            let entry = FeedEntry::seal(&head, draft);
            head = entry.head;
            entry
        };
        (0..count).map(&mut next).collect()
    }

    fn log_with(count: usize) -> (FeedLog, Vec<FeedEntry>) {
        let (log, entries) = (FeedLog::default(), entries_after(begin(5, 0), count));
        log.begin(begin(5, 0), Tail::default(), SECOND);
        entries.chunks(700).for_each(|chunk| log.follow(chunk, Some(2 * SECOND)));
        (log, entries)
    }

    fn seqs(page: &LogPage) -> Vec<i64> {
        let text = format!("[{}]", std::str::from_utf8(page.entries.as_ref().unwrap()).unwrap());
        let entries: Vec<FeedEntryBody> = serde_json::from_str(&text).unwrap();
        entries.into_iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn pages_follow_each_other_up_to_the_head() {
        let (log, entries) = log_with(2_300);
        let (mut place, mut read) = (begin(5, 0), 0);
        for expected in [1_000, 1_000, 300, 0] {
            // Twice: the second time the page is the one that was kept.
            for _ in 0..2 {
                let page = log.page(Some((place.position, Some(place.chain))));
                assert_eq!((page.head, page.proven_until), (entries[2_299].head, 2 * SECOND));
                assert_eq!(seqs(&page), (read + 1..=read + expected).collect::<Vec<_>>());
            }
            read += expected;
            place = entries[usize::try_from(read).unwrap() - 1].head;
        }
    }

    #[test]
    fn memory_holds_the_newest_and_says_what_it_has_no_more() {
        let count = ENTRIES_MAX + 50;
        let (log, entries) = log_with(count);
        assert_eq!(log.held.read().entries.len(), ENTRIES_MAX);
        let oldest = entries[49].head;
        let page = log.page(Some((oldest.position, Some(oldest.chain))));
        assert_eq!(seqs(&page).first(), Some(&51));
        let too_old = log.page(Some((entries[48].head.position, None)));
        assert_eq!(too_old.entries.unwrap_err(), Anomaly::BehindRetention);
        assert_eq!(log.judge(oldest.position, Some(Chain([7; 16]))), Err(Anomaly::Fork), "its chain is still known");
        assert_eq!(log.judge(entries[count - 1].head.position, Some(Chain([7; 16]))), Err(Anomaly::Fork));
    }

    #[test]
    fn a_feed_that_is_read_anew_keeps_what_leads_to_its_head() {
        let entries = entries_after(begin(5, 10), 6);
        for (what, dropped, kept) in [("nothing dropped", None, 6), ("a gap", Some(2), 3), ("the newest", Some(5), 0)] {
            let mut tail = Tail::default();
            let living = entries.iter().enumerate().filter(|(index, _)| Some(*index) != dropped);
            living.for_each(|(_, entry)| tail.push(entry.clone()));
            let log = FeedLog::default();
            log.begin(entries[5].head, tail, SECOND);
            assert_eq!(log.held.read().entries.len(), kept, "{what}");
            assert_eq!(log.judge(entries[5].head.position, Some(entries[5].head.chain)), Ok(()), "{what}");
            let before = FeedPosition { epoch: Epoch(5), seq: 16 - i64::try_from(kept).unwrap() };
            assert_eq!(seqs(&log.page(Some((before, None)))).len(), kept, "{what}");
            let earlier = FeedPosition { seq: before.seq - 1, ..before };
            assert_eq!(log.judge(earlier, None), Err(Anomaly::BehindRetention), "{what}");
        }
    }

    #[test]
    fn entries_of_an_earlier_life_are_not_given() {
        let mut tail = Tail::default();
        let old = entries_after(begin(5, 0), 2);
        let begun = FeedHead { position: FeedPosition { epoch: Epoch(6), seq: 2 }, ..old[1].head };
        let new = entries_after(begun, 1);
        old.iter().chain(&new).for_each(|entry| tail.push(entry.clone()));
        let log = FeedLog::default();
        log.begin(new[0].head, tail, SECOND);
        assert_eq!(log.judge(old[1].head.position, None), Err(Anomaly::NewEpoch));
        assert_eq!(seqs(&log.page(Some((begun.position, None)))), [3]);
    }
}
