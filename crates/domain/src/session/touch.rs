//! Noticing that a session which is looked up at every request was used.

use super::{Changes, Ruling, Session, SessionView};
use crate::{
    event::Occasion,
    policy::{Lifetimes, SessionPolicy},
    time::UnixMillis,
};
use std::time::Duration;

/// How often at most a use is written down: a write for every request would make reading as dear as writing.
///
/// The idle limit counts from what was written down, so it may come earlier by this much than the last use would have it,
/// and never later.
pub const SEEN_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Whether a use now is to be written down, by [`touch`].
pub fn is_to_be_touched(session: &Session, now: UnixMillis) -> bool {
    // "Never used" is worth knowing of a personal token: its first use is always written down.
    let is_first_use = session.is_personal_token() && session.last_seen_at == session.created_at;
    session.policy.is_looked_up() && (is_first_use || now.since(session.last_seen_at) >= SEEN_AGAIN_AFTER)
}

/// Writes down that a session was used. Under the policy `session` that pushes the idle limit on, up to the absolute limit.
///
/// A session that is over by now, or whose use somebody else has just written down, is left as it is.
pub fn touch(view: Option<&SessionView>, lifetimes: &Lifetimes, occasion: &Occasion<'_>) -> Ruling<()> {
    let now = occasion.now;
    let is_wanted = |view: &&SessionView| {
        view.session.dead_reason(&view.account, now).is_none() && is_to_be_touched(&view.session, now)
    };
    let Some(SessionView { session, .. }) = view.filter(is_wanted) else { return Ruling::unchanged(()) };
    let mut session = Session { last_seen_at: now, ..session.clone() };
    if session.policy == SessionPolicy::Session {
        let idle_until = now.plus(lifetimes.session.idle_lifetime).min(session.absolute_until);
        session.idle_until = session.idle_until.max(idle_until);
    }
    Ruling { changes: Changes { sessions: vec![session], ..Changes::default() }, outcome: () }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, START, Zero};

    fn occasion(seconds: u64) -> Occasion<'static> {
        testing::occasion(START.plus(Duration::from_secs(seconds)), &Zero)
    }

    fn opened(policy: SessionPolicy) -> SessionView {
        testing::view(policy, &Lifetimes::default())
    }

    /// The session after a use so many seconds after it was opened, if that was written down.
    fn touched(view: &SessionView, seconds: u64) -> Option<Session> {
        touch(Some(view), &Lifetimes::default(), &occasion(seconds)).changes.sessions.pop()
    }

    #[test]
    fn use_is_written_down_once_a_minute() {
        for policy in [SessionPolicy::Session, SessionPolicy::Tracked] {
            let mut view = opened(policy);
            let mut writes = 0;
            // Ten requests a second, for ten minutes.
            for tenths in 0..6_000 {
                let occasion = Occasion { now: START.plus(Duration::from_millis(tenths * 100)), ..occasion(0) };
                if let Some(session) = touch(Some(&view), &Lifetimes::default(), &occasion).changes.sessions.pop() {
                    view.session = session;
                    writes += 1;
                }
            }
            assert_eq!(writes, 9, "{policy}");
        }
        assert_eq!(touched(&opened(SessionPolicy::Refresh), 600), None);
        assert_eq!(touched(&opened(SessionPolicy::Sliding), 600), None);
    }

    #[test]
    fn use_pushes_the_idle_limit_of_a_cookie_session_and_of_nothing_else() {
        let view = opened(SessionPolicy::Session);
        let session = touched(&view, 1_700).unwrap();
        assert_eq!(session.idle_until, START.plus(Duration::from_secs(1_700 + 1_800)));
        assert_eq!(session.absolute_until, view.session.absolute_until);
        let view = opened(SessionPolicy::Tracked);
        assert_eq!(touched(&view, 1_700).unwrap().idle_until, view.session.idle_until);
    }

    #[test]
    fn no_use_outlives_the_absolute_limit() {
        let mut view = opened(SessionPolicy::Session);
        let mut seconds = 0;
        while let Some(session) = touched(&view, seconds + 1_000) {
            seconds += 1_000;
            assert!(session.idle_until <= session.absolute_until);
            view.session = session;
        }
        assert_eq!(seconds, 43_000, "the last use before twelve hours are over");
        assert!(view.session.dead_reason(&view.account, occasion(12 * 3600).now).is_some());
    }

    #[test]
    fn the_first_use_of_a_personal_token_is_always_written_down() {
        let mut view = opened(SessionPolicy::Personal);
        view.session = touched(&view, 5).expect("written");
        assert_eq!(touched(&view, 64), None);
        assert!(touched(&view, 65).is_some());
    }

    #[test]
    fn a_clock_that_went_back_writes_nothing() {
        let mut view = opened(SessionPolicy::Session);
        view.session = touched(&view, 600).unwrap();
        assert_eq!(touched(&view, 100), None);
    }
}
