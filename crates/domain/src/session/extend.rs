//! Extending a sliding session: a token with a later end, and never past the absolute limit.

use super::{Changes, DeadReason, Ruling, Session, SessionView};
use crate::{
    account::Account,
    event::Occasion,
    policy::{Lifetimes, SessionPolicy},
};

/// What came of asking for a later end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExtendOutcome {
    /// A token that ends at the session's new idle limit is to be issued.
    Extended {
        /// The session as it is now stored.
        session: Box<Session>,
        /// Whose it is.
        account: Box<Account>,
    },
    /// The session is over.
    Dead(DeadReason),
    /// Sessions of its policy are not extended.
    NotSliding,
}

/// Decides an extension of the session whose token was presented and verified.
///
/// The new token ends an idle lifetime from now, or at the absolute limit if that comes first, so however often somebody
/// asks, nothing outlives the absolute limit: the "endless session" of sliding tokens cannot happen. The tokens before it
/// stay good until their own ends (a request under way never fails) and die with the session.
pub fn extend(view: Option<&SessionView>, lifetimes: &Lifetimes, occasion: &Occasion<'_>) -> Ruling<ExtendOutcome> {
    let now = occasion.now;
    let Some(SessionView { session, account }) = view else {
        return Ruling::unchanged(ExtendOutcome::Dead(DeadReason::Unknown));
    };
    if session.policy != SessionPolicy::Sliding {
        return Ruling::unchanged(ExtendOutcome::NotSliding);
    }
    if let Some(reason) = session.dead_reason(account, now) {
        return Ruling::unchanged(ExtendOutcome::Dead(reason));
    }
    let idle_until = now.plus(lifetimes.sliding.idle_lifetime).min(session.absolute_until);
    let session = Session {
        // Where the clock went back, or the lifetime was shortened, tokens with a later end are about already.
        idle_until: session.idle_until.max(idle_until),
        last_seen_at: session.last_seen_at.max(now),
        ..session.clone()
    };
    let changes = Changes { sessions: vec![session.clone()], ..Changes::default() };
    let (session, account) = (Box::new(session), Box::new(account.clone()));
    Ruling { changes, outcome: ExtendOutcome::Extended { session, account } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        policy::Limits,
        testing::{self, START, Zero, view as opened},
        time::UnixMillis,
    };
    use proptest::prelude::*;
    use std::time::Duration;

    fn occasion(now: UnixMillis) -> Occasion<'static> {
        testing::occasion(now, &Zero)
    }

    #[test]
    fn each_extension_is_a_lifetime_from_now() {
        let lifetimes = Lifetimes::default();
        let view = opened(SessionPolicy::Sliding, &lifetimes);
        let now = START.plus(Duration::from_mins(29));
        let ruling = extend(Some(&view), &lifetimes, &occasion(now));
        let ExtendOutcome::Extended { session, .. } = ruling.outcome else { panic!("{:?}", ruling.outcome) };
        assert_eq!(session.token_ends_at(&lifetimes, now), Some(now.plus(Duration::from_mins(30))));
        assert_eq!(session.last_seen_at, now);
        assert_eq!(ruling.changes.sessions, [*session]);
    }

    #[test]
    fn what_is_over_or_of_another_policy_is_refused_and_nothing_changes() {
        let lifetimes = Lifetimes::default();
        let refused = |view: Option<&SessionView>, minutes| {
            let ruling = extend(view, &lifetimes, &occasion(START.plus(Duration::from_mins(minutes))));
            assert!(ruling.changes.is_empty());
            ruling.outcome
        };
        let view = opened(SessionPolicy::Sliding, &lifetimes);
        assert_eq!(refused(None, 1), ExtendOutcome::Dead(DeadReason::Unknown));
        assert_eq!(refused(Some(&view), 30), ExtendOutcome::Dead(DeadReason::Expired));
        let mut ended = view.clone();
        ended.session.revoked_at = Some(START);
        assert_eq!(refused(Some(&ended), 1), ExtendOutcome::Dead(DeadReason::Revoked));
        let mut disabled = view;
        disabled.account.disabled_at = Some(START);
        assert_eq!(refused(Some(&disabled), 1), ExtendOutcome::Dead(DeadReason::AccountDisabled));
        for policy in SessionPolicy::ALL.into_iter().filter(|policy| *policy != SessionPolicy::Sliding) {
            assert_eq!(refused(Some(&opened(policy, &lifetimes)), 1), ExtendOutcome::NotSliding);
        }
    }

    proptest! {
        /// Whenever anybody asks, however often, and whatever the clock does meanwhile: no token ends after the absolute
        /// limit, none is issued after it, and the limit never moves.
        #[test]
        fn no_sequence_of_extensions_outlives_the_absolute_limit(
            idle_minutes in 1_u64..120,
            absolute_minutes in 1_u64..600,
            steps in proptest::collection::vec((-90_i64..600, any::<bool>()), 1..200),
        ) {
            let idle_lifetime = Duration::from_mins(idle_minutes);
            let absolute_lifetime = Duration::from_mins(absolute_minutes);
            let sliding = Limits { idle_lifetime, absolute_lifetime };
            let mut lifetimes = Lifetimes { sliding, ..Lifetimes::default() };
            let mut view = opened(SessionPolicy::Sliding, &lifetimes);
            let absolute_until = START.plus(absolute_lifetime);
            let mut now = START;
            let mut newest_end = view.session.token_ends_at(&lifetimes, now).unwrap();
            for (seconds, reconfigured) in steps {
                now = UnixMillis::from_millis(now.as_millis() + seconds * 1_000);
                if reconfigured {
                    // The operator may lengthen and shorten the limits while sessions live.
                    let factor = u32::try_from(seconds.unsigned_abs() % 4 + 1).unwrap();
                    lifetimes.sliding = Limits { idle_lifetime: idle_lifetime * factor, absolute_lifetime: absolute_lifetime * factor };
                }
                let ruling = extend(Some(&view), &lifetimes, &occasion(now));
                match ruling.outcome {
                    ExtendOutcome::Extended { session, .. } => {
                        let end = session.token_ends_at(&lifetimes, now).unwrap();
                        prop_assert!(now < absolute_until, "issued after the limit");
                        prop_assert!(end <= absolute_until, "a token outlives the limit");
                        prop_assert!(end >= newest_end, "an extension never shortens");
                        prop_assert_eq!(session.absolute_until, absolute_until, "the limit moved");
                        newest_end = end;
                        view.session = *session;
                    }
                    ExtendOutcome::Dead(reason) => {
                        prop_assert_eq!(reason, DeadReason::Expired);
                        prop_assert!(now >= newest_end, "refused although its token was good");
                        prop_assert!(ruling.changes.is_empty());
                    }
                    ExtendOutcome::NotSliding => prop_assert!(false),
                }
            }
        }
    }
}
