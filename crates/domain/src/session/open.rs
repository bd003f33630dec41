//! Opening a session at sign-in.

use super::{Device, Session};
use crate::{
    account::Account,
    event::{Event, EventKind, Occasion},
    id::SessionId,
    policy::{Lifetimes, SessionPolicy},
    rotation::Rotation,
    scope::ScopeSet,
};

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// How the client will carry it.
    pub policy: SessionPolicy,
    /// The OAuth client that asks.
    pub client_id: String,
    /// What is granted.
    pub scope: ScopeSet,
    /// What is known of the device.
    pub device: Device,
}

/// Opens a session for an account that has just proved who it is. A sign-in always makes a new id (ASVS 7.2.4).
///
/// Returns the session to store and the line for the audit log.
pub fn open(
    request: OpenSession,
    account: &Account,
    lifetimes: &Lifetimes,
    occasion: &Occasion<'_>,
) -> (Session, Event) {
    let now = occasion.now;
    let absolute_until = now.plus(lifetimes.absolute_lifetime);
    let session = Session {
        id: SessionId::generate(now, occasion.entropy),
        account: account.id,
        account_generation: account.generation,
        policy: request.policy,
        client_id: request.client_id,
        scope: request.scope,
        rotation: Rotation::open(now),
        device: request.device,
        authenticated_at: now,
        created_at: now,
        last_seen_at: now,
        idle_until: now.plus(lifetimes.idle_lifetime).min(absolute_until),
        absolute_until,
        revoked_at: None,
    };
    let event = occasion.event(EventKind::SignedIn, account.id, Some(session.id));
    (session, event)
}
