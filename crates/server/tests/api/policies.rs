//! Every policy through everything that happens to a session: one table, an expected answer in every cell.
//!
//! The clock is the test's. A cell is the code of the refusal, or empty where the request is answered.

use crate::harness::{Held, PASSWORD, Server};
use counterfoil::app::{RequestOrigin, StandingChange};
use counterfoil_domain::{policy::SessionPolicy, time::Clock};
use serde_json::json;
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";
const NEW_PASSWORD: &str = "seven purple walruses at sea";
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What happens between the sign-in and the question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Happens {
    Nothing,
    /// It is renewed after 20 minutes, as its policy has it, and asked again 15 later: past the first limit of most.
    Renewal,
    /// It is left alone: for half an hour, and longer where the policy's limit is.
    Idleness,
    /// It is used or renewed again and again until its absolute limit.
    OldAge,
    SignOutHere,
    SignOutEverywhere,
    /// From another device.
    PasswordChange,
    AccountDisabled,
    /// Disabled, and enabled again.
    AccountEnabledAgain,
    AccountDeleted,
    EverybodySignedOut,
    ServerRestart,
    /// Somebody sets the clock two hours ahead, everything is asked, and the clock is set right again.
    ClockAheadAndBack,
    /// Somebody sets the clock an hour back.
    ClockBack,
}
use Happens::{
    AccountDeleted, AccountDisabled, AccountEnabledAgain, ClockAheadAndBack, ClockBack, EverybodySignedOut, Idleness,
    Nothing, OldAge, PasswordChange, Renewal, ServerRestart, SignOutEverywhere, SignOutHere,
};

const COLUMNS: [SessionPolicy; 5] = SessionPolicy::ALL;
const ENDED: &str = "session_ended";
const EXPIRED: &str = "token_expired";
const REVOKED: &str = "token_revoked";
const EARLY: &str = "token_not_yet_valid";
const GONE: &str = "personal_token_refused";

#[rustfmt::skip]
const TABLE: [(Happens, [&str; 5]); 14] = [
    //                     session  tracked  sliding  refresh  personal
    (Nothing,             ["",      "",      "",      "",      ""]),
    (Renewal,             ["",      "",      "",      "",      ""]),
    (Idleness,            [ENDED,   EXPIRED, EXPIRED, EXPIRED, ""]),
    (OldAge,              [ENDED,   EXPIRED, EXPIRED, EXPIRED, GONE]),
    (SignOutHere,         [ENDED,   REVOKED, REVOKED, REVOKED, GONE]),
    (SignOutEverywhere,   [ENDED,   REVOKED, REVOKED, REVOKED, ""]),
    (PasswordChange,      [ENDED,   REVOKED, REVOKED, REVOKED, ""]),
    (AccountDisabled,     [ENDED,   REVOKED, REVOKED, REVOKED, GONE]),
    (AccountEnabledAgain, [ENDED,   REVOKED, REVOKED, REVOKED, GONE]),
    (AccountDeleted,      [ENDED,   REVOKED, REVOKED, REVOKED, GONE]),
    (EverybodySignedOut,  [ENDED,   REVOKED, REVOKED, REVOKED, GONE]),
    (ServerRestart,       ["",      "",      "",      "",      ""]),
    (ClockAheadAndBack,   ["",      "",      "",      "",      ""]),
    // A token cannot have been minted in the future: refused, and good again in time.
    (ClockBack,           ["",      EARLY,   EARLY,   EARLY,   ""]),
];

#[tokio::test]
async fn every_policy_through_everything() {
    for (happens, expected) in TABLE {
        let mut found = Vec::new();
        for policy in COLUMNS {
            found.push(drive(policy, happens).await);
        }
        assert_eq!(found, expected, "{happens:?}, for {COLUMNS:?}");
    }
}

/// Signs in, lets it happen, and asks.
async fn drive(policy: SessionPolicy, happens: Happens) -> String {
    let mut server = Server::start().await;
    server.sign_up(EMAIL).await;
    let mut held = server.sign_in_with(EMAIL, policy).await;
    assert_eq!(held.code(&server).await, "", "{policy} after the sign-in");
    match happens {
        Nothing => {}
        Renewal => {
            server.pass(20 * MINUTE).await;
            let is_renewed = !matches!(policy, SessionPolicy::Tracked | SessionPolicy::Personal);
            assert_eq!(held.renew(&server).await, if is_renewed { "" } else { "not_sliding" }, "{policy}");
            server.pass(15 * MINUTE).await;
        }
        Idleness => left_alone(&server, &held).await,
        OldAge => return until_its_end(&server, held).await,
        SignOutHere => sign_out(&server, &held).await,
        SignOutEverywhere => {
            let elsewhere = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
            elsewhere.send(&server, "DELETE", "/v1/sessions", None).await.expect(200);
        }
        PasswordChange => {
            let elsewhere = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
            let body = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
            elsewhere.send(&server, "PUT", "/v1/account/password", Some(body)).await.expect(200);
            assert_eq!(elsewhere.code(&server).await, "", "who changed it stays signed in");
        }
        AccountDisabled | AccountEnabledAgain | AccountDeleted => {
            let changes = match happens {
                AccountDeleted => vec![StandingChange::Delete],
                AccountDisabled => vec![StandingChange::Disable],
                _ => vec![StandingChange::Disable, StandingChange::Enable],
            };
            let account = server.snapshot().await.accounts[0].id;
            for change in changes {
                let app = server.counterfoil().app();
                let standing = app.change_standing(account, change, &RequestOrigin::default()).await.unwrap();
                assert!(standing.has_changed);
            }
        }
        EverybodySignedOut => {
            let app = server.counterfoil().app();
            assert!(app.sign_everybody_out(&RequestOrigin::default()).await.unwrap().seq > 0);
        }
        ClockAheadAndBack => {
            let before = server.snapshot().await;
            server.clock.set_ahead(2 * HOUR);
            let ahead = held.code(&server).await;
            let lives = matches!(policy, SessionPolicy::Tracked | SessionPolicy::Personal);
            assert_eq!(ahead.is_empty(), lives, "{policy}, two hours ahead: {ahead}");
            if !lives {
                assert_eq!(server.snapshot().await, before, "what is refused is not changed");
            }
            server.clock.set_back(2 * HOUR);
        }
        ClockBack => server.clock.set_back(HOUR),
        ServerRestart => {
            let (folder, clock) = server.stop().await;
            server = Server::start_in(folder, clock, |_| {}).await.unwrap();
        }
    }
    held.code(&server).await
}

/// Past the idle limit. What goes on by itself until then is asked before.
async fn left_alone(server: &Server, held: &Held) {
    let (still_good, past) = match held.policy {
        // Use is written down once a minute, so the limit may come a minute early.
        SessionPolicy::Session => (28 * MINUTE, 31 * MINUTE),
        SessionPolicy::Tracked => (719 * MINUTE, MINUTE + Duration::from_secs(6)),
        SessionPolicy::Sliding | SessionPolicy::Refresh => (29 * MINUTE, MINUTE + Duration::from_secs(6)),
        SessionPolicy::Personal => (HOUR, 1_000 * DAY),
    };
    server.pass(still_good).await;
    assert_eq!(held.code(server).await, "", "{} before its limit", held.policy);
    server.pass(past).await;
    if let Some(refresh) = &held.refresh {
        // Its access token has ended; the session has not, until it is not refreshed for two weeks.
        assert_eq!(server.refresh(refresh).await.status, 200);
        let mut held = held.clone();
        assert_eq!(held.renew(server).await, "");
        server.pass(14 * DAY + MINUTE).await;
        assert_eq!(held.renew(server).await, "invalid_grant");
    }
}

/// Uses and renews it every so often for as long as it lives; the code with which it ends. It must not outlive its absolute
/// limit, nor end long before it.
async fn until_its_end(server: &Server, mut held: Held) -> String {
    let (step, absolute) = match held.policy {
        SessionPolicy::Session | SessionPolicy::Sliding => (20 * MINUTE, 12 * HOUR),
        SessionPolicy::Tracked => (HOUR, 12 * HOUR),
        SessionPolicy::Refresh => (DAY, 90 * DAY),
        SessionPolicy::Personal => {
            let maker = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
            let ends = counterfoil_wire::Timestamp::from_unix_millis(server.clock.now().plus(5 * DAY).as_millis());
            let request = json!({ "name": "deploy", "scope": "account", "expires_at": ends });
            held = server.personal_token(&maker, &request).await;
            (6 * HOUR, 5 * DAY)
        }
    };
    let mut age = Duration::ZERO;
    loop {
        server.pass(step).await;
        age += step;
        let refused = held.renew(server).await;
        let refused = if refused == "not_sliding" { String::new() } else { refused };
        let code = held.code(server).await;
        // The leeway of verifiers is five seconds; nothing here falls into it.
        if age < absolute {
            assert_eq!((refused.as_str(), code.as_str()), ("", ""), "{} after {age:?}", held.policy);
        } else {
            assert_eq!(age, absolute);
            server.pass(Duration::from_secs(6)).await;
            if held.policy == SessionPolicy::Refresh {
                assert_eq!(held.renew(server).await, "invalid_grant");
            }
            return held.code(server).await;
        }
    }
}

async fn sign_out(server: &Server, held: &Held) {
    if held.policy == SessionPolicy::Personal {
        let refused = held.send(server, "DELETE", "/v1/sessions/current", None).await;
        refused.expect_refusal(403, "person_only");
        let owner = server.sign_in_with(EMAIL, SessionPolicy::Refresh).await;
        let path = format!("/v1/personal-tokens/{}", held.id);
        owner.send(server, "DELETE", &path, None).await.expect(200);
    } else {
        held.send(server, "DELETE", "/v1/sessions/current", None).await.expect(200);
    }
}
