//! The revocation feed: entries in their places, and the one row that says where it stands.
//!
//! The head is read from its row in every transaction and never remembered between two: another process (an operator's
//! command) may have written in the meantime.

use crate::{
    fault::Fault,
    rows::{self, Columns, sql_limit},
};
use counterfoil_domain::{
    id::FeedEntryId,
    revocation::{Chain, Epoch, FeedEntry, FeedHead, FeedPosition, Revocation, RevocationDraft},
    store::FeedPage,
    time::UnixMillis,
};
use rusqlite::{Connection, params};

/// Gives a new file its place to begin.
///
/// The epoch names the life of a store. It is the instant at which the file was made, so that a verifier that followed
/// a lost file sees at once that this is another one, instead of taking small numbers for old news.
pub(crate) fn begin(connection: &Connection, now: UnixMillis) -> Result<(), Fault> {
    rows::write(
        connection,
        "INSERT INTO feed_head (only_row, epoch, seq, chain) VALUES (1, ?, 0, ?) ON CONFLICT DO NOTHING",
        params![now.as_millis(), Chain::default().0],
    )?;
    Ok(())
}

pub(crate) fn head(connection: &Connection) -> Result<FeedHead, Fault> {
    let head = rows::first(connection, "SELECT epoch, seq, chain FROM feed_head", [], read_head)?;
    head.ok_or_else(|| Fault::Unreadable { column: "feed_head".into(), reason: "has no row".into() })
}

fn read_head(columns: &mut Columns<'_>) -> Result<FeedHead, Fault> {
    let position = FeedPosition { epoch: Epoch(columns.integer()?), seq: columns.integer()? };
    Ok(FeedHead { position, chain: Chain(columns.sixteen()?) })
}

/// Gives the drafts their places after the head, and moves it.
pub(crate) fn append(
    connection: &Connection,
    mut head: FeedHead,
    drafts: Vec<RevocationDraft>,
) -> Result<Vec<FeedEntry>, Fault> {
    let mut entries = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let entry = FeedEntry::seal(&head, draft);
        insert(connection, &entry)?;
        head = entry.head;
        entries.push(entry);
    }
    if !entries.is_empty() {
        move_head(connection, &head)?;
    }
    Ok(entries)
}

pub(crate) fn move_head(connection: &Connection, head: &FeedHead) -> Result<(), Fault> {
    let place = params![head.position.epoch.0, head.position.seq, head.chain.0];
    rows::write(connection, "UPDATE feed_head SET epoch = ?, seq = ?, chain = ?", place).map(drop)
}

fn insert(connection: &Connection, entry: &FeedEntry) -> Result<(), Fault> {
    let FeedEntry { head, draft } = entry;
    let (kind, key, argument) = draft.revocation.to_columns();
    rows::write(
        connection,
        "INSERT INTO feed (epoch, seq, chain, id, at, drop_at, kind, key, argument) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            head.position.epoch.0,
            head.position.seq,
            head.chain.0,
            draft.id.as_bytes(),
            draft.at.as_millis(),
            draft.drop_at.as_millis(),
            kind,
            key,
            argument,
        ],
    )?;
    Ok(())
}

/// Entries after `seq`, and the head. Call it inside a transaction, so that the two belong together.
pub(crate) fn after(connection: &Connection, seq: i64, limit: usize) -> Result<FeedPage, Fault> {
    let entries = rows::all(
        connection,
        "SELECT epoch, seq, chain, id, at, drop_at, kind, key, argument FROM feed WHERE seq > ? ORDER BY seq LIMIT ?",
        params![seq, sql_limit(limit)],
        read,
    )?;
    Ok(FeedPage { entries, head: head(connection)? })
}

fn read(columns: &mut Columns<'_>) -> Result<FeedEntry, Fault> {
    let head = read_head(columns)?;
    let id = FeedEntryId::from_bytes(columns.sixteen()?);
    let (at, drop_at) = (columns.instant()?, columns.instant()?);
    let (kind, key, argument) = (columns.text()?, columns.text()?, columns.integer()?);
    let revocation = Revocation::from_columns(kind, key, argument).map_err(|unknown| columns.unreadable(unknown))?;
    Ok(FeedEntry { head, draft: RevocationDraft { id, at, drop_at, revocation } })
}
