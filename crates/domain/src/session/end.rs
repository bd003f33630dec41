//! Ending sessions: one, all, or all but one. Whoever asks (the person, a client, an operator), these rules decide.

use super::{AccountView, Changes, Ruling, Session, SessionView};
use crate::{
    event::{EventKind, Occasion},
    id::{AccountId, SessionId},
    revocation::{Revocation, RevocationDraft},
    time::UnixMillis,
};
use std::time::Duration;

/// Who asks for one session to be ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndOne {
    /// A signed-in person: only their own sign-ins exist for them.
    Owner(AccountId),
    /// A signed-in person about a personal token: only their own exist for them.
    OwnerOfPersonalToken(AccountId),
    /// An OAuth client that presented one of the session's own tokens (RFC 7009 §2.1), of whichever kind.
    ///
    /// An access token ends its session as well, which §2.1 allows. A client that gives one back means to be done; and
    /// a feed entry for each single token would let one session fill the ledger of every verifier, since it may mint as
    /// many as it likes. Whoever holds the token could end the session anyway.
    Client(Option<String>),
    /// An operator.
    Operator,
}

/// What came of ending one session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EndedOne {
    /// It is ended now.
    Ended,
    /// It was over already.
    WasOver,
    /// There is no such session for whoever asked.
    NotFound,
}

/// Ends one session: the row, the feed entry and the audit line in one.
pub fn end_one(
    view: Option<&SessionView>,
    asked_by: &EndOne,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<EndedOne> {
    let may_see = |session: &Session| match asked_by {
        EndOne::Owner(account) => session.account == *account && !session.is_personal_token(),
        EndOne::OwnerOfPersonalToken(account) => session.account == *account && session.is_personal_token(),
        EndOne::Client(client_id) => client_id.as_ref().is_none_or(|client_id| *client_id == session.client_id),
        EndOne::Operator => true,
    };
    let Some(SessionView { session, account }) = view.filter(|view| may_see(&view.session)) else {
        return Ruling::unchanged(EndedOne::NotFound);
    };
    // A session past its limits may still have a living access token, so only an ended one needs nothing.
    if session.is_ended(account) {
        return Ruling::unchanged(EndedOne::WasOver);
    }
    let mut changes = Changes::default();
    revoke(session, longest_token_lifetime, occasion, &mut changes);
    let kind = if session.is_personal_token() { EventKind::PersonalTokenDeleted } else { EventKind::SignedOut };
    changes.events.push(occasion.event(kind, session.account, Some(session.id)));
    Ruling { changes, outcome: EndedOne::Ended }
}

/// Ends every sign-in of an account, or every one but `keep`. The outcome is how many were ended. Personal tokens are
/// none: [`end_personal_tokens`](super::end_personal_tokens) ends those.
///
/// Everything at once is one feed entry: the account's generation is raised, and every token of an earlier one is
/// refused. With `keep` each other session has its own entry, because the kept one's access token, minted in this
/// generation, must stay good.
pub fn end_every(
    view: &AccountView,
    keep: Option<SessionId>,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
) -> Ruling<usize> {
    let mut changes = Changes::default();
    let ended = end_all(view, keep, longest_token_lifetime, occasion, &mut changes);
    let kind = if keep.is_some() { EventKind::SignedOutElsewhere } else { EventKind::SignedOutEverywhere };
    // Asking again and again where nothing is left must not fill the log.
    if ended > 0 || keep.is_none() {
        changes.events.push(occasion.event(kind, view.account.id, keep));
    }
    Ruling { changes, outcome: ended }
}

/// Ends every sign-in, or every one but `keep`, in `changes`, without a line in the audit log. How many were ended.
pub(crate) fn end_all(
    view: &AccountView,
    keep: Option<SessionId>,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
    changes: &mut Changes,
) -> usize {
    let before = changes.sessions.len();
    let others = view.sign_ins().filter(|session| Some(session.id) != keep);
    if keep.is_some() {
        others.for_each(|session| revoke(session, longest_token_lifetime, occasion, changes));
    } else {
        let ended = |session: &Session| Session { revoked_at: Some(occasion.now), ..session.clone() };
        changes.sessions.extend(others.map(ended));
        let mut account = changes.account.take().unwrap_or_else(|| view.account.clone());
        account.generation = view.account.generation.next();
        let revocation = Revocation::Subject { account: account.id, minimum_generation: account.generation };
        let draft = RevocationDraft::new(revocation, occasion.now, longest_token_lifetime, occasion.entropy);
        changes.revocations.push(draft);
        changes.account = Some(account);
    }
    changes.sessions.len() - before
}

/// Ends a session in `changes`: the row and its feed entry.
pub(super) fn revoke(
    session: &Session,
    longest_token_lifetime: Duration,
    occasion: &Occasion<'_>,
    changes: &mut Changes,
) {
    let revocation = if session.is_personal_token() {
        Revocation::Token(session.personal_token_id())
    } else {
        Revocation::Session(session.id)
    };
    changes.revocations.push(RevocationDraft::new(revocation, occasion.now, longest_token_lifetime, occasion.entropy));
    let mut ended = Session { revoked_at: Some(occasion.now), ..session.clone() };
    if ended.absolute_until == UnixMillis::NEVER {
        // A row is forgotten some time after this.
        ended.absolute_until = occasion.now;
    }
    changes.sessions.push(ended);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::AccountGeneration,
        policy::{Lifetimes, SessionPolicy},
        testing::{self, Counting, START},
    };

    const LIFETIME: Duration = Duration::from_mins(30);

    fn with_sessions(count: usize, test: impl Fn(&AccountView, &Occasion<'_>)) {
        let entropy = Counting::default();
        let account = testing::account(&entropy);
        let open_one = || testing::opened(SessionPolicy::Refresh, &account, &Lifetimes::default(), &entropy);
        let sessions = std::iter::repeat_with(open_one).take(count).collect();
        test(&AccountView { account: account.clone(), sessions }, &testing::occasion(START, &entropy));
    }

    #[test]
    fn everywhere_is_one_entry_whatever_the_number() {
        with_sessions(30, |view, occasion| {
            let ruling = end_every(view, None, LIFETIME, occasion);
            assert_eq!(ruling.outcome, 30);
            assert_eq!(ruling.changes.revocations.len(), 1);
            let raised = ruling.changes.account.unwrap();
            assert_eq!(raised.generation, AccountGeneration::from_raw(1));
            for session in &ruling.changes.sessions {
                assert!(session.dead_reason(&raised, occasion.now).is_some());
            }
        });
    }

    #[test]
    fn all_but_one_leaves_the_one_untouched() {
        with_sessions(3, |view, occasion| {
            let keep = view.sessions[1].id;
            let ruling = end_every(view, Some(keep), LIFETIME, occasion);
            assert_eq!(ruling.outcome, 2);
            assert!(ruling.changes.account.is_none(), "the generation stays, or the kept access token would die");
            assert!(ruling.changes.sessions.iter().all(|session| session.id != keep));
            assert!(ruling.changes.revocations.iter().all(|draft| draft.revocation != Revocation::Session(keep)));
        });
    }

    #[test]
    fn personal_tokens_stay_when_everything_else_is_ended() {
        with_sessions(3, |view, occasion| {
            let mut view = view.clone();
            view.sessions[1].policy = SessionPolicy::Personal;
            let personal = view.sessions[1].clone();
            for keep in [None, Some(view.sessions[0].id)] {
                let ruling = end_every(&view, keep, LIFETIME, occasion);
                assert_eq!(ruling.outcome, if keep.is_some() { 1 } else { 2 });
                assert!(ruling.changes.sessions.iter().all(|session| session.id != personal.id));
                let account = ruling.changes.account.unwrap_or(view.account.clone());
                assert_eq!(personal.dead_reason(&account, occasion.now), None);
            }
            let one = SessionView { session: personal, account: view.account.clone() };
            let ask = |by: EndOne| end_one(Some(&one), &by, LIFETIME, occasion).outcome;
            assert_eq!(ask(EndOne::Owner(view.account.id)), EndedOne::NotFound);
            assert_eq!(ask(EndOne::OwnerOfPersonalToken(AccountId::from_bytes([9; 16]))), EndedOne::NotFound);
            assert_eq!(ask(EndOne::OwnerOfPersonalToken(view.account.id)), EndedOne::Ended);
        });
    }

    #[test]
    fn one_session_is_ended_once_and_only_by_who_may() {
        with_sessions(1, |view, occasion| {
            let mut one = SessionView { session: view.sessions[0].clone(), account: view.account.clone() };
            let ask = |one: &SessionView, by: EndOne| end_one(Some(one), &by, LIFETIME, occasion).outcome;
            let stranger = AccountId::from_bytes([9; 16]);
            assert_eq!(ask(&one, EndOne::Owner(stranger)), EndedOne::NotFound);
            assert_eq!(ask(&one, EndOne::Client(Some("other".into()))), EndedOne::NotFound);
            for by in [
                EndOne::Owner(view.account.id),
                EndOne::Client(Some("app".into())),
                EndOne::Client(None),
                EndOne::Operator,
            ] {
                assert_eq!(ask(&one, by), EndedOne::Ended);
            }
            let changes = end_one(Some(&one), &EndOne::Operator, LIFETIME, occasion).changes;
            assert_eq!((changes.sessions.len(), changes.revocations.len(), changes.events.len()), (1, 1, 1));
            one.session.revoked_at = Some(occasion.now);
            assert_eq!(ask(&one, EndOne::Operator), EndedOne::WasOver);
            assert_eq!(end_one(None, &EndOne::Operator, LIFETIME, occasion).outcome, EndedOne::NotFound);
        });
    }
}
