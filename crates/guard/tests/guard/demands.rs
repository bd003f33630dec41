//! What a handler may demand of whom the guard let in, and the claims that it may read.

use crate::{
    answers::refusal,
    bench::{ACCOUNT, Bench, NOW_SECONDS, SESSION, bearer, claims_with},
    credentials::{bench, good_personal, good_session, user},
    sessions::{living, secret},
};
use axum::response::IntoResponse;
use counterfoil_domain::{opaque::SecretKind::SessionId as SessionSecret, policy::SessionPolicy, time::UnixMillis};
use counterfoil_guard::Rejection;
use serde::Deserialize;

#[tokio::test]
async fn scopes_and_roles() {
    let bench = bench();
    let mut claims = claims_with("roles", vec!["editor", "admin"]);
    claims["scope"] = "read invoices:read".into();
    let signed = user(&bench, &bearer(&bench.mint(&claims))).await;
    assert_eq!(signed.require_scope("invoices:read"), Ok(()));
    for missing in ["invoices", "invoices:read ", "READ", "", "read invoices:read", "write"] {
        let refused = Err(Rejection::InsufficientScope(missing.to_owned()));
        assert_eq!(signed.require_scope(missing), refused, "{missing:?}");
    }
    assert_eq!((signed.require_role("admin"), signed.require_role("editor")), (Ok(()), Ok(())));
    for missing in ["Admin", "", "adm"] {
        assert_eq!(signed.require_role(missing), Err(Rejection::RoleMissing), "{missing:?}");
    }
    let without = user(&bench, &bearer(&bench.good_token())).await;
    assert_eq!(without.require_role("editor"), Err(Rejection::RoleMissing));
    for request in [good_session(), good_personal()] {
        let looked_up = user(&bench, &request).await;
        assert_eq!((looked_up.require_role("editor"), looked_up.require_scope("write")), (Ok(()), Ok(())));
        assert_eq!(looked_up.require_role("admin"), Err(Rejection::RoleMissing));
    }
}

/// All of them have signed in a minute before `NOW_SECONDS`.
#[tokio::test]
async fn a_recent_sign_in() {
    let bench = bench();
    let at = |after: i64| UnixMillis::from_seconds(NOW_SECONDS - 60 + after);
    let too_old = |max_age_seconds| Err(Rejection::SignInTooOld { max_age_seconds });
    for request in [bearer(&bench.good_token()), good_session()] {
        let user = user(&bench, &request).await;
        for (after, verdict) in
            [(0, Ok(())), (60, Ok(())), (600, Ok(())), (601, too_old(600)), (1_000_000, too_old(600))]
        {
            assert_eq!(user.require_recent_sign_in(600, at(after)), verdict, "{after}");
        }
        // Of a clock that went back, a sign-in lies in the future: a little is nothing, and much is no proof of anything.
        for (before, verdict) in [(1, Ok(())), (600, Ok(())), (601, too_old(600)), (1_000_000, too_old(600))] {
            assert_eq!(user.require_recent_sign_in(600, at(-before)), verdict, "{before} before");
        }
        assert_eq!(user.require_recent_sign_in(0, at(0)), Ok(()));
        assert_eq!(user.require_recent_sign_in(0, at(1)), too_old(0));
        for end_of_time in [i64::MIN, i64::MAX] {
            let now = UnixMillis::from_millis(end_of_time);
            assert_eq!(user.require_recent_sign_in(600, now), too_old(600));
        }
        let challenge = "Bearer error=\"insufficient_user_authentication\", \
                         error_description=\"insufficient_user_authentication\", max_age=\"600\"";
        let rejection = user.require_recent_sign_in(600, at(601)).unwrap_err();
        let told = refusal(rejection.into_response()).await;
        assert_eq!(told, (401, "insufficient_user_authentication".into(), challenge.into()));
    }
    let program = user(&bench, &good_personal()).await;
    assert_eq!(program.require_recent_sign_in(u32::MAX, at(0)), too_old(u32::MAX), "a program has not signed in");
}

#[derive(Deserialize, PartialEq, Debug)]
struct Tenant {
    tenant: String,
}

#[derive(Deserialize, PartialEq, Debug)]
struct PerhapsTenant {
    tenant: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    sub: String,
}

#[tokio::test]
async fn claims_of_the_operators_own() {
    let bench = bench();
    let signed = bearer(&bench.mint(&claims_with("tenant", "green")));
    for (request, tenant) in [(&signed, "green"), (&good_session(), "blue"), (&good_personal(), "blue")] {
        for _ in 0..2 {
            let user = user(&bench, request).await;
            assert_eq!(user.claims::<Tenant>().unwrap(), Tenant { tenant: tenant.to_owned() });
            assert_eq!(user.clone().claims::<PerhapsTenant>().unwrap().tenant.unwrap(), tenant);
        }
    }
    assert_eq!(user(&bench, &signed).await.claims::<Subject>().unwrap().sub, ACCOUNT.to_string());

    let error = user(&bench, &bearer(&bench.good_token())).await.claims::<Tenant>().unwrap_err();
    assert!(error.to_string().contains("missing field `tenant`"), "{error}");
    let none = user(&bench, &bearer(&bench.good_token())).await.claims::<PerhapsTenant>().unwrap();
    assert_eq!(none, PerhapsTenant { tenant: None });
    let error = user(&bench, &bearer(&bench.mint(&claims_with("tenant", 7)))).await.claims::<Tenant>().unwrap_err();
    assert!(error.to_string().contains("invalid type"), "{error}");
    for request in [good_session(), good_personal()] {
        let error = user(&bench, &request).await.claims::<Subject>().map(|claims| claims.sub).unwrap_err();
        assert!(error.to_string().contains("missing field `sub`"), "{error}");
    }
}

/// A tracked token's claims are its own, also where its session was looked up.
#[tokio::test]
async fn a_tracked_token_speaks_for_itself() {
    let bench = Bench::with_sessions();
    bench.sessions.add(&secret(SessionSecret, 1), living(SessionPolicy::Tracked));
    let mut claims = claims_with("policy", "tracked");
    claims["tenant"] = "green".into();
    let user = user(&bench, &bearer(&bench.mint(&claims))).await;
    assert_eq!(user.claims::<Tenant>().unwrap().tenant, "green");
    assert_eq!((user.session(), user.roles()), (SESSION, &[][..]));
}
