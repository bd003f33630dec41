//! Any request whatever: the guard never panics, and lets in those and only those whom a simply written oracle lets in.
//!
//! A request is drawn as a choice of letters, each of which knows what it means; the oracle reads the meanings, the guard
//! the headers made of them.

use crate::{
    bench::{Bench, ISSUER, bearer, claims_with, step},
    sessions::{living, secret},
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use counterfoil_domain::{
    id::SessionId,
    opaque::SecretKind::{PersonalToken, SessionId as SessionSecret},
    policy::SessionPolicy,
    revocation::{FeedHead, Revocation},
};
use counterfoil_guard::{FoundSession, GuardOptions};
use proptest::{collection::vec, prelude::*, sample::select};
use std::{pin::pin, sync::LazyLock, task::Poll};

/// An enum that knows all its letters.
macro_rules! letters {
    ($(#[$doc:meta])* $name:ident: $($letter:ident)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Debug)]
        enum $name { $($letter),+ }

        impl $name {
            const ALL: &[Self] = &[$(Self::$letter),+];
        }
    };
}

letters! {
    /// What stands in one `Authorization` field.
    Authorization:
    Signed Sliding Tracked TrackedEnded Revoked Forged Personal PersonalUnknown PersonalMistyped SessionId RefreshToken
    Garbage NoText TwoWords Nothing OtherScheme NoScheme Empty NotUtf8
}

letters! {
    /// What stands in one cookie.
    Cookie:
    Session SessionUnknown SessionGarbage SessionEmpty SessionNotUtf8 SessionTooLong SessionWithPersonal
    Access AccessSliding AccessTracked AccessForged AccessGarbage AccessEmpty AccessNotUtf8 AccessWithPersonal
    AccessWithSession Refresh OtherName WithoutPrefix NoPair NotUtf8
}

const METHODS: &[&str] =
    &["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PURGE", "get"];
const ORIGINS: &[&[u8]] = &[
    b"https://auth.example.com",
    b"https://other.example",
    b"http://auth.example.com",
    b"https://evil.example",
    b"https://auth.example.com.evil.example",
    b"https://",
    b"null",
    b"",
    b"\xff",
];
const SITES: &[&[u8]] = &[b"same-origin", b"none", b"same-site", b"cross-site", b"Same-Origin", b"", b"\xff"];
const HOSTS: &[&[u8]] = &[b"auth.example.com", b"other.example", b"", b"\xff"];

#[derive(Clone, Debug)]
struct Drawn {
    method: &'static str,
    authorizations: Vec<Authorization>,
    /// By header field: browsers may spread cookies over several.
    cookies: Vec<Vec<Cookie>>,
    origins: Vec<&'static [u8]>,
    sites: Vec<&'static [u8]>,
    hosts: Vec<&'static [u8]>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    // None or one most of the time, or hardly any request would be let in.
    let few = || prop_oneof![3 => Just(0_usize), 5 => Just(1), 1 => Just(2)];
    let fields = |letters: &'static [&'static [u8]]| few().prop_flat_map(move |count| vec(select(letters), count));
    let authorizations = few().prop_flat_map(|count| vec(select(Authorization::ALL), count));
    let cookies = few().prop_flat_map(|count| vec(vec(select(Cookie::ALL), 1..3), count));
    (select(METHODS), authorizations, cookies, fields(ORIGINS), fields(SITES), fields(HOSTS)).prop_map(
        |(method, authorizations, cookies, origins, sites, hosts)| Drawn {
            method,
            authorizations,
            cookies,
            origins,
            sites,
            hosts,
        },
    )
}

// The oracle.

/// Whether this may be let in. `knows_cookies`: whether the guard has rules for them.
fn may_enter(drawn: &Drawn, knows_cookies: bool) -> bool {
    use Authorization as A;
    use Cookie as C;
    if drawn.authorizations.len() > 1 {
        return false;
    }
    let is_bearer = |field: &&A| !matches!(field, A::OtherScheme | A::NoScheme | A::Empty | A::NotUtf8);
    let is_credential = |cookie: &&C| {
        !matches!(cookie, C::Refresh | C::OtherName | C::WithoutPrefix | C::NoPair | C::NotUtf8) && knows_cookies
    };
    let bearers: Vec<_> = drawn.authorizations.iter().filter(is_bearer).collect();
    let cookies: Vec<_> = drawn.cookies.iter().flatten().filter(is_credential).collect();
    match (bearers[..].first(), cookies[..].first()) {
        (Some(bearer), None) => matches!(bearer, A::Signed | A::Sliding | A::Tracked | A::Personal),
        (None, Some(cookie)) if cookies.len() == 1 => {
            let is_good = matches!(cookie, C::Session | C::Access | C::AccessSliding | C::AccessTracked);
            is_good && (["GET", "HEAD", "OPTIONS"].contains(&drawn.method) || says_it_is_ours(drawn))
        }
        _ => false,
    }
}

/// Whether it says, at least once and never otherwise, that it comes from our own pages.
fn says_it_is_ours(drawn: &Drawn) -> bool {
    let (origins, sites) = (&drawn.origins, &drawn.sites);
    if origins.len() > 1 || sites.len() > 1 || origins.is_empty() && sites.is_empty() {
        return false;
    }
    origins.iter().all(|origin| *origin == ISSUER.as_bytes())
        && sites.iter().all(|site| [&b"same-origin"[..], b"none"].contains(site))
}

// The headers.

/// The bench, and the texts that the letters stand for.
struct Texts {
    bench: Bench,
    signed: String,
    sliding: String,
    tracked: String,
    tracked_ended: String,
    revoked: String,
    forged: String,
}

fn texts() -> Texts {
    let bench = Bench::with_sessions();
    let session = |number: u8| SessionId::from_bytes([number; 16]);
    let row = |policy, number| FoundSession { session: session(number), ..living(policy) };
    bench.sessions.add(&secret(SessionSecret, 1), row(SessionPolicy::Session, 10));
    bench.sessions.add(&secret(PersonalToken, 1), row(SessionPolicy::Personal, 11));
    bench.sessions.add(&secret(SessionSecret, 2), row(SessionPolicy::Tracked, 12));
    // The letters with an unknown secret find a session of another policy: that is as good as none.
    bench.sessions.add(&secret(SessionSecret, 3), row(SessionPolicy::Sliding, 13));
    bench.sessions.add(&secret(PersonalToken, 3), row(SessionPolicy::Session, 14));
    bench.revoke(Revocation::Session(session(20)));
    let token = |policy: SessionPolicy, number| {
        let mut claims = claims_with("policy", policy.as_str());
        claims["sid"] = session(number).to_string().into();
        claims
    };
    Texts {
        signed: bench.good_token(),
        sliding: bench.token_of(SessionPolicy::Sliding),
        tracked: bench.mint(&token(SessionPolicy::Tracked, 12)),
        tracked_ended: bench.mint(&token(SessionPolicy::Tracked, 19)),
        revoked: bench.mint(&token(SessionPolicy::Refresh, 20)),
        forged: Bench::new().good_token(),
        bench,
    }
}

impl Texts {
    fn authorization(&self, letter: Authorization) -> Vec<u8> {
        use Authorization as A;
        let secret = |kind, number| secret(kind, number).expose_text();
        let token = match letter {
            A::Signed => self.signed.clone(),
            A::Sliding => self.sliding.clone(),
            A::Tracked => self.tracked.clone(),
            A::TrackedEnded => self.tracked_ended.clone(),
            A::Revoked => self.revoked.clone(),
            A::Forged => self.forged.clone(),
            A::Personal => secret(PersonalToken, 1),
            A::PersonalUnknown => secret(PersonalToken, 3),
            A::PersonalMistyped => secret(PersonalToken, 1) + "A",
            A::SessionId => secret(SessionSecret, 1),
            A::RefreshToken => format!("cfr_{}", "A".repeat(56)),
            A::Garbage => "a.b.c".to_owned(),
            A::TwoWords => format!("{} {}", self.signed, self.signed),
            A::Nothing => String::new(),
            A::NoText => return b"Bearer \xff\xfe".to_vec(),
            A::OtherScheme => return format!("Basic {}", self.signed).into_bytes(),
            A::NoScheme => return self.signed.clone().into_bytes(),
            A::Empty => return Vec::new(),
            A::NotUtf8 => return b"\xff\xfe".to_vec(),
        };
        format!("bEaReR {token}").into_bytes()
    }

    fn cookie(&self, letter: Cookie) -> Vec<u8> {
        use Cookie as C;
        let secret = |kind, number| secret(kind, number).expose_text();
        let session = |value: &str| format!("__Host-counterfoil-session={value}").into_bytes();
        let access = |value: &str| format!("__Host-counterfoil-access={value}").into_bytes();
        match letter {
            C::Session => session(&secret(SessionSecret, 1)),
            C::SessionUnknown => session(&secret(SessionSecret, 3)),
            C::SessionGarbage => session("garbage"),
            C::SessionEmpty => session(""),
            C::SessionNotUtf8 => [session("cfs_"), b"\xff".to_vec()].concat(),
            C::SessionTooLong => session(&"x".repeat(4_096)),
            C::SessionWithPersonal => session(&secret(PersonalToken, 1)),
            C::Access => access(&self.signed),
            C::AccessSliding => access(&self.sliding),
            C::AccessTracked => access(&self.tracked),
            C::AccessForged => access(&self.forged),
            C::AccessGarbage => access("a.b.c"),
            C::AccessEmpty => access(""),
            C::AccessNotUtf8 => [access(&self.signed), b"\xff".to_vec()].concat(),
            C::AccessWithPersonal => access(&secret(PersonalToken, 1)),
            C::AccessWithSession => access(&secret(SessionSecret, 1)),
            C::Refresh => format!("__Host-counterfoil-refresh={}", self.signed).into_bytes(),
            C::OtherName => format!("x__Host-counterfoil-session={}", secret(SessionSecret, 1)).into_bytes(),
            C::WithoutPrefix => format!("counterfoil-session={}", secret(SessionSecret, 1)).into_bytes(),
            C::NoPair => b"__Host-counterfoil-session".to_vec(),
            C::NotUtf8 => b"\xff=\xfe".to_vec(),
        }
    }

    fn headers(&self, drawn: &Drawn) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: &[u8]| {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        };
        for letter in &drawn.authorizations {
            add("authorization", &self.authorization(*letter));
        }
        for field in &drawn.cookies {
            add("cookie", &field.iter().map(|letter| self.cookie(*letter)).collect::<Vec<_>>().join(&b"; "[..]));
        }
        for (name, values) in [("origin", &drawn.origins), ("sec-fetch-site", &drawn.sites), ("host", &drawn.hosts)] {
            for value in values {
                add(name, value);
            }
        }
        headers
    }
}

/// One bench for all requests: what is remembered of one must not change what is said to another.
static TEXTS: LazyLock<Texts> = LazyLock::new(texts);

/// The fake store answers at once, so one step is enough.
fn now<F: Future>(asked: F) -> F::Output {
    let Poll::Ready(answer) = step(&mut pin!(asked)) else { panic!("it waits") };
    answer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn those_are_let_in_whom_the_oracle_lets_in(drawn in drawn(), is_remembered in any::<bool>()) {
        let Texts { bench, .. } = &*TEXTS;
        if !is_remembered {
            bench.guard.replace_keys(crate::bench::set(&[&bench.key]));
        }
        let (method, headers): (Method, _) = (drawn.method.parse().unwrap(), TEXTS.headers(&drawn));
        let lookups = bench.sessions.lookups();
        let verdict = now(bench.guard.authenticate(&method, &headers));
        prop_assert_eq!(verdict.is_ok(), may_enter(&drawn, true), "{:?}", verdict.map_err(|rejection| rejection.code()));
        prop_assert!(bench.sessions.lookups() - lookups <= 1);
        if let Err(rejection) = verdict {
            prop_assert!(rejection.status().is_client_error(), "{}", rejection.code());
        }
        // A gateway that tells the method learns the same; one that does not, lets nobody in who is never let in.
        let told = now(bench.guard.authenticate_for_gateway(Some(&method), &headers));
        prop_assert_eq!(told.is_ok(), may_enter(&drawn, true));
        let untold = now(bench.guard.authenticate_for_gateway(None, &headers));
        let as_read = may_enter(&Drawn { method: "GET", ..drawn.clone() }, true);
        let has_no_origin = drawn.origins.is_empty();
        let as_changing = may_enter(&Drawn { method: "POST", sites: vec![], ..drawn.clone() }, true);
        prop_assert_eq!(untold.is_ok(), as_read && (has_no_origin || as_changing));

        let without_rules = bench.guard_with(GuardOptions { verified_tokens_max: 4, cookies: None, lookup: Some(bench.sessions.clone()), ..GuardOptions::default() });
        prop_assert_eq!(now(without_rules.authenticate(&method, &headers)).is_ok(), may_enter(&drawn, false));
    }
}

/// The oracle is of use only if it lets some in, and the letters mean what they say.
#[test]
fn the_letters_mean_what_they_say() {
    let plain =
        Drawn { method: "GET", authorizations: vec![], cookies: vec![], origins: vec![], sites: vec![], hosts: vec![] };
    let (bearers, cookies) = (Authorization::ALL.iter(), Cookie::ALL.iter());
    let alone = bearers.map(|letter| Drawn { authorizations: vec![*letter], ..plain.clone() });
    let alone = alone.chain(cookies.map(|letter| Drawn { cookies: vec![vec![*letter]], ..plain.clone() }));
    let entered = alone.filter(|drawn| may_enter(drawn, true)).inspect(|drawn| {
        let headers = TEXTS.headers(drawn);
        assert!(now(TEXTS.bench.guard.authenticate(&Method::GET, &headers)).is_ok(), "{drawn:?}");
    });
    assert_eq!(entered.count(), 4 + 4);
    // The feed is loaded, or nobody would be let in at all.
    assert_eq!(TEXTS.bench.revocations.applied(), FeedHead::default());
    assert_eq!(now(TEXTS.bench.read(&bearer(&TEXTS.revoked))), ("token_revoked", 0));
}
