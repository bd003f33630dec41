//! Running rules inside a transaction and writing what they decide.

use crate::{accounts, events, fault::Fault, feed, sessions, work::Work};
use counterfoil_domain::{
    id::{AccountId, SessionId},
    session::{Changes, Session},
    store::{AccountRule, Committed, SessionRule},
    time::Clock,
};
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

/// Writes the changes of one rule, all or none of them.
///
/// A failing statement undoes itself, so changes of one statement (every usual refresh) need no savepoint; others get
/// one, since the rest of the batch is to be committed without them.
fn apply(work: &mut Work, shown: &[Session], changes: Changes) -> Result<Committed, Fault> {
    let head = work.feed_head()?;
    let lone_session = changes.new_sessions.is_empty()
        && changes.account.is_none()
        && changes.revocations.is_empty()
        && changes.events.is_empty();
    match changes.sessions.as_slice() {
        [] if lone_session => Ok(Committed { entries: Vec::new(), feed: head }),
        [session] if lone_session => {
            sessions::update(&work.connection, find(shown, session.id), session)?;
            Ok(Committed { entries: Vec::new(), feed: head })
        }
        _ => {
            let savepoint = work.connection.savepoint()?;
            for session in &changes.new_sessions {
                sessions::insert(&savepoint, session)?;
            }
            for session in &changes.sessions {
                sessions::update(&savepoint, find(shown, session.id), session)?;
            }
            if let Some(account) = &changes.account {
                accounts::update(&savepoint, account)?;
            }
            events::insert_all(&savepoint, &changes.events)?;
            let entries = feed::append(&savepoint, head, changes.revocations)?;
            savepoint.commit()?;
            let feed = entries.last().map_or(head, |entry| entry.head);
            work.moved_feed_head(feed);
            Ok(Committed { entries, feed })
        }
    }
}

fn find(shown: &[Session], id: SessionId) -> Option<&Session> {
    shown.iter().find(|session| session.id == id)
}
