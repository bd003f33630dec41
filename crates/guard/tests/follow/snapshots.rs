//! Snapshots that are not whole: nothing is let in on the strength of them.

use crate::{
    bench::{Bench, SESSION, get, until},
    server::{SNAPSHOT, Server, cut_off, endless, for_ever},
};
use axum::{
    body::Bytes,
    response::{IntoResponse, Response},
};
use counterfoil_domain::{id::SessionId, revocation::Revocation};
use counterfoil_guard::GuardState;

type Lie = Box<dyn Fn() -> Response + Send + Sync>;

fn lines(bench: &Bench) -> Vec<String> {
    Server::snapshot_lines(&bench.server.history(), bench.server.now().as_millis())
}

#[tokio::test]
async fn one_that_is_not_whole_is_worth_nothing() {
    let bench = Bench::new().await;
    for number in 0..10 {
        bench.server.revoke(Revocation::Session(SessionId::from_bytes([100 + number; 16])));
    }
    bench.server.revoke(Revocation::Session(SESSION));
    let whole = lines(&bench);
    let text = whole.concat();
    let bytes = |text: String| Bytes::from(text);
    let lies: Vec<(&str, &str, Lie)> = vec![
        ("cut half-way", "cut_off", {
            let half = bytes(whole[..6].concat());
            Box::new(move || cut_off(vec![half.clone()]))
        }),
        ("cut inside a line", "cut_off", {
            let half = bytes(text[..text.len() - 40].to_owned());
            Box::new(move || half.clone().into_response())
        }),
        ("no last line", "cut_off", {
            let most = bytes(whole[..whole.len() - 1].concat());
            Box::new(move || most.clone().into_response())
        }),
        ("an end without its line feed", "cut_off", {
            let most = bytes(text.trim_end().to_owned());
            Box::new(move || most.clone().into_response())
        }),
        ("a line left out", "unreadable", {
            let mut fewer = whole.clone();
            fewer.remove(3);
            let fewer = bytes(fewer.concat());
            Box::new(move || fewer.clone().into_response())
        }),
        ("a line that is none", "unreadable", {
            let mut altered = whole.clone();
            altered[4] = "{\"id\":\n".to_owned();
            let altered = bytes(altered.concat());
            Box::new(move || altered.clone().into_response())
        }),
        ("more after the end", "unreadable", {
            let more = bytes(text.clone() + &whole[3]);
            Box::new(move || more.clone().into_response())
        }),
        ("nothing", "cut_off", Box::new(|| "".into_response())),
        ("an endless line", "too_large", Box::new(|| for_ever(b'x', 65_536))),
        ("an endless first line of small pieces", "too_large", Box::new(|| for_ever(b'x', 1))),
    ];
    let before = lies.len();
    for (what, kind, answer) in lies {
        let name = format!("counterfoil_guard_failures_total{{kind={kind}}}");
        let counted = bench.metrics.count(&name);
        bench.server.script(SNAPSHOT, move |_| answer());
        let guard = bench.follow().start().await.unwrap();
        until(what, || bench.metrics.count(&name) > counted).await;
        assert!(
            matches!(guard.status().state, GuardState::Cold | GuardState::Snapshot),
            "{what}: {:?}",
            guard.status()
        );
        assert_eq!(get(&guard, &bench.token()).await, "not_ready", "{what}");
        assert!(guard.status().last_failure.is_some(), "{what}");
        // Told the truth, it gets there by itself.
        bench.server.be_honest(SNAPSHOT);
        guard.ready().await;
        assert_eq!(get(&guard, &bench.token()).await, "token_revoked", "{what}");
    }
    assert!(bench.metrics.count("counterfoil_guard_snapshots_total{outcome=failed}") >= before as u64);
}

/// Entries come by ones and twos, in whatever pieces.
#[tokio::test]
async fn pieces_of_any_size_make_a_whole() {
    let bench = Bench::new().await;
    for number in 0..50 {
        bench.server.revoke(Revocation::Session(SessionId::from_bytes([100 + number; 16])));
    }
    bench.server.revoke(Revocation::Session(SESSION));
    for size in [1, 7, 100, 4_096, 1 << 20] {
        let text = lines(&bench).concat();
        bench.server.script(SNAPSHOT, move |_| {
            let pieces =
                text.as_bytes().chunks(size).map(Bytes::copy_from_slice).map(Ok::<_, std::convert::Infallible>);
            let pieces: Vec<_> = pieces.collect();
            axum::body::Body::from_stream(futures_util::stream::iter(pieces)).into_response()
        });
        let guard = bench.guard().await;
        assert_eq!((guard.status().entries, get(&guard, &bench.token()).await), (51, "token_revoked"), "{size}");
    }
}

/// A snapshot that begins and does not go on keeps nobody waiting: the guard is handed out cold.
#[tokio::test]
async fn one_that_does_not_go_on_is_given_up() {
    let bench = Bench::new().await;
    let begin = Bytes::from(lines(&bench)[0].clone());
    bench.server.script(SNAPSHOT, move |_| endless(vec![begin.clone()]));
    let guard = bench.follow().start().await.unwrap();
    assert_eq!(get(&guard, &bench.token()).await, "not_ready");
    until("given up", || bench.metrics.count("counterfoil_guard_failures_total{kind=timed_out}") > 0).await;
    bench.server.be_honest(SNAPSHOT);
    guard.ready().await;
}

/// Nothing is let in before the server has heard of this verifier: until then it could say "everywhere" without it.
#[tokio::test]
async fn nothing_is_let_in_before_the_server_has_heard_of_us() {
    let bench = Bench::new().await;
    bench.server.script(crate::server::FEED, |_| crate::server::unavailable());
    let guard = bench.follow().start().await.unwrap();
    assert_eq!(get(&guard, &bench.token()).await, "not_ready");
    bench.server.be_honest(crate::server::FEED);
    guard.ready().await;
    assert_eq!(get(&guard, &bench.token()).await, "");
    assert_eq!(bench.server.calls(SNAPSHOT), 1, "it is not loaded twice for that");
}
