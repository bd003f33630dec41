//! A small server that speaks the protocol, and says whatever a test wants it to.

use crate::bench::key;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use counterfoil_domain::{
    id::FeedEntryId,
    revocation::{Chain, Epoch, FeedEntry, FeedHead, FeedPosition, Revocation, RevocationDraft},
    time::UnixMillis,
};
use counterfoil_jwt::SigningKey;
use counterfoil_wire::{FeedBody, FeedEntryBody, FeedHeadBody};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::Instant};

pub(crate) const FEED: &str = "/v1/feed";
pub(crate) const SNAPSHOT: &str = "/v1/feed/snapshot";
pub(crate) const KEYS: &str = "/.well-known/jwks.json";
pub(crate) const METADATA: &str = "/.well-known/oauth-authorization-server";
pub(crate) const INTROSPECT: &str = "/oauth/introspect";
/// The secret of the client `billing`.
pub(crate) const SECRET: &str = "cfk_right";
/// What the server's clock shows when it starts.
pub(crate) const NOW_SECONDS: i64 = 1_800_000_000;

pub(crate) type Query = HashMap<String, String>;
type Script = Arc<dyn Fn(&Query) -> Response + Send + Sync>;

pub(crate) struct Server {
    pub(crate) issuer: String,
    pub(crate) key: SigningKey,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    issuer: Mutex<String>,
    started: Instant,
    history: Mutex<History>,
    head: watch::Sender<FeedHead>,
    key_sets: Mutex<Vec<SigningKey>>,
    /// Tokens that introspection calls inactive.
    inactive: Mutex<Vec<String>>,
    scripts: Mutex<HashMap<&'static str, Script>>,
    calls: Mutex<Vec<(String, Query)>>,
}

/// Everything that was ever revoked.
#[derive(Clone, Default)]
pub(crate) struct History {
    pub(crate) head: FeedHead,
    pub(crate) entries: Vec<FeedEntry>,
}

impl History {
    pub(crate) fn of_epoch(epoch: i64) -> Self {
        let position = FeedPosition { epoch: Epoch(epoch), seq: 0 };
        Self { head: FeedHead { position, chain: Chain::default() }, entries: Vec::new() }
    }

    pub(crate) fn add(&mut self, revocation: Revocation) -> FeedHead {
        let at = UnixMillis::from_seconds(NOW_SECONDS);
        let id = FeedEntryId::from_bytes(u128::from(self.head.position.seq.unsigned_abs()).to_be_bytes());
        let drop_at = UnixMillis::from_seconds(NOW_SECONDS + 3_600);
        let entry = FeedEntry::seal(&self.head, RevocationDraft { id, at, drop_at, revocation });
        self.head = entry.head;
        self.entries.push(entry);
        self.head
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = key("k1");
        let history = History::of_epoch(5);
        let state = Arc::new(State {
            issuer: Mutex::new(issuer.clone()),
            started: Instant::now(),
            head: watch::Sender::new(history.head),
            history: Mutex::new(history),
            key_sets: Mutex::new(vec![copy(&key)]),
            inactive: Mutex::default(),
            scripts: Mutex::default(),
            calls: Mutex::default(),
        });
        let answering = Arc::clone(&state);
        let app = Router::new().fallback(move |request: Request| answer(Arc::clone(&answering), request));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { issuer, key, state, serving }
    }

    /// What its clock shows.
    pub(crate) fn now(&self) -> UnixMillis {
        self.state.now()
    }

    pub(crate) fn revoke(&self, revocation: Revocation) -> FeedHead {
        self.change(|history| history.add(revocation))
    }

    /// Changes what the feed says.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut History) -> T) -> T {
        let mut history = self.state.history.lock();
        let changed = change(&mut history);
        self.state.head.send_replace(history.head);
        changed
    }

    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        *self.state.key_sets.lock() = keys.iter().map(|key| copy(key)).collect();
    }

    pub(crate) fn end_at_introspection(&self, token: &str) {
        self.state.inactive.lock().push(token.to_owned());
    }

    /// From now on this is answered at a path.
    pub(crate) fn script(&self, path: &'static str, answer: impl Fn(&Query) -> Response + Send + Sync + 'static) {
        self.state.scripts.lock().insert(path, Arc::new(answer));
    }

    /// From now on a path is answered honestly again.
    pub(crate) fn be_honest(&self, path: &'static str) {
        self.state.scripts.lock().remove(path);
    }

    /// From now on nobody is answered.
    pub(crate) fn fall_silent(&self) {
        for path in [FEED, SNAPSHOT, KEYS, METADATA, INTROSPECT] {
            self.script(path, |_| unavailable());
        }
    }

    /// How often a path was asked.
    pub(crate) fn calls(&self, path: &str) -> usize {
        self.state.calls.lock().iter().filter(|(asked, _)| asked == path).count()
    }

    pub(crate) fn all_calls(&self) -> usize {
        self.state.calls.lock().len()
    }

    /// The questions for news.
    pub(crate) fn polls(&self) -> Vec<Query> {
        let calls = self.state.calls.lock();
        calls.iter().filter(|(asked, _)| asked == FEED).map(|(_, query)| query.clone()).collect()
    }

    /// The last place that a verifier has acknowledged.
    pub(crate) fn acknowledged(&self) -> Option<i64> {
        let polls = self.polls();
        polls.iter().rev().find(|query| query.contains_key("verifier"))?.get("after")?.parse().ok()
    }

    /// An honest answer to a question for news, to be changed by a test.
    pub(crate) fn page(history: &History, query: &Query) -> FeedBody {
        let after = query.get("after").map_or(0, |text| text.parse().unwrap());
        let entries = history.entries.iter().filter(|entry| entry.head.position.seq > after);
        FeedBody {
            head: head_body(history.head),
            entries: entries.take(1_000).map(entry_body).collect(),
            resync: None,
            now_ms: NOW_SECONDS * 1_000,
            held_ms: 0,
            age_ms: 0,
        }
    }

    /// The lines of an honest snapshot.
    pub(crate) fn snapshot_lines(history: &History, now_ms: i64) -> Vec<String> {
        let begin = json!({"head": head_body(history.head), "now_ms": now_ms, "age_ms": 0});
        let entries = history.entries.iter().map(|entry| {
            let body = entry_body(entry);
            json!({"id": body.id, "at_ms": body.at_ms, "kind": body.kind, "key": body.key, "arg": body.arg, "drop_at": body.drop_at})
        });
        let end = json!({"entries": history.entries.len()});
        std::iter::once(begin).chain(entries).chain([end]).map(|line| format!("{line}\n")).collect()
    }

    pub(crate) fn history(&self) -> History {
        self.state.history.lock().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    fn now(&self) -> UnixMillis {
        UnixMillis::from_seconds(NOW_SECONDS).plus(self.started.elapsed())
    }
}

async fn answer(state: Arc<State>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query: Query = form(request.uri().query().unwrap_or_default().as_bytes());
    state.calls.lock().push((path.clone(), query.clone()));
    let script = state.scripts.lock().get(path.as_str()).cloned();
    if let Some(script) = script {
        return script(&query);
    }
    // "billing" and the right secret.
    let is_verifier = request.headers().get(header::AUTHORIZATION).is_some_and(|value| value == BASIC);
    if path.starts_with(FEED) || path == INTROSPECT {
        if !is_verifier {
            return StatusCode::UNAUTHORIZED.into_response();
        }
    } else {
        assert!(!request.headers().contains_key(header::AUTHORIZATION), "the secret is for those paths only");
    }
    match path.as_str() {
        METADATA => {
            let issuer = state.issuer.lock().clone();
            json_answer(&json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}{KEYS}"),
                "counterfoil_feed_endpoint": format!("{issuer}{FEED}"),
                "introspection_endpoint": format!("{issuer}{INTROSPECT}"),
            }))
        }
        KEYS => {
            let keys = state.key_sets.lock();
            let keys: Vec<_> = keys.iter().filter_map(SigningKey::public_jwk).collect();
            json_answer(&json!({"keys": keys}))
        }
        FEED => feed(&state, &query).await,
        SNAPSHOT => {
            let lines = Server::snapshot_lines(&state.history.lock(), state.now().as_millis());
            lines.concat().into_response()
        }
        INTROSPECT => {
            let body = axum::body::to_bytes(request.into_body(), 65_536).await.unwrap();
            let token = form(&body)["token"].clone();
            let active = !state.inactive.lock().contains(&token);
            json_answer(&introspected(&token, active))
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A personal token is told with whose it is.
fn introspected(token: &str, active: bool) -> Value {
    match (active, token.starts_with("cfp_")) {
        (false, _) => json!({"active": false}),
        (true, false) => json!({"active": true}),
        (true, true) => json!({
            "active": true,
            "sub": crate::bench::ACCOUNT.to_string(),
            "sid": crate::bench::SESSION.to_string(),
            "policy": "personal",
            "client_id": "app",
            "scope": "read",
            "iat": NOW_SECONDS,
        }),
    }
}

const BASIC: &str = "Basic YmlsbGluZzpjZmtfcmlnaHQ=";

async fn feed(state: &State, query: &Query) -> Response {
    let wait = query.get("wait").map_or(0, |text| text.strip_suffix("ms").unwrap().parse().unwrap());
    let after: i64 = query.get("after").map_or(0, |text| text.parse().unwrap());
    let received = Instant::now();
    let mut heads = state.head.subscribe();
    let news = heads.wait_for(|head| head.position.seq > after || head.position.epoch.0.to_string() != query["epoch"]);
    let _ = tokio::time::timeout(Duration::from_millis(wait), news).await;
    let held_ms = u64::try_from(received.elapsed().as_millis()).unwrap();
    let history = state.history.lock().clone();
    let page = Server::page(&history, query);
    json_answer(&serde_json::to_value(FeedBody { now_ms: state.now().as_millis(), held_ms, ..page }).unwrap())
}

fn copy(key: &SigningKey) -> SigningKey {
    SigningKey::from_jwk(&key.to_private_jwk().unwrap(), None).unwrap()
}

fn form(text: &[u8]) -> Query {
    form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

pub(crate) fn head_body(head: FeedHead) -> FeedHeadBody {
    let FeedHead { position, chain } = head;
    FeedHeadBody { epoch: position.epoch.0, seq: position.seq, chain: format!("{chain:?}") }
}

pub(crate) fn entry_body(entry: &FeedEntry) -> FeedEntryBody {
    let (kind, key, arg) = entry.draft.revocation.to_columns();
    let head = head_body(entry.head);
    FeedEntryBody {
        epoch: head.epoch,
        seq: head.seq,
        id: entry.draft.id.to_string(),
        at_ms: entry.draft.at.as_millis(),
        kind: kind.into(),
        key,
        arg,
        drop_at: entry.draft.drop_at.as_millis(),
        chain: head.chain,
    }
}

pub(crate) fn json_answer(value: &impl serde::Serialize) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], serde_json::to_vec(value).unwrap()).into_response()
}

pub(crate) fn unavailable() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

/// An answer that says these pieces and then nothing more, without ever ending.
pub(crate) fn endless(pieces: Vec<Bytes>) -> Response {
    use futures_util::StreamExt;
    let pieces = futures_util::stream::iter(pieces.into_iter().map(Ok::<_, Infallible>));
    Body::from_stream(pieces.chain(futures_util::stream::pending())).into_response()
}

/// An answer that breaks off after these pieces.
pub(crate) fn cut_off(pieces: Vec<Bytes>) -> Response {
    use futures_util::StreamExt;
    let pieces = futures_util::stream::iter(pieces.into_iter().map(Ok));
    let broken = futures_util::stream::once(async {
        // What was said so far must be on its way: hyper throws away what it has not yet sent.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::Error::other("cut off"))
    });
    Body::from_stream(pieces.chain(broken)).into_response()
}

/// An answer that says the same for ever.
pub(crate) fn for_ever(byte: u8, at_a_time: usize) -> Response {
    let piece = Bytes::from(vec![byte; at_a_time]);
    Body::from_stream(futures_util::stream::repeat_with(move || Ok::<_, Infallible>(piece.clone()))).into_response()
}
