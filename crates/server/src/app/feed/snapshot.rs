//! Every living entry at once, for a verifier that begins or has lost its place.

use super::{log::head_body, poll::millis};
use crate::app::{App, AppError};
use bytes::Bytes;
use counterfoil_domain::{
    revocation::FeedEntry,
    store::{FeedPage, StoreError},
};
use counterfoil_wire::{SnapshotBegin, SnapshotEnd, SnapshotEntry};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};

/// A reader that takes longer loses its place.
pub const SNAPSHOT_TIME_MAX: Duration = Duration::from_mins(1);
/// The most entries that are in memory of each.
const PAGE_ENTRIES_MAX: usize = 1_000;

/// A snapshot that is being written, page by page: no more of it is in memory than one page.
pub struct SnapshotPlace {
    app: App,
    /// After which place the next page begins; `None` when everything is written.
    after: Option<i64>,
    /// The first page, which was read before anything was answered.
    first: Option<FeedPage>,
    written: u64,
    begun_at: Duration,
    /// Dropped with this: its place is given to the next.
    _written: oneshot::Sender<()>,
}

/// Why a snapshot ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotBroken {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reader.
    #[error("the reader took longer than {} seconds", SNAPSHOT_TIME_MAX.as_secs())]
    TooSlow,
}

impl App {
    /// Begins a snapshot.
    ///
    /// # Errors
    /// As many are being written as may; the store is not available.
    pub async fn begin_snapshot(&self) -> Result<SnapshotPlace, AppError> {
        let figures = &self.0.feed.figures;
        let place = Arc::clone(&self.0.feed.snapshots).try_acquire_owned().map_err(|_| {
            figures.snapshots_refused.add();
            AppError::TooManySnapshots
        })?;
        let begun_at = self.0.parts.clock.monotonic();
        let first = Some(self.store().feed_after(0, PAGE_ENTRIES_MAX).await?);
        figures.snapshots.add();
        let (written, ended) = oneshot::channel();
        tokio::spawn(hold_place(place, ended));
        Ok(SnapshotPlace { app: self.clone(), after: Some(0), first, written: 0, begun_at, _written: written })
    }
}

/// Gives the place back when the snapshot is written, or its time is over: a reader that takes a byte now and then asks for
/// no page, and would never be told.
async fn hold_place(place: OwnedSemaphorePermit, written: oneshot::Receiver<()>) {
    // Over or ended: either way.
    let _ = timeout(SNAPSHOT_TIME_MAX, written).await;
    drop(place);
}

impl SnapshotPlace {
    /// The next lines; `None` when the last are written.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, SnapshotBroken> {
        let Some(after) = self.after else { return Ok(None) };
        let mut lines = Vec::new();
        let page = match self.first.take() {
            Some(first) => {
                // The store itself was asked after the question had come.
                let begin =
                    SnapshotBegin { head: head_body(first.head), now_ms: self.app.now().as_millis(), age_ms: 0 };
                push_line(&mut lines, &begin);
                first
            }
            None => self.app.store().feed_after(after, PAGE_ENTRIES_MAX).await?,
        };
        let taken = self.app.0.parts.clock.monotonic().saturating_sub(self.begun_at);
        if taken > SNAPSHOT_TIME_MAX {
            tracing::warn!(
                milliseconds = millis(taken),
                entries = self.written,
                "a snapshot was cut off: its reader is too slow"
            );
            return Err(SnapshotBroken::TooSlow);
        }
        page.entries.iter().for_each(|entry| push_entry(&mut lines, entry));
        self.written += u64::try_from(page.entries.len()).unwrap_or(u64::MAX);
        self.after =
            page.entries.last().filter(|_| page.entries.len() >= PAGE_ENTRIES_MAX).map(|last| last.head.position.seq);
        if self.after.is_none() {
            push_line(&mut lines, &SnapshotEnd { entries: self.written });
        }
        Ok(Some(lines.into()))
    }
}

fn push_entry(lines: &mut Vec<u8>, entry: &FeedEntry) {
    let (kind, key, arg) = entry.draft.revocation.to_columns();
    let line = SnapshotEntry {
        id: entry.draft.id.to_string().into(),
        at_ms: entry.draft.at.as_millis(),
        kind: kind.into(),
        key: key.into(),
        arg,
        drop_at: entry.draft.drop_at.as_millis(),
    };
    push_line(lines, &line);
}

fn push_line(lines: &mut Vec<u8>, value: &impl Serialize) {
    // Writing plain values to memory cannot fail; a line that were missing would be noticed by the count.
    if serde_json::to_writer(&mut *lines, value).is_ok() {
        lines.push(b'\n');
    }
}
