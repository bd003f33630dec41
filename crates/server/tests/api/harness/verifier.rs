//! A verifier elsewhere, as small as it can be: it follows the feed by the protocol, with the guard's own ledger.

use super::{Client, Reply, Server};
use counterfoil::system::OsEntropy;
use counterfoil_domain::{
    client::{Client as StoredClient, ClientKind, CreatedClient},
    event::{EventKind, Occasion},
    opaque::{OpaqueSecret, SecretKind},
    revocation::{Chain, Epoch, FeedEntry, FeedHead, FeedPosition, Next, Revocation, RevocationDraft},
    store::{FeedPage, Store},
    time::UnixMillis,
};
use counterfoil_guard::Revocations;
use counterfoil_wire::{FeedBody, FeedEntryBody, FeedHeadBody, SnapshotBegin, SnapshotEnd, SnapshotEntry};
use reqwest::RequestBuilder;
use std::{fmt::Write, sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// A client's name and secret.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Credentials {
    /// Registers a client of this name in the store, as the command line does.
    pub(crate) async fn register(store: &(dyn Store + 'static), id: &str, now: UnixMillis) -> Self {
        let secret = OpaqueSecret::generate(SecretKind::ClientSecret, &OsEntropy);
        let (kind, digest) = (ClientKind::Verifier, secret.digest());
        let client = StoredClient { id: id.parse().unwrap(), kind, secret: digest, created_at: now };
        let event = client.event(EventKind::ClientCreated, &Occasion { now, ip: None, entropy: &OsEntropy });
        assert_eq!(store.create_client(client, event).await.unwrap(), CreatedClient::Created);
        Self { id: id.to_owned(), secret: secret.expose_text() }
    }

    pub(crate) fn with(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.id, Some(&self.secret))
    }

    pub(crate) async fn get(&self, client: &Client, path: &str) -> Reply {
        client.send(self.with(client.request("GET", path))).await
    }

    pub(crate) async fn introspect(&self, client: &Client, token: &str) -> Reply {
        client.send(self.with(client.request("POST", "/oauth/introspect")).form(&[("token", token)])).await
    }
}

impl Server {
    /// Registers a client of this name.
    pub(crate) async fn register(&self, id: &str) -> Credentials {
        Credentials::register(self.store(), id, self.counterfoil().app().now()).await
    }
}

/// A verifier.
pub(crate) struct Verifier {
    client: Client,
    credentials: Credentials,
    pub(crate) name: String,
    pub(crate) revocations: Arc<Revocations>,
}

fn head(body: &FeedHeadBody) -> FeedHead {
    let chain = u128::from_str_radix(&body.chain, 16).unwrap().to_be_bytes();
    FeedHead { position: FeedPosition { epoch: Epoch(body.epoch), seq: body.seq }, chain: Chain(chain) }
}

fn draft(id: &str, at: i64, drop_at: i64, columns: (&str, &str, i64)) -> RevocationDraft {
    let (kind, key, arg) = columns;
    RevocationDraft {
        id: id.parse().unwrap(),
        at: UnixMillis::from_millis(at),
        drop_at: UnixMillis::from_millis(drop_at),
        revocation: Revocation::from_columns(kind, key, arg).unwrap(),
    }
}

fn entry(body: &FeedEntryBody) -> FeedEntry {
    let place = FeedHeadBody { epoch: body.epoch, seq: body.seq, chain: body.chain.clone() };
    let columns = (&*body.kind, body.key.as_str(), body.arg);
    FeedEntry { head: head(&place), draft: draft(&body.id, body.at_ms, body.drop_at, columns) }
}

/// A poll after this place.
pub(crate) fn poll_path(after: FeedHead, more: &str) -> String {
    let (FeedPosition { epoch, seq }, mut chain) = (after.position, String::new());
    after.chain.0.iter().for_each(|byte| write!(chain, "{byte:02x}").unwrap());
    format!("/v1/feed?epoch={}&after={seq}&chain={chain}{more}", epoch.0)
}

impl Verifier {
    pub(crate) fn new(server: &Client, credentials: &Credentials, name: &str) -> Self {
        let (client, credentials) = (Client::new(server.base_url()), credentials.clone());
        Self { client, credentials, name: name.to_owned(), revocations: Arc::default() }
    }

    /// Loads a snapshot; how many entries it had.
    pub(crate) async fn load(&self) -> usize {
        let reply = self.credentials.get(&self.client, "/v1/feed/snapshot").await.expect(200);
        assert_eq!(reply.header("content-type"), "application/x-ndjson");
        let lines: Vec<_> = reply.text().lines().collect();
        let begin: SnapshotBegin = serde_json::from_str(lines[0]).unwrap();
        let end: SnapshotEnd = serde_json::from_str(lines[lines.len() - 1]).unwrap();
        let entries = &lines[1..lines.len() - 1];
        assert_eq!(end.entries, entries.len() as u64);
        let drafts = entries.iter().map(|line| {
            let entry: SnapshotEntry<'_> = serde_json::from_str(line).unwrap();
            draft(&entry.id, entry.at_ms, entry.drop_at, (&entry.kind, &entry.key, entry.arg))
        });
        let drafts: Vec<_> = drafts.collect();
        self.revocations.apply(&drafts);
        assert!(self.revocations.take_snapshot(head(&begin.head), Duration::ZERO, Duration::ZERO));
        drafts.len()
    }

    /// Polls after what is applied.
    pub(crate) async fn ask(&self, more: &str) -> FeedBody {
        let path = poll_path(self.revocations.applied(), &format!("&verifier={}{more}", self.name));
        let reply = self.credentials.get(&self.client, &path).await.expect(200);
        assert_eq!((reply.header("content-type"), reply.header("cache-control")), ("application/json", "no-store"));
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// Polls and applies what comes.
    pub(crate) async fn poll(&self, more: &str) -> Next {
        let body = self.ask(more).await;
        if body.resync.is_some() {
            self.load().await;
            return Next::ReadOn;
        }
        let page = FeedPage { entries: body.entries.iter().map(entry).collect(), head: head(&body.head) };
        self.revocations.read(&page, Duration::ZERO, Duration::ZERO)
    }

    /// Follows the feed until it is aborted, from a snapshot that has been loaded already when this returns.
    pub(crate) async fn follow(self) -> JoinHandle<()> {
        self.load().await;
        self.poll("").await;
        tokio::spawn(async move {
            loop {
                self.poll("&wait=1s").await;
            }
        })
    }
}
