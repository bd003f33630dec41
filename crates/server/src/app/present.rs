//! From the inside's values to the bodies of answers.

use super::device_name;
use counterfoil_domain::{
    account::Account, id::SessionId, revocation::FeedPosition, session::Session, time::UnixMillis,
};
use counterfoil_wire::{AccountBody, FeedPlace, PersonalTokenBody, SessionBody, Timestamp};

pub(crate) fn timestamp(at: UnixMillis) -> Timestamp {
    Timestamp::from_unix_millis(at.as_millis())
}

pub(crate) fn account_body(account: &Account) -> AccountBody {
    AccountBody {
        id: account.id.to_string(),
        email: account.email.to_string(),
        name: account.name.clone(),
        email_verified: account.email_verified,
        created_at: timestamp(account.created_at),
        roles: account.roles.clone(),
    }
}

pub(crate) fn session_body(session: &Session, current: Option<SessionId>) -> SessionBody {
    SessionBody {
        id: session.id.to_string(),
        policy: session.policy.to_string(),
        device_name: device_name(&session.device),
        user_agent: session.device.user_agent.clone(),
        ip: session.device.ip.map(|ip| ip.to_string()),
        created_at: timestamp(session.created_at),
        last_seen_at: timestamp(session.last_seen_at),
        idle_until: timestamp(session.idle_until),
        absolute_until: timestamp(session.absolute_until),
        current: current == Some(session.id),
    }
}

pub(crate) fn personal_token_body(token: &Session) -> PersonalTokenBody {
    let ends_at = (token.absolute_until < UnixMillis::NEVER).then_some(token.absolute_until);
    PersonalTokenBody {
        id: token.id.to_string(),
        name: token.device.name.clone().unwrap_or_default(),
        scope: token.scope.to_string(),
        created_at: timestamp(token.created_at),
        expires_at: ends_at.map(timestamp),
        never_expires: ends_at.is_none(),
        last_used_at: (token.last_seen_at > token.created_at).then(|| timestamp(token.last_seen_at)),
    }
}

pub(crate) const fn feed_place(position: FeedPosition) -> FeedPlace {
    FeedPlace { epoch: position.epoch.0, seq: position.seq }
}
