//! Loading every living entry: a stream of lines, applied as they come.

use super::{
    entries,
    error::{Failure, FailureKind},
    http::Body,
};
use crate::Revocations;
use counterfoil_domain::revocation::{FeedHead, LEDGER_ENTRIES_MAX, Revocation, RevocationDraft};
use counterfoil_wire::{SnapshotBegin, SnapshotEnd, SnapshotEntry};
use std::time::Duration;

/// No entry is longer: most have some 200 bytes.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// More than this the ledger would not hold anyway. Twice, because a feed counts entries that a ledger holds as one.
const ENTRIES_MAX: u64 = 2 * LEDGER_ENTRIES_MAX as u64;
/// How many entries are applied at a time.
const BATCH_ENTRIES: usize = 1_024;
/// A server that has begun must go on.
const PIECE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a whole snapshot says besides its entries, which are applied by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loaded {
    pub(crate) head: FeedHead,
    pub(crate) now_ms: i64,
    pub(crate) age: Duration,
    /// The newest version of the key set that it names.
    pub(crate) keys_version: Option<i64>,
    /// The longest that any of the entries is kept.
    pub(crate) kept_for: Duration,
}

/// Reads a snapshot and applies its entries, also of one that turns out to be worth nothing: nothing is taken back by it.
///
/// # Errors
/// It was cut off, does not hold what it says, or cannot be read: its place must not be taken.
pub(crate) async fn load(body: &mut Body, revocations: &Revocations) -> Result<Loaded, Failure> {
    let mut reader = Reader::new(revocations);
    let mut unfinished = Vec::new();
    while let Some(piece) = body.piece(PIECE_TIMEOUT).await? {
        let mut rest = &*piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            if unfinished.is_empty() {
                reader.line(line)?;
            } else {
                extend(&mut unfinished, line)?;
                reader.line(&unfinished)?;
                unfinished.clear();
            }
            rest = after.get(1..).unwrap_or_default();
        }
        extend(&mut unfinished, rest)?;
    }
    // A line without its end may be half of one.
    if unfinished.is_empty() { reader.finish() } else { Err(cut_off()) }
}

fn extend(line: &mut Vec<u8>, more: &[u8]) -> Result<(), Failure> {
    if line.len() + more.len() > LINE_BYTES_MAX {
        let detail = format!("a line of the snapshot has more than {LINE_BYTES_MAX} bytes");
        return Err(Failure::Passing(FailureKind::TooLarge, detail));
    }
    line.extend_from_slice(more);
    Ok(())
}

fn cut_off() -> Failure {
    Failure::Passing(FailureKind::CutOff, "the snapshot ended before its last line".to_owned())
}

struct Reader<'r> {
    revocations: &'r Revocations,
    begin: Option<SnapshotBegin>,
    batch: Vec<RevocationDraft>,
    entries: u64,
    keys_version: Option<i64>,
    kept_for: Duration,
    end: Option<SnapshotEnd>,
}

impl<'r> Reader<'r> {
    fn new(revocations: &'r Revocations) -> Self {
        let batch = Vec::with_capacity(BATCH_ENTRIES);
        Self { revocations, begin: None, batch, entries: 0, keys_version: None, kept_for: Duration::ZERO, end: None }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        if self.begin.is_none() {
            self.begin = Some(serde_json::from_slice(line).map_err(Failure::unreadable)?);
            return Ok(());
        }
        if self.end.is_some() {
            return Err(Failure::unreadable("the snapshot goes on after its last line"));
        }
        match serde_json::from_slice::<SnapshotEntry<'_>>(line) {
            Ok(entry) => self.entry(entries::snapshot_entry(&entry)?),
            Err(error) => {
                // Only the last line is of another kind.
                self.end = Some(serde_json::from_slice(line).map_err(|_| Failure::unreadable(error))?);
                Ok(())
            }
        }
    }

    fn entry(&mut self, draft: RevocationDraft) -> Result<(), Failure> {
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            let detail = format!("the snapshot has more than {ENTRIES_MAX} entries");
            return Err(Failure::Passing(FailureKind::TooLarge, detail));
        }
        if let Revocation::Keys { version } = draft.revocation {
            self.keys_version = self.keys_version.max(Some(version));
        }
        self.kept_for = self.kept_for.max(draft.drop_at.since(draft.at));
        self.batch.push(draft);
        if self.batch.len() == BATCH_ENTRIES {
            self.apply();
        }
        Ok(())
    }

    fn apply(&mut self) {
        self.revocations.apply(&self.batch);
        self.batch.clear();
    }

    fn finish(mut self) -> Result<Loaded, Failure> {
        self.apply();
        let (Some(begin), Some(end)) = (self.begin.take(), self.end) else { return Err(cut_off()) };
        if end.entries != self.entries {
            let detail = format!("the snapshot has {} entries and says {}", self.entries, end.entries);
            return Err(Failure::Passing(FailureKind::Unreadable, detail));
        }
        Ok(Loaded {
            head: entries::head(&begin.head)?,
            now_ms: begin.now_ms,
            age: Duration::from_millis(begin.age_ms),
            keys_version: self.keys_version,
            kept_for: self.kept_for,
        })
    }
}

impl Drop for Reader<'_> {
    /// What was read before it broke off is applied as well.
    fn drop(&mut self) {
        self.apply();
    }
}
