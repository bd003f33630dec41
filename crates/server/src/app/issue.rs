//! What a client is given when its session was opened, refreshed or extended: by policy, and by how its secrets travel.

use super::{App, AppError, present};
use counterfoil_domain::{
    account::Account, opaque::OpaqueSecret, policy::SessionPolicy, rotation::RefreshToken, scope::ScopeSet,
    session::Session, time::UnixMillis,
};
use counterfoil_guard::CookieKind;
use counterfoil_wire::TokenReply;
use std::time::Duration;

/// How secrets travel to the client and back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// In the answer's body, and then as the client likes.
    Body,
    /// In cookies that no script can read.
    Cookie {
        /// Whether the access token of the policy `refresh` goes into a cookie besides the body, for pages that are to be
        /// shown to who is signed in.
        with_access_token: bool,
    },
}

/// A cookie to be set.
pub struct IssuedCookie {
    /// Which.
    pub kind: CookieKind,
    /// Its value: a secret.
    pub value: String,
    /// How long the browser is to keep it.
    pub max_age: Duration,
}

/// An answer with what it brings.
pub struct Issued {
    /// The body.
    pub reply: TokenReply,
    /// The cookies.
    pub cookies: Vec<IssuedCookie>,
}

/// What is new about the session, besides what is stored.
#[derive(Default)]
pub(super) struct Fresh {
    /// The refresh token, under the policy `refresh`.
    pub(super) refresh_token: Option<RefreshToken>,
    /// The opaque id, under the policy `session`.
    pub(super) secret: Option<OpaqueSecret>,
}

impl App {
    /// The answer for a session, with new tokens of this scope.
    pub(super) fn issue(
        &self,
        session: &Session,
        account: &Account,
        scope: &ScopeSet,
        fresh: &Fresh,
        transport: Transport,
    ) -> Result<Issued, AppError> {
        let now = self.0.parts.clock.now();
        self.0.emails.remember(account);
        let mut reply = TokenReply {
            token_type: None,
            access_token: None,
            expires_in: None,
            refresh_token: None,
            refresh_expires_in: None,
            refresh_at: None,
            scope: scope.to_string(),
            session: present::session_body(session, Some(session.id)),
            account: present::account_body(account),
        };
        let mut cookies = Vec::new();
        if let Some(secret) = &fresh.secret {
            // Its idle limit is the server's to know: a browser cannot.
            let max_age = session.absolute_until.since(now);
            cookies.push(IssuedCookie { kind: CookieKind::Session, value: secret.expose_text(), max_age });
        }
        if let Some(refresh_token) = fresh.refresh_token {
            let max_age = session.ends_at().since(now);
            let value = refresh_token.issue(self.0.parts.keys.current().refresh());
            reply.refresh_expires_in = Some(max_age.as_secs());
            match transport {
                Transport::Body => reply.refresh_token = Some(value),
                Transport::Cookie { .. } => cookies.push(IssuedCookie { kind: CookieKind::Refresh, value, max_age }),
            }
        }
        if let Some(ends_at) = session.token_ends_at(&self.settings().lifetimes, now) {
            let access_token = self.access_token(session, account, scope, now, ends_at)?;
            self.put_access_token(access_token, session, now, ends_at, transport, &mut reply, &mut cookies);
        }
        Ok(Issued { reply, cookies })
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `issue`, which has all of it at hand")]
    fn put_access_token(
        &self,
        access_token: String,
        session: &Session,
        now: UnixMillis,
        ends_at: UnixMillis,
        transport: Transport,
        reply: &mut TokenReply,
        cookies: &mut Vec<IssuedCookie>,
    ) {
        let lifetime = ends_at.since(now);
        reply.expires_in = Some(lifetime.as_secs());
        let is_refreshed = session.policy == SessionPolicy::Refresh;
        if is_refreshed {
            reply.refresh_at = Some(present::timestamp(now.plus(self.refresh_after(lifetime))));
        }
        let (in_body, in_cookie) = match transport {
            Transport::Body => (true, false),
            Transport::Cookie { with_access_token } if is_refreshed => (true, with_access_token),
            Transport::Cookie { .. } => (false, true),
        };
        if in_cookie {
            // Kept as long as it can be renewed: a refresh sees by it that the client wants one.
            let max_age = if is_refreshed { session.ends_at().since(now) } else { lifetime };
            let value = access_token.clone();
            cookies.push(IssuedCookie { kind: CookieKind::Access, value, max_age });
        }
        if in_body {
            reply.token_type = Some("Bearer".to_owned());
            reply.access_token = Some(access_token);
        }
    }
}
