//! The life of a signing key, on a server whose clock the test turns.

use crate::harness::{PAST_THE_ACCESS_TOKEN, Reply, Server};
use counterfoil::app::{KeyAdministration, Rotation};
use counterfoil_domain::{
    event::EventKind,
    id::AccountId,
    key::{KeyState, KeyUse, StoredKey},
    time::Clock,
};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "minsu@example.com";
/// The life of a copy of the published keys, and the margin.
const ANNOUNCED_FOR: Duration = Duration::from_mins(6);
/// The life of a tracked token, which is the longest; leeway, stepping down, and a clock that may have been ahead.
const RETIRES_AFTER: Duration = Duration::from_mins(12 * 60 + 2 + 1 + 60);
const JWKS: &str = "/.well-known/jwks.json";
const A_MOMENT: Duration = Duration::from_millis(1);

/// All of it but the last moment.
fn short_of(time: Duration) -> Duration {
    time.saturating_sub(A_MOMENT)
}

/// What a running server does by itself every second.
async fn tend(server: &Server) {
    server.counterfoil().app().follow_feed().await.unwrap();
    server.counterfoil().app().tend_keys().await.unwrap();
}

async fn pass(server: &Server, time: Duration) {
    server.clock.advance(time);
    tend(server).await;
}

fn administration(server: &Server) -> KeyAdministration {
    server.counterfoil().app().key_administration()
}

/// Announces a key as another process on the store would; gives its id.
async fn announce(server: &Server) -> String {
    // Of two keys of one instant either may be listed first.
    server.clock.advance(A_MOMENT);
    let (rotation, _) = administration(server).rotate(server.clock.now(), false).await.unwrap();
    let Rotation::Announced { kid, .. } = rotation else { panic!("{rotation:?}") };
    tend(server).await;
    kid
}

async fn signing_keys(server: &Server) -> Vec<StoredKey> {
    let keys = server.store().keys().await.unwrap();
    keys.into_iter().filter(|key| key.key_use == KeyUse::Sign).collect()
}

async fn states(server: &Server) -> Vec<KeyState> {
    signing_keys(server).await.into_iter().map(|key| key.state).collect()
}

async fn published(server: &Server) -> Vec<String> {
    let set = server.get(JWKS).await.expect(200).json();
    let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    set["keys"].as_array().unwrap().iter().map(kid).collect()
}

/// Asks whether a copy with this tag is still good.
async fn ask(server: &Server, tag: &str) -> Reply {
    server.send(server.request("GET", JWKS).header("if-none-match", tag)).await
}

async fn audit(server: &Server) -> Vec<&'static str> {
    let events = server.store().events_of_account(AccountId::from_bytes([0; 16]), 100).await.unwrap();
    events.iter().rev().map(|event| event.kind.as_str()).collect()
}

#[tokio::test]
async fn a_key_is_known_before_it_signs_and_as_long_as_its_tokens_live() {
    let server = Server::start().await;
    let first = server.sign_up(EMAIL).await;
    assert_eq!(published(&server).await.len(), 1);
    let next = announce(&server).await;
    assert!(published(&server).await.contains(&next), "published at once");
    assert_eq!(administration(&server).rotate(server.clock.now(), false).await.unwrap().0, {
        let signs_at = server.clock.now().plus(ANNOUNCED_FOR);
        Rotation::AnotherIsUpcoming { kid: next.clone(), signs_at }
    });

    pass(&server, short_of(ANNOUNCED_FOR)).await;
    let before = server.sign_in(EMAIL).await;
    assert_eq!(before.token_header()["kid"], first.token_header()["kid"], "somebody may hold the keys from before");
    pass(&server, A_MOMENT).await;
    let after = server.sign_in(EMAIL).await;
    assert_eq!(after.token_header()["kid"], *next);
    for tokens in [&first, &before, &after] {
        server.account(&tokens.access).await.expect(200);
        assert_eq!(server.with_token("GET", "/guarded", &tokens.access).await.status, 200);
    }

    pass(&server, short_of(RETIRES_AFTER)).await;
    assert_eq!(
        (states(&server).await, published(&server).await.len()),
        (vec![KeyState::Retiring, KeyState::Active], 2)
    );
    pass(&server, A_MOMENT).await;
    assert_eq!(
        (states(&server).await, published(&server).await),
        (vec![KeyState::Retired, KeyState::Active], vec![next])
    );
    assert!(signing_keys(&server).await[0].sealed.is_empty(), "nothing of the secret is left in the store");
    assert_eq!(audit(&server).await, ["key_activated", "key_announced", "key_activated", "key_retired"]);
    assert_eq!(EventKind::from_word("key_retired"), Some(EventKind::KeyRetired));

    // Its token has ended long ago; whose it was can still be told, for a refresh that brings it along.
    let body = json!({ "refresh_token": first.refresh, "access_token": first.access });
    server.post_json("/v1/sessions/current/refresh", &body).await.expect(200);
    server.account(&first.access).await.expect(401);
}

#[tokio::test]
async fn a_restart_in_any_state_goes_on_where_it_was() {
    let mut server = Server::start().await;
    let first = server.sign_up(EMAIL).await;
    let next = announce(&server).await;
    pass(&server, short_of(ANNOUNCED_FOR)).await;
    for _ in 0..2 {
        let (folder, clock) = server.stop().await;
        server = Server::start_in(folder, clock, |_| {}).await.unwrap();
        assert_eq!(states(&server).await, [KeyState::Active, KeyState::Upcoming]);
        assert!(published(&server).await.contains(&next));
    }
    // While it was down nobody saw whether the clock was set: the time counts anew.
    pass(&server, short_of(ANNOUNCED_FOR)).await;
    assert_eq!(states(&server).await, [KeyState::Active, KeyState::Upcoming]);
    pass(&server, A_MOMENT).await;
    let after = server.sign_in(EMAIL).await;
    assert_eq!(after.token_header()["kid"], *next);

    let (folder, clock) = server.stop().await;
    server = Server::start_in(folder, clock, |_| {}).await.unwrap();
    assert_eq!(states(&server).await, [KeyState::Retiring, KeyState::Active]);
    for tokens in [&first, &after] {
        server.account(&tokens.access).await.expect(200);
    }
    pass(&server, RETIRES_AFTER).await;
    let (folder, clock) = server.stop().await;
    server = Server::start_in(folder, clock, |_| {}).await.unwrap();
    assert_eq!(
        (states(&server).await, published(&server).await),
        (vec![KeyState::Retired, KeyState::Active], vec![next])
    );
    let renewed = server.refresh(&first.refresh).await.expect(200).tokens();
    server.account(&renewed.access).await.expect(200);
}

#[tokio::test]
async fn an_old_key_is_followed_by_itself() {
    let hour = Duration::from_hours(1);
    let server = Server::start_with(|config| {
        config.signing.rotate_after = serde_json::from_value(json!("1h")).unwrap();
    });
    let server = server.await;
    pass(&server, short_of(hour)).await;
    assert_eq!(states(&server).await, [KeyState::Active]);
    pass(&server, A_MOMENT).await;
    assert_eq!(states(&server).await, [KeyState::Active, KeyState::Upcoming]);
    pass(&server, ANNOUNCED_FOR).await;
    assert_eq!(states(&server).await, [KeyState::Retiring, KeyState::Active]);
    let never = Server::start_with(|config| config.signing.rotate_after = counterfoil::config::OrNever::NEVER).await;
    pass(&never, Duration::from_hours(24 * 365)).await;
    assert_eq!(states(&never).await, [KeyState::Active]);
}

/// A secret that only this server knows is in no copy: it signs as soon as it is stored.
#[tokio::test]
async fn a_secret_of_the_servers_own_is_changed_at_once_and_its_tokens_live_on() {
    let server = Server::start_with(|config| config.signing.algorithm = "HS256".to_owned()).await;
    let first = server.sign_up(EMAIL).await;
    announce(&server).await;
    assert_eq!(states(&server).await, [KeyState::Retiring, KeyState::Active]);
    let second = server.sign_in(EMAIL).await;
    assert_ne!(first.token_header()["kid"], second.token_header()["kid"]);
    for tokens in [&first, &second] {
        server.account(&tokens.access).await.expect(200);
    }
    assert!(published(&server).await.is_empty());
}

/// A clock that is set ahead makes no copy older.
#[tokio::test]
async fn a_clock_set_ahead_makes_nothing_due() {
    let server = Server::start().await;
    pass(&server, Duration::from_hours(1)).await;
    announce(&server).await;
    server.clock.set_ahead(Duration::from_hours(1));
    tend(&server).await;
    assert_eq!(states(&server).await, [KeyState::Active, KeyState::Upcoming]);
    pass(&server, short_of(ANNOUNCED_FOR)).await;
    assert_eq!(states(&server).await, [KeyState::Active, KeyState::Upcoming]);
    pass(&server, A_MOMENT).await;
    assert_eq!(states(&server).await, [KeyState::Retiring, KeyState::Active]);
}

/// A shorter life of copies in the configuration does not end those that are out there.
#[tokio::test]
async fn copies_from_before_a_restart_are_waited_for() {
    let hour = Duration::from_hours(1);
    let server = Server::start_with(|config| config.signing.jwks_max_age = hour.into()).await;
    let (folder, clock) = server.stop().await;
    let server = Server::start_in(folder, clock, |_| {}).await.unwrap();
    announce(&server).await;
    pass(&server, hour).await;
    assert_eq!(states(&server).await, [KeyState::Active, KeyState::Upcoming]);
    pass(&server, Duration::from_mins(1)).await;
    assert_eq!(states(&server).await, [KeyState::Retiring, KeyState::Active]);
}

#[tokio::test]
async fn a_copy_of_the_published_keys_says_how_long_it_is_good() {
    let minute = Duration::from_mins(1);
    let server = Server::start_with(|config| config.signing.jwks_max_age = minute.into()).await;
    let fetched = server.get(JWKS).await.expect(200);
    assert_eq!(fetched.header("cache-control"), "public, max-age=60");
    assert_eq!(fetched.header("content-type"), "application/jwk-set+json");
    let tag = fetched.header("etag").to_owned();
    for held in [tag.as_str(), &format!("W/{tag}"), &format!("\"other\", {tag}"), "*"] {
        let answer = ask(&server, held).await.expect(304);
        assert_eq!((answer.text(), answer.header("etag")), ("", tag.as_str()), "{held}");
        assert_eq!(answer.header("cache-control"), "public, max-age=60");
    }
    ask(&server, "\"other\"").await.expect(200);
    announce(&server).await;
    let anew = ask(&server, &tag).await.expect(200);
    assert_ne!(anew.header("etag"), tag);
    pass(&server, 2 * minute).await;
    assert_eq!(states(&server).await, [KeyState::Retiring, KeyState::Active], "a minute and the margin");
}

/// With it anybody's key could be a key of ours.
#[tokio::test]
async fn keys_that_somebody_put_into_the_store_change_nothing() {
    let server = Server::start().await;
    let tokens = server.sign_up(EMAIL).await;
    announce(&server).await;
    let before = published(&server).await;
    let keys = signing_keys(&server).await;
    let foreign = StoredKey { sealed: b"\x01not sealed by us, and long enough".to_vec(), ..keys[1].clone() };
    let write = move |_: &counterfoil_domain::key::KeysView<'_>, _| {
        let keys = vec![StoredKey { sealed_public: foreign.sealed.clone(), ..foreign.clone() }];
        let changes = counterfoil_domain::key::KeyChanges { keys, ..Default::default() };
        counterfoil_domain::key::KeyRuling { changes, outcome: () }
    };
    server.store().decide_keys(write).await.unwrap();
    pass(&server, ANNOUNCED_FOR).await;
    server.account(&tokens.access).await.expect(200);
    assert_eq!(published(&server).await, before);
    server.clock.advance(PAST_THE_ACCESS_TOKEN);
    server.refresh(&tokens.refresh).await.expect(200);
}
