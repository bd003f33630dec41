//! Running rules inside a transaction and writing what they decide.

use crate::{accounts, cutoff, events, fault::Fault, feed, keys, sessions, work::Work};
use counterfoil_domain::{
    event::Event,
    id::{AccountId, SessionId},
    key::{KeyChanges, KeysView},
    revocation::{Epoch, RevocationDraft},
    session::{Changes, Session},
    store::{AccountRule, Committed, KeyRule, SessionRule},
    time::{Clock, UnixMillis},
};
use rusqlite::Connection;
use std::slice;

pub(crate) fn update_session(
    work: &mut Work,
    clock: &dyn Clock,
    id: SessionId,
    rule: &mut SessionRule,
) -> Result<Committed, Fault> {
    let view = sessions::view(&work.connection, id)?;
    let changes = rule(view.as_ref(), clock.now());
    apply(work, view.as_ref().map_or(&[], |view| slice::from_ref(&view.session)), changes)
}

pub(crate) fn update_account(
    work: &mut Work,
    clock: &dyn Clock,
    id: AccountId,
    rule: &mut AccountRule,
) -> Result<Committed, Fault> {
    let view = sessions::account_view(&work.connection, id)?;
    let changes = rule(view.as_ref(), clock.now());
    apply(work, view.as_ref().map_or(&[], |view| &view.sessions), changes)
}

pub(crate) fn update_keys(work: &mut Work, clock: &dyn Clock, rule: &mut KeyRule) -> Result<Committed, Fault> {
    let feed = work.feed_head()?;
    let stored = keys::all(&work.connection)?;
    let changes = rule(&KeysView { keys: &stored, feed }, clock.now());
    if changes.is_empty() {
        return Ok(Committed { entries: Vec::new(), feed });
    }
    let KeyChanges { keys: written, revocations, events } = changes;
    in_one_step(work, &events, revocations, |step| written.iter().try_for_each(|key| keys::put(step, key)))
}

/// Ends all sessions from up to `cutoff`: one row, whatever their number.
pub(crate) fn raise_session_cutoff(
    work: &mut Work,
    cutoff: UnixMillis,
    drafts: Vec<RevocationDraft>,
    event: &Event,
) -> Result<Committed, Fault> {
    in_one_step(work, slice::from_ref(event), drafts, |step| cutoff::raise(step, cutoff))
}

/// Begins a new life of the feed, unless another caller has.
pub(crate) fn begin_epoch(
    work: &mut Work,
    clock: &dyn Clock,
    from: Epoch,
    drafts: Vec<RevocationDraft>,
    event: &Event,
) -> Result<Committed, Fault> {
    let mut head = work.feed_head()?;
    if head.position.epoch != from {
        return Ok(Committed { entries: Vec::new(), feed: head });
    }
    head.position.epoch = from.next(clock.now());
    let savepoint = work.connection.savepoint()?;
    feed::move_head(&savepoint, &head)?;
    events::insert(&savepoint, event)?;
    let entries = feed::append(&savepoint, head, drafts)?;
    savepoint.commit()?;
    let feed = entries.last().map_or(head, |entry| entry.head);
    work.moved_feed_head(feed);
    Ok(Committed { entries, feed })
}

/// Writes the changes of one rule, all or none of them.
///
/// A failing statement undoes itself, so changes of one statement (every usual refresh) need no savepoint; others get
/// one, since the rest of the batch is to be committed without them.
fn apply(work: &mut Work, shown: &[Session], changes: Changes) -> Result<Committed, Fault> {
    if changes.is_empty() {
        return Ok(Committed { entries: Vec::new(), feed: work.feed_head()? });
    }
    if let Some(session) = lone_session(&changes) {
        sessions::update(&work.connection, find(shown, session.id), session)?;
        return Ok(Committed { entries: Vec::new(), feed: work.feed_head()? });
    }
    let Changes { new_sessions, sessions, account, password_hash, deleted_account, revocations, events } = changes;
    in_one_step(work, &events, revocations, |step| {
        for session in &new_sessions {
            sessions::insert(step, session)?;
        }
        for session in &sessions {
            sessions::update(step, find(shown, session.id), session)?;
        }
        match &account {
            Some(account) => accounts::update(step, account, password_hash.as_ref())?,
            None if password_hash.is_some() => return Err(Fault::Refused("a rule gave a password to no account")),
            None => {}
        }
        deleted_account.map_or(Ok(()), |id| accounts::delete(step, id))
    })
}

/// The session, if one that is written over is all that changes.
fn lone_session(changes: &Changes) -> Option<&Session> {
    // Spelled out, so that a new kind of change has to be decided upon here.
    let Changes { new_sessions, sessions, account, password_hash, deleted_account, revocations, events } = changes;
    let nothing_else = new_sessions.is_empty()
        && account.is_none()
        && password_hash.is_none()
        && deleted_account.is_none()
        && revocations.is_empty()
        && events.is_empty();
    match sessions.as_slice() {
        [session] if nothing_else => Some(session),
        _ => None,
    }
}

/// Writes something with its audit lines and feed entries, all or none of it.
fn in_one_step(
    work: &mut Work,
    events: &[Event],
    revocations: Vec<RevocationDraft>,
    write: impl FnOnce(&Connection) -> Result<(), Fault>,
) -> Result<Committed, Fault> {
    let head = work.feed_head()?;
    let savepoint = work.connection.savepoint()?;
    write(&savepoint)?;
    events::insert_all(&savepoint, events)?;
    let entries = feed::append(&savepoint, head, revocations)?;
    savepoint.commit()?;
    let feed = entries.last().map_or(head, |entry| entry.head);
    work.moved_feed_head(feed);
    Ok(Committed { entries, feed })
}

fn find(shown: &[Session], id: SessionId) -> Option<&Session> {
    shown.iter().find(|session| session.id == id)
}
