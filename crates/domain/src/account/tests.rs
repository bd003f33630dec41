//! What changes an account, and what each change ends.

use super::*;
use crate::{
    event::{EventKind, Occasion},
    opaque::SecretDigest,
    policy::{Lifetimes, SessionPolicy},
    revocation::Revocation,
    session::{AccountView, Changes, Ruling},
    testing::{self, Counting, START},
};
use std::time::Duration;

const LIFETIME: Duration = Duration::from_mins(31);
const RENEWED: SecretDigest = SecretDigest::from_bytes([9; 32]);

/// An account with three sign-ins and a personal token (the last one).
fn with_account(test: impl Fn(AccountView, &Occasion<'_>)) {
    let entropy = Counting::default();
    let account = testing::account(&entropy);
    let policies = [SessionPolicy::Refresh, SessionPolicy::Session, SessionPolicy::Sliding, SessionPolicy::Personal];
    let open = |policy| testing::opened(policy, &account, &Lifetimes::default(), &entropy);
    let view = AccountView { sessions: policies.map(open).into(), account: account.clone() };
    test(view, &testing::occasion(START, &entropy));
}

/// Which sessions of the view live on, when the changes are written.
fn alive(view: &AccountView, changes: &Changes) -> Vec<usize> {
    let account = changes.account.as_ref().unwrap_or(&view.account);
    let lives = |index: &usize| {
        let before = &view.sessions[*index];
        let session = changes.sessions.iter().find(|session| session.id == before.id).unwrap_or(before);
        session.dead_reason(account, START).is_none()
    };
    (0..view.sessions.len()).filter(lives).collect()
}

fn kinds(changes: &Changes) -> Vec<EventKind> {
    changes.events.iter().map(|event| event.kind).collect()
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

#[test]
fn a_changed_password_ends_the_other_sign_ins_and_no_personal_token() {
    with_account(|view, occasion| {
        let new = NewPassword { hash: hash("new"), checked_when_changed_at: None };
        let keep = view.sessions[1].id;
        let Ruling { changes, outcome } = change_password(Some(&view), &new, keep, RENEWED, LIFETIME, occasion);
        let PasswordChange::Changed { ended, account, kept } = outcome else { panic!("{outcome:?}") };
        let kept = kept.expect("kept");
        assert_eq!((ended, kept.id), (2, keep));
        assert_eq!(changes.sessions.last(), Some(&*kept));
        assert_eq!(changes.password_hash, Some(hash("new")));
        assert_eq!(changes.account, Some(*account));
        assert_eq!(alive(&view, &changes), [1, 3]);
        assert_eq!(kinds(&changes), [EventKind::PasswordChanged]);
    });
}

#[test]
fn the_kept_session_counts_as_signed_in_now_and_an_opaque_id_is_renewed() {
    with_account(|mut view, occasion| {
        let occasion = Occasion { now: START.plus(Duration::from_hours(1)), ..*occasion };
        view.sessions[1].secret = Some(SecretDigest::from_bytes([1; 32]));
        for (place, secret) in [(0, None), (1, Some(RENEWED))] {
            let new = NewPassword { hash: hash("new"), checked_when_changed_at: None };
            let keep = view.sessions[place].id;
            let changes = change_password(Some(&view), &new, keep, RENEWED, LIFETIME, &occasion).changes;
            let kept = changes.sessions.iter().find(|session| session.id == keep).unwrap();
            assert_eq!((kept.authenticated_at, kept.secret), (occasion.now, secret));
            let is_told = kinds(&changes).contains(&EventKind::SessionIdRenewed);
            assert_eq!(is_told, secret.is_some());
        }
    });
}

#[test]
fn of_two_changes_at_a_time_the_second_is_refused() {
    with_account(|mut view, occasion| {
        let new = NewPassword { hash: hash("new"), checked_when_changed_at: None };
        let keep = view.sessions[0].id;
        let change =
            |view: &AccountView, new: &NewPassword| change_password(Some(view), new, keep, RENEWED, LIFETIME, occasion);
        // Twice in one millisecond.
        for _ in 0..2 {
            let checked_when_changed_at = view.account.password_changed_at;
            let ruling = change(&view, &NewPassword { checked_when_changed_at, ..new.clone() });
            view.account = ruling.changes.account.expect("changed");
            let ruling = change(&view, &NewPassword { checked_when_changed_at, ..new.clone() });
            assert_eq!(ruling, Ruling::unchanged(PasswordChange::ChangedMeanwhile));
        }
    });
}

#[test]
fn a_password_set_by_the_operator_keeps_no_sign_in() {
    with_account(|view, occasion| {
        let changes = set_password(Some(&view), &hash("new"), LIFETIME, occasion).changes;
        assert_eq!(alive(&view, &changes), [3]);
        let generation = changes.account.unwrap().generation;
        let subject = Revocation::Subject { account: view.account.id, minimum_generation: generation };
        let named: Vec<_> = changes.revocations.iter().map(|draft| draft.revocation.clone()).collect();
        assert_eq!(named, [subject]);
    });
}

#[test]
fn disabling_ends_everything_and_enabling_brings_nothing_back() {
    with_account(|mut view, occasion| {
        let Ruling { changes, outcome } = disable_account(Some(&view), LIFETIME, occasion);
        let StandingOutcome::Changed { account, ended } = outcome else { panic!("{outcome:?}") };
        assert_eq!((ended, alive(&view, &changes).len()), (4, 0));
        assert_eq!(changes.revocations.len(), 2, "one for the sign-ins, one for the personal token");
        assert_eq!(kinds(&changes), [EventKind::PersonalTokenDeleted, EventKind::AccountDisabled]);
        view.account = *account;
        view.sessions = changes.sessions;
        let again = disable_account(Some(&view), LIFETIME, occasion);
        assert_eq!(again, Ruling::unchanged(StandingOutcome::Unchanged(Box::new(view.account.clone()))));

        let changes = enable_account(Some(&view), occasion).changes;
        assert_eq!(alive(&view, &changes), [0; 0]);
        view.account = changes.account.unwrap();
        let again = enable_account(Some(&view), occasion);
        assert_eq!(again, Ruling::unchanged(StandingOutcome::Unchanged(Box::new(view.account.clone()))));
    });
}

#[test]
fn a_deleted_account_leaves_its_entries_in_the_feed() {
    with_account(|view, occasion| {
        let changes = delete_account(Some(&view), LIFETIME, occasion).changes;
        assert_eq!(changes.deleted_account, Some(view.account.id));
        assert!(changes.account.is_none() && changes.sessions.is_empty(), "there is no row to write over");
        assert_eq!(changes.revocations.len(), 2);
    });
}

#[test]
fn a_role_given_ends_nothing_and_a_role_taken_everything() {
    with_account(|mut view, occasion| {
        let roles = |view: &AccountView, roles: &[&str]| {
            let roles = roles.iter().map(|role| (*role).to_owned()).collect();
            set_roles(Some(view), roles, LIFETIME, occasion).changes
        };
        let changes = roles(&view, &["editor", "admin", "admin"]);
        assert_eq!(alive(&view, &changes).len(), 4);
        view.account = changes.account.unwrap();
        assert_eq!(view.account.roles, ["admin", "editor"]);
        assert!(roles(&view, &["editor", "admin"]).is_empty());
        let changes = roles(&view, &["editor"]);
        assert_eq!(alive(&view, &changes).len(), 0);
        assert_eq!(changes.account.unwrap().roles, ["editor"]);
    });
}

#[test]
fn a_new_address_is_not_verified_and_another_spelling_is() {
    with_account(|mut view, occasion| {
        view.account.email_verified = true;
        let change = |email: &str| {
            let change = ProfileChange { email: Some(email.parse().unwrap()), name: Change::Keep };
            change_profile(Some(&view), view.sessions[0].id, change, occasion).changes
        };
        assert!(change("a@example.com").is_empty());
        let changes = change("b@example.com");
        assert_eq!(kinds(&changes), [EventKind::EmailChanged]);
        assert!(!changes.account.unwrap().email_verified);
        assert!(change("A@Example.com").account.unwrap().email_verified);
        let named = ProfileChange { email: None, name: Change::Set("민수".to_owned()) };
        let changes = change_profile(Some(&view), view.sessions[0].id, named, occasion).changes;
        assert_eq!((changes.account.unwrap().name.as_deref(), changes.events.len()), (Some("민수"), 0));
    });
}

#[test]
fn nobody_is_changed_without_an_account() {
    with_account(|mut view, occasion| {
        let new = NewPassword { hash: hash("new"), checked_when_changed_at: None };
        let keep = view.sessions[0].id;
        assert_eq!(set_password(None, &new.hash, LIFETIME, occasion), Ruling::unchanged(PasswordChange::NoAccount));
        let gone = Ruling::unchanged(StandingOutcome::NotFound);
        assert_eq!(disable_account(None, LIFETIME, occasion), gone);
        assert_eq!(enable_account(None, occasion), gone);
        assert_eq!(delete_account(None, LIFETIME, occasion), gone);
        assert_eq!(set_roles(None, Vec::new(), LIFETIME, occasion), gone);
        assert_eq!(change_profile(None, keep, ProfileChange::default(), occasion), Ruling::unchanged(None));
        view.account.disabled_at = Some(START);
        let refused = Ruling::unchanged(PasswordChange::NoAccount);
        assert_eq!(change_password(Some(&view), &new, keep, RENEWED, LIFETIME, occasion), refused);
    });
}

#[test]
fn names_are_trimmed_composed_and_bounded() {
    assert_eq!(parse_name("  민수 Kim "), Ok("민수 Kim".to_owned()));
    assert_eq!(parse_name("Jose\u{301}"), Ok("Jos\u{e9}".to_owned()));
    let longest = "한".repeat(NAME_CHARACTERS_MAX);
    assert_eq!(parse_name(&longest), Ok(longest.clone()));
    assert_eq!(parse_name(&format!("{longest}x")), Err(InvalidName::TooLong));
    for text in ["", "   ", "\u{3000}"] {
        assert_eq!(parse_name(text), Err(InvalidName::Blank), "{text:?}");
    }
    for (text, found) in [("a\u{0}b", '\0'), ("line\nbreak", '\n'), ("admin\u{202E}", '\u{202E}')] {
        assert_eq!(parse_name(text), Err(InvalidName::Misplaced(found)), "{text:?}");
    }
    assert!(InvalidName::Misplaced('\u{200B}').to_string().contains("U+200B"));
}

#[test]
fn a_sign_in_that_is_over_changes_and_deletes_nothing() {
    with_account(|mut view, occasion| {
        let asked_by = view.sessions[0].id;
        let change = ProfileChange { name: Change::Set("thief".to_owned()), email: None };
        let can = |view: &AccountView| {
            let changes = change_profile(Some(view), asked_by, change.clone(), occasion).changes;
            let deletes = delete_own_account(Some(view), asked_by, LIFETIME, occasion).changes;
            assert_eq!(changes.is_empty(), deletes.is_empty());
            !changes.is_empty()
        };
        assert!(can(&view));
        view.sessions[0].revoked_at = Some(START);
        assert!(!can(&view));
        view.sessions.remove(0);
        assert!(!can(&view));
    });
}
